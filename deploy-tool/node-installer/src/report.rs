//! What is told of each step: a line of JSON, which `deploy-tool` reads.

use std::fmt::Display;

use node_protocol::{END, Line, State};

/// Why something cannot be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstallError {
    /// Its number in the catalogue.
    pub code: u16,
    /// What cannot be done.
    pub sentence: String,
    /// Why.
    pub because: Vec<String>,
    /// What fixes it.
    pub next: Vec<String>,
}

impl InstallError {
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
    pub fn cause(mut self, cause: impl Display) -> Self {
        self.because.push(cause.to_string().trim_end().to_owned());
        self
    }

    /// Adds what fixes it.
    #[must_use]
    pub fn hint(mut self, next: impl Into<String>) -> Self {
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
        print(&Line::new(step, state, sentence));
    }

    /// The last line of a run: the version that is installed now, if there is one.
    pub fn end(&self, state: State, sentence: &str, version: Option<&str>) {
        print(&Line {
            version: version.map(str::to_owned),
            ..Line::new(END, state, sentence)
        });
    }

    /// The last line of a run that failed.
    pub fn trouble(&self, trouble: &InstallError) {
        print(&Line {
            code: Some(trouble.code),
            because: trouble.because.clone(),
            next: trouble.next.clone(),
            ..Line::new(END, State::Failed, &trouble.sentence)
        });
    }
}

fn print(line: &Line) {
    // Texts and numbers always have a JSON form.
    println!("{}", serde_json::to_string(line).unwrap_or_default());
}
