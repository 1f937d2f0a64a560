//! Edge: the output of the installer: one line of JSON for each step, which `deploy-tool` reads from the log of the pod.

use std::fmt::Display;

use node_protocol::number::UNFIT;
use node_protocol::{END, Line, State};

/// Why something cannot be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstallError {
    /// Its number in the catalogue of errors ([`node_protocol::number`]).
    pub code: u16,
    /// What failed.
    pub message: String,
    /// Why, from the nearest cause to the root.
    pub causes: Vec<String>,
    /// What to do about it.
    pub hints: Vec<String>,
}

impl InstallError {
    /// An error with a number and a message.
    pub fn new(code: u16, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            causes: Vec::new(),
            hints: Vec::new(),
        }
    }

    /// The node does not meet a requirement of the engine.
    pub fn unsupported_node(cause: impl Display) -> Self {
        Self::new(UNFIT, "the node cannot take the engine").cause(cause)
    }

    /// Adds a cause.
    #[must_use]
    pub fn cause(mut self, cause: impl Display) -> Self {
        self.causes.push(cause.to_string().trim_end().to_owned());
        self
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The message, followed by the causes.
    pub fn into_lines(self) -> Vec<String> {
        [vec![self.message], self.causes].concat()
    }
}

/// Prints the lines to standard output.
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
    pub fn failure(&self, error: &InstallError) {
        print(&Line {
            code: Some(error.code),
            because: error.causes.clone(),
            next: error.hints.clone(),
            ..Line::new(END, State::Failed, &error.message)
        });
    }
}

fn print(line: &Line) {
    // Texts and numbers always have a JSON form.
    println!("{}", serde_json::to_string(line).unwrap_or_default());
}
