//! A line of the installer's log.

use serde::{Deserialize, Serialize};

/// The step of the last line of every run.
pub const END: &str = "end";

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// Something was changed.
    Changed,
    /// Nothing had to be changed.
    Unchanged,
    /// The step failed.
    Failed,
}

/// The result of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Which step.
    pub step: String,
    /// How it ended.
    pub state: State,
    /// What was done, or failed, in a sentence.
    pub sentence: String,
    /// The version that is installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Of a failure: its number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
    /// Of a failure: its causes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<String>,
    /// Of a failure: what to do next.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next: Vec<String>,
}

impl Line {
    /// A line of a step.
    pub fn new(step: &str, state: State, sentence: &str) -> Self {
        Self {
            step: step.to_owned(),
            state,
            sentence: sentence.to_owned(),
            version: None,
            code: None,
            because: Vec::new(),
            next: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_was_written_and_leaves_out_what_is_empty() {
        let plain = Line::new("files", State::Changed, "24 files");
        let text = serde_json::to_string(&plain).unwrap();
        assert_eq!(text, r#"{"step":"files","state":"changed","sentence":"24 files"}"#);
        let failed = Line {
            code: Some(901),
            because: vec!["/opt is read-only".into()],
            ..Line::new(END, State::Failed, "it cannot")
        };
        for line in [plain, failed] {
            let text = serde_json::to_string(&line).unwrap();
            assert_eq!(serde_json::from_str::<Line>(&text).unwrap(), line);
        }
    }
}
