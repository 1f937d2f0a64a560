//! Pure: what applying a release would do, object by object and field by field.

mod apply_error;
mod assemble;
mod conflict;
mod difference;
mod document;
mod field_migration;
mod managed_fields;
mod permission;
mod readers;
pub mod saved;
mod stale;
#[cfg(test)]
mod tests;
mod text;
mod text_diff;
mod up_to_date;
mod version;
mod webhook;

use std::collections::BTreeMap;

use kube::api::DynamicObject;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use apply_error::{all_refused, cannot_be_tried, is_made_first, passes_by_itself, refused};
pub use assemble::{
    Live, claim_shared, created_namespaces, keep_completed_jobs, mark_owner, prune_steps, recreate_step,
    refuse_other_releases, take_terminating, tried_step, untried_step,
};
pub use conflict::{Conflict, OnConflict, conflict_failure, conflicts, refuse_undecided};
pub use difference::{Difference, VisibleValue, differences};
pub use document::{SCHEMA, document};
pub use field_migration::{
    FieldPath, display_path, leftover_fields, migrated_entries, migrated_managers, remaining_managers,
    removal_differences, removal_patch,
};
pub use managed_fields::same_ownership;
pub use permission::needed;
pub use readers::note_readers;
pub use stale::{outdated, refuse_changes, refuse_other_cluster};
pub use text::{summary, text};
pub use up_to_date::is_applied;
pub use version::Version;
pub use webhook::UnansweredWebhook;

use crate::manifest::{Object, Wave};
use crate::release::{Identity, Name};

/// Where the manifest of a workload has the count of replicas.
pub const REPLICAS_POINTER: &str = "/spec/replicas";

/// What applying a release would do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Which release.
    pub release: Name,
    /// The steps in the order of the waves; pruned objects come last, in the opposite order.
    pub steps: Vec<Step>,
    /// Whether each object must be in the state the plan was made from: so it is with a saved plan.
    #[serde(skip)]
    pub exact: bool,
}

/// What applying a release would do to one object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// When.
    pub wave: Wave,
    /// Which object.
    pub identity: Identity,
    /// The object to apply; none when it is pruned.
    pub object: Option<Object>,
    /// What happens to it.
    pub action: Action,
    /// How the fields change that are the manifest's.
    pub differences: Vec<Difference>,
    /// Further notes, one sentence each.
    pub notes: Vec<String>,
    /// Whether fields are taken over that another manager has set.
    pub take_over: bool,
    /// Fields that others have set to something else, and of which it is to be decided.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undecided: Vec<Conflict>,
    /// Fields of the manifest that are left as others have set them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_alone: Vec<Conflict>,
    /// The other tools with manifests whose fields become this one's, see [`migrated_managers`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub migrated: Vec<String>,
    /// Whether the object is kept for another release that uses it, and only the claim of this one is removed.
    #[serde(default)]
    pub given_up: bool,
    /// Why the server could not try it, if it could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untried: Option<Untried>,
    /// Which state of the object the plan was made from; none when there was no object.
    pub before: Option<Version>,
    /// That state itself. It is not part of a saved plan.
    #[serde(skip)]
    pub live: Option<DynamicObject>,
}

/// Why the server cannot try an object yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Untried {
    /// Its namespace is of the same release, and not there.
    Namespace,
    /// Its kind is.
    Kind,
    /// An object that it refers to.
    Reference,
    /// The webhook that checks it is of the same release, and does not answer.
    Webhook,
    /// A webhook with side effects does not support dry runs.
    DryRun,
}

impl Untried {
    /// For sentences.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Namespace => "its namespace is made first",
            Self::Kind => "its kind is defined first",
            Self::Reference => "what it names is made first",
            Self::Webhook => "its webhook, which is of this release, does not answer; what runs comes first",
            Self::DryRun => "an admission webhook does not support dry runs",
        }
    }
}

/// What happens to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// It is not there yet.
    Create,
    /// It is there, and gets other fields or another owner of them.
    Change,
    /// It stays as it is; nothing is sent.
    Keep,
    /// The release has made it, and the manifests have it no longer.
    Prune,
}

impl Plan {
    /// Whether anything is to be written.
    pub fn is_empty(&self) -> bool {
        self.steps.iter().all(|step| step.action == Action::Keep)
    }

    /// The objects of the manifests.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        self.steps.iter().filter_map(|step| step.object.as_ref())
    }

    /// The terminating objects that are created again afterwards. A saved plan has none.
    pub fn terminating_objects(&self) -> impl Iterator<Item = (&Identity, &DynamicObject)> {
        let recreated = self.steps.iter().filter(|step| step.action == Action::Create);
        recreated.filter_map(|step| Some((&step.identity, step.live.as_ref()?)))
    }

    /// How many objects there are of each action.
    pub fn counts(&self) -> BTreeMap<Action, usize> {
        let mut counts = BTreeMap::new();
        for step in &self.steps {
            *counts.entry(step.action).or_default() += 1;
        }
        counts
    }
}

impl Step {
    /// A step that does nothing to an object, so far.
    pub fn new(wave: Wave, identity: Identity) -> Self {
        Self {
            wave,
            identity,
            object: None,
            action: Action::Keep,
            differences: Vec::new(),
            notes: Vec::new(),
            take_over: false,
            undecided: Vec::new(),
            left_alone: Vec::new(),
            migrated: Vec::new(),
            given_up: false,
            untried: None,
            before: None,
            live: None,
        }
    }

    /// The same, with fields taken over that others have set.
    #[must_use]
    pub fn take_over(mut self, conflicts: &[Conflict]) -> Self {
        self.take_over = true;
        self.action = Action::Change;
        let notes = conflicts
            .iter()
            .map(|conflict| format!("takes {} over from \"{}\"", conflict.field, conflict.manager));
        self.notes.extend(notes);
        self
    }

    /// The same, with fields of which it is to be decided whether they are taken over.
    #[must_use]
    pub fn ask_about(mut self, conflicts: Vec<Conflict>) -> Self {
        self.action = Action::Change;
        self.notes = conflicts.iter().map(Conflict::note).collect();
        self.undecided = conflicts;
        self
    }

    /// With a note about fields that keep the value of another manager. `before` is the live object, `wanted` the manifest.
    #[must_use]
    pub fn leave_alone(mut self, conflicts: Vec<Conflict>, before: &DynamicObject, wanted: &Object) -> Self {
        let count = |data: &Value| data.pointer(REPLICAS_POINTER).map(Value::to_string).unwrap_or_default();
        self.notes.extend(conflicts.iter().map(|conflict| {
            format!(
                "{} stays {}, as \"{}\" has set it, and does not become {}",
                conflict.field,
                count(&before.data),
                conflict.manager,
                count(&wanted.value.data)
            )
        }));
        self.left_alone = conflicts;
        self
    }

    /// The same, with the fields of other tools becoming this one's; `differences` are those that go with it.
    #[must_use]
    pub fn migrate(mut self, managers: Vec<String>, differences: Vec<Difference>) -> Self {
        self.action = Action::Change;
        self.notes.push(format!(
            "what \"{}\" has set becomes the manifest's",
            managers.join("\", \"")
        ));
        self.differences.extend(differences);
        self.migrated = managers;
        self
    }

    /// With a note about fields of other tools that stay though the manifest does not have them.
    #[must_use]
    pub fn note_leftover(mut self, managers: &[String], differences: &[Difference]) -> Self {
        let fields: Vec<&str> = differences.iter().map(|difference| difference.path.as_str()).collect();
        if !fields.is_empty() {
            self.notes.push(format!(
                "stays, though the manifest does not have it: {}, set by \"{}\"; --take-over removes it",
                fields.join(", "),
                managers.join("\", \"")
            ));
        }
        self
    }

    /// With a note that the remaining fields of other tools are unknown, and why.
    #[must_use]
    pub fn note_refused_removal(mut self, managers: &[String], cause: &str) -> Self {
        let cause = cause.lines().next().unwrap_or_default();
        self.notes.push(format!(
            "what only \"{}\" has set stays, since the server does not take the object without it: {cause}",
            managers.join("\", \"")
        ));
        self
    }
}
