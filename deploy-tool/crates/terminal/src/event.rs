//! Pure: the JSON events of commands that change something, one per line. docs/json.md describes them.

use jiff::Timestamp;
use serde::Serialize;

use super::change::Change;
use super::row::{Row, RowState};
use diagnostics::Error;

/// The value of every event's `schema`. Fields and types are added, never renamed or given another meaning.
pub const SCHEMA: &str = "deploy-tool.dev/event/v1";

/// Something that has happened.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Event<'a> {
    /// A step begins.
    StepStarted {
        /// The step.
        step: &'a str,
    },
    /// A step is done.
    StepFinished {
        /// The step.
        step: &'a str,
        /// What came of it, in a sentence.
        outcome: &'a str,
        /// How long it took.
        seconds: f64,
    },
    /// A step failed or was interrupted; the `failure` at the end has the reason.
    StepFailed {
        /// The step.
        step: &'a str,
        /// How long it took.
        seconds: f64,
    },
    /// Progress of an object of the wait, or its result.
    Object {
        /// The step that waits.
        step: &'a str,
        /// The object's kind and name.
        object: &'a str,
        /// `waiting`, `done` or `failed`.
        state: &'static str,
        /// How many of its parts are ready.
        ready: Option<u32>,
        /// How many are wanted.
        wanted: Option<u32>,
        /// The reason why it waits, or has failed.
        reason: &'a str,
    },
    /// The server has stored an object, or has taken its deletion.
    Written {
        /// The step that writes.
        step: &'a str,
        /// What happened to which object.
        #[serde(flatten)]
        change: &'a Change,
    },
    /// A container has written a line.
    Log {
        /// The pod.
        pod: &'a str,
        /// The container in it.
        container: &'a str,
        /// When, as its node knows it.
        written: Option<String>,
        /// What.
        line: &'a str,
    },
    /// A deployment of those that one run makes, again and again.
    Cycle {
        /// Counted from 1.
        cycle: u32,
        /// `started`, `deployed`, `failed`, or `superseded` by the next one.
        state: &'static str,
        /// The files that have changed since the one before.
        changed: &'a [String],
        /// How long it has taken.
        seconds: f64,
        /// Why it has failed, as people see it.
        failure: Option<String>,
    },
    /// Something to act on, though the run goes on.
    Warning {
        /// In a sentence.
        text: &'a str,
    },
    /// Something for people.
    Message {
        /// In a sentence, or several lines.
        text: &'a str,
    },
    /// The last event of a run that failed.
    Failure {
        /// The number in the catalogue, such as DT0201.
        code: Option<String>,
        /// How the process ends.
        exit_code: u8,
        /// What could not be done.
        what: &'a str,
        /// Why, and the causes of that.
        because: &'a [String],
        /// What shows it, such as the end of a log.
        evidence: &'a [String],
        /// What to do next.
        next: &'a [String],
    },
    /// The last event of a successful run.
    Result {
        /// How the process ends.
        exit_code: u8,
        /// How long the run took.
        seconds: f64,
        /// What the verb was asked for, if that is data: see the verb's section.
        data: Option<serde_json::Value>,
    },
}

impl<'a> Event<'a> {
    /// An object's row has changed.
    pub fn object(step: &'a str, row: &'a Row) -> Self {
        Self::Object {
            step,
            object: &row.title,
            state: match row.state {
                RowState::Failed => "failed",
                RowState::Waiting => "waiting",
                RowState::Done => "done",
            },
            ready: row.ready.map(|(ready, _)| ready),
            wanted: row.ready.map(|(_, wanted)| wanted),
            reason: &row.reason,
        }
    }

    /// The run has failed.
    pub fn failure(failure: &'a Error) -> Self {
        Self::Failure {
            code: failure.number().map(ToString::to_string),
            exit_code: failure.status as u8,
            what: failure.message(),
            because: failure.causes(),
            evidence: failure.details(),
            next: failure.hints(),
        }
    }

    /// The event as a line.
    pub fn line(&self, time: Timestamp) -> String {
        #[derive(Serialize)]
        struct Stamped<'a> {
            schema: &'static str,
            time: String,
            #[serde(flatten)]
            event: &'a Event<'a>,
        }
        let stamped = Stamped {
            schema: SCHEMA,
            time: format!("{time:.3}"),
            event: self,
        };
        // Texts and numbers always have a JSON form.
        serde_json::to_string(&stamped).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::change::Action;

    fn examples() -> String {
        let row = |state: RowState, ready: u32, reason: &str| Row {
            title: "Deployment `app`".into(),
            state,
            ready: Some((ready, 2)),
            reason: reason.into(),
        };
        let waiting = row(
            RowState::Waiting,
            0,
            "0 of 2 ready; pod `app-6f8d`: the image is being pulled",
        );
        let done = row(RowState::Done, 2, "");
        let failure = Error::cluster("failed to apply Deployment `app` from shop.yaml:12")
            .code(&diagnostics::code::apply::FIELD_CONFLICT)
            .cause(".spec.replicas is owned by `kubectl-edit`")
            .detail("conflict with \"kubectl-edit\" using apps/v1")
            .hint("leave the field out of the manifest");
        let change = Change {
            action: Action::Changed,
            title: "Deployment `app`".into(),
            fields: vec![
                ("wave", "workloads".into()),
                ("group", "apps".into()),
                ("version", "v1".into()),
                ("kind", "Deployment".into()),
                ("namespace", "shop".into()),
                ("name", "app".into()),
            ],
        };
        let events = [
            Event::StepStarted { step: "ready" },
            Event::Written {
                step: "objects of release shop/shop",
                change: &change,
            },
            Event::object("ready", &waiting),
            Event::object("ready", &done),
            Event::StepFinished {
                step: "ready",
                outcome: "ready: Deployment `app`: 2 of 2 ready",
                seconds: 3.4,
            },
            Event::StepFailed {
                step: "ready",
                seconds: 3.4,
            },
            Event::Log {
                pod: "app-6f8d",
                container: "app",
                written: Some("2026-01-02T03:04:05.6Z".into()),
                line: "listening on 0.0.0.0:8080",
            },
            Event::Cycle {
                cycle: 2,
                state: "deployed",
                changed: &["src/service.rs".to_owned()],
                seconds: 5.3,
                failure: None,
            },
            Event::Warning {
                text: "the database may run out of connections",
            },
            Event::Message {
                text: "nothing changed: everything was there already",
            },
            Event::failure(&failure),
            Event::Result {
                exit_code: 0,
                seconds: 4.1,
                data: None,
            },
        ];
        let time: Timestamp = "2026-01-02T03:04:05.678Z".parse().unwrap();
        events.iter().map(|event| event.line(time) + "\n").collect()
    }

    /// `UPDATE_DOCS=1 cargo test -p terminal` rewrites them.
    #[test]
    fn the_examples_are_those_in_docs() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/json.md");
        let text = std::fs::read_to_string(&path).unwrap();
        let (before, rest) = text.split_once("<!-- events -->\n```json\n").unwrap();
        let (written, after) = rest.split_once("```").unwrap();
        let examples = examples();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, format!("{before}<!-- events -->\n```json\n{examples}```{after}")).unwrap();
            return;
        }
        assert_eq!(
            written, examples,
            "docs/json.md is out of date: UPDATE_DOCS=1 cargo test -p terminal"
        );
        // A line a type, and a row of the table in the page for each.
        for line in examples.lines() {
            let event: serde_json::Value = serde_json::from_str(line).unwrap();
            let row = format!("| `{}` |", event["type"].as_str().unwrap());
            assert!(text.contains(&row), "docs/json.md does not describe {row}");
        }
    }
}
