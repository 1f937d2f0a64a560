//! What is told of each step: a line of JSON, which `deploy-tool` reads (`deploy-tool/src/node/line.rs`).

use std::fmt::Display;

use serde::Serialize;

/// Numbers of the catalogue in `deploy-tool/crates/diagnostics/src/code/node.rs`.
pub const UNFIT: u16 = 901;
/// Somebody else's runtime has the handler's name.
pub const HANDLER_TAKEN: u16 = 902;
/// The runtime does not take the new configuration.
pub const REFUSED: u16 = 903;
/// The runtime does not answer with the new configuration.
pub const SILENT: u16 = 904;
/// Neither does it with the old one.
pub const NO_WAY_BACK: u16 = 906;
/// The installer itself cannot do its work.
pub const INSTALLER: u16 = 909;
/// The engine's files are not as they should be, or do not run here.
pub const ENGINE: u16 = 910;

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// Something is other than before.
    Changed,
    /// Everything was so already, or nothing was to be changed.
    Unchanged,
    /// It could not be done.
    Failed,
}

#[derive(Debug, Serialize)]
struct Line<'a> {
    step: &'a str,
    state: State,
    sentence: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    because: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    next: &'a [String],
}

/// Why something cannot be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Its number in the catalogue.
    pub code: u16,
    /// What cannot be done.
    pub sentence: String,
    /// Why.
    pub because: Vec<String>,
    /// What mends it.
    pub next: Vec<String>,
}

impl Trouble {
    /// With a number and a sentence.
    pub fn new(code: u16, sentence: impl Into<String>) -> Self {
        Self {
            code,
            sentence: sentence.into(),
            because: Vec::new(),
            next: Vec::new(),
        }
    }

    /// Adds a cause.
    #[must_use]
    pub fn because(mut self, cause: impl Display) -> Self {
        self.because.push(cause.to_string().trim_end().to_owned());
        self
    }

    /// Adds what mends it.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next.push(next.into());
        self
    }
}

/// Prints lines.
#[derive(Debug)]
pub struct Report;

impl Report {
    /// A step is done.
    pub fn step(&self, step: &str, state: State, sentence: &str) {
        self.line(&line(step, state, sentence));
    }

    /// The last line of a run: the version that is installed now, if there is one.
    pub fn end(&self, state: State, sentence: &str, version: Option<&str>) {
        let line = line("end", state, sentence);
        self.line(&Line { version, ..line });
    }

    /// The last line of a run that failed.
    pub fn trouble(&self, trouble: &Trouble) {
        let line = line("end", State::Failed, &trouble.sentence);
        self.line(&Line {
            code: Some(trouble.code),
            because: &trouble.because,
            next: &trouble.next,
            ..line
        });
    }

    fn line(&self, line: &Line<'_>) {
        // Texts and numbers always have a JSON form.
        println!("{}", serde_json::to_string(line).unwrap_or_default());
    }
}

fn line<'a>(step: &'a str, state: State, sentence: &'a str) -> Line<'a> {
    Line {
        step,
        state,
        sentence,
        version: None,
        code: None,
        because: &[],
        next: &[],
    }
}
