//! Pure: a plan as programs read it, the schema `deploy-tool.dev/plan/v1`. It has no object and no value of a Secret.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::{Action, Conflict, Difference, Plan};
use crate::manifest::Wave;
use crate::release::Identity;

/// The name of the schema. Fields may be added; existing ones keep their meaning.
pub const SCHEMA: &str = "deploy-tool.dev/plan/v1";

/// A plan for programs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document<'p> {
    schema: &'static str,
    /// `namespace/name`.
    release: String,
    /// Whether there is nothing to do.
    empty: bool,
    /// How many objects there are of each action.
    counts: BTreeMap<Action, usize>,
    steps: Vec<Entry<'p>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'p> {
    action: Action,
    wave: Wave,
    #[serde(flatten)]
    identity: &'p Identity,
    differences: &'p [Difference],
    notes: &'p [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    undecided: Vec<Undecided<'p>>,
}

/// A field that another manager has set to another value.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Undecided<'p> {
    field: &'p str,
    manager: &'p str,
    time: Option<Timestamp>,
}

/// The document of a plan.
pub fn document(plan: &Plan) -> Document<'_> {
    let steps = plan.steps.iter().map(|step| Entry {
        action: step.action,
        wave: step.wave,
        identity: &step.identity,
        differences: &step.differences,
        notes: &step.notes,
        undecided: step.undecided.iter().map(undecided).collect(),
    });
    let mut counts = plan.counts();
    for action in [Action::Create, Action::Change, Action::Keep, Action::Prune] {
        counts.entry(action).or_default();
    }
    Document {
        schema: SCHEMA,
        release: plan.release.to_string(),
        empty: plan.is_empty(),
        counts,
        steps: steps.collect(),
    }
}

fn undecided(conflict: &Conflict) -> Undecided<'_> {
    Undecided {
        field: &conflict.field,
        manager: &conflict.manager,
        time: conflict.time,
    }
}
