//! Pure: a problem in a manifest, with its position.

use diagnostics::Code;
use diagnostics::Error;

/// Something that is wrong with an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, below the object: a JSON pointer.
    pub pointer: String,
    /// What.
    pub message: String,
    /// Its number.
    pub code: &'static Code,
    /// What to do.
    pub hint: String,
}

impl Problem {
    /// A problem at a path.
    pub fn new(
        code: &'static Code,
        pointer: impl Into<String>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            pointer: pointer.into(),
            message: message.into(),
            code,
            hint: hint.into(),
        }
    }
}

/// A file that cannot be used, with everything that is wrong in it, by line.
pub fn unusable(file: &str, problems: Vec<(u64, Problem)>) -> Error {
    let mut failure = Error::input(format!("the manifest `{file}` cannot be used"));
    if let Some((_, first)) = problems.first() {
        failure = failure.code(first.code);
    }
    let (mut lines, mut hints) = (Vec::new(), Vec::new());
    for (line, problem) in problems {
        lines.push(format!("line {line}: {}", problem.message));
        hints.push(problem.hint);
    }
    let (first, others) = lines
        .split_first()
        .map_or((None, &[] as &[_]), |(first, others)| (Some(first), others));
    if let Some(first) = first {
        failure = failure.cause(first);
    }
    if !others.is_empty() {
        failure = failure.detail(others.join("\n"));
    }
    hints.into_iter().fold(failure, Error::hint)
}
