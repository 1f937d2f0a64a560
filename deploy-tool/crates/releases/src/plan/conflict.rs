//! Pure: fields that the manifest sets to something else than another manager has.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::api::DynamicObject;
use kube::core::Status;
use serde::{Deserialize, Serialize};

use super::Plan;
use diagnostics::code;
use diagnostics::{Error, Result};

/// Where workloads have the count of replicas.
const REPLICAS: &str = "spec.replicas";

/// How to resolve conflicts: fields with another value that another manager has set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnConflict {
    /// They are to be decided: nothing is applied.
    Ask,
    /// They become the release's.
    TakeOver,
    /// Keep a changed number of replicas, and fail for all other fields: for a rollback.
    KeepReplicas,
}

impl OnConflict {
    /// By the flag `--take-over`.
    pub fn from_flag(take_over: bool) -> Self {
        if take_over { Self::TakeOver } else { Self::Ask }
    }
}

/// A field, and who has set it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Conflict {
    /// The object: Deployment `app`.
    pub title: String,
    /// The field's path, as the server writes it.
    pub field: String,
    /// The name of the other manager.
    pub manager: String,
    /// The time of that manager's last write, if the object has it.
    pub time: Option<Timestamp>,
}

impl Conflict {
    /// Whether it is about the count of replicas, which `scale` and autoscalers set.
    pub fn is_about_replicas(&self) -> bool {
        self.field == REPLICAS
    }

    /// The note in a plan.
    pub fn note(&self) -> String {
        let Self {
            field, manager, time, ..
        } = self;
        let time = time.map(|time| format!(" at {time:.0}")).unwrap_or_default();
        format!(
            "to be decided: {field} was set by \"{manager}\"{time}; --take-over sets it, without the field in the manifest it stays"
        )
    }
}

/// Refuses a plan with fields that are to be decided.
///
/// # Errors
/// When there are some; all of them are named.
pub fn refuse_undecided(plan: &Plan, now: Timestamp) -> Result<()> {
    let undecided: Vec<Conflict> = plan.steps.iter().flat_map(|step| step.undecided.clone()).collect();
    if undecided.is_empty() {
        Ok(())
    } else {
        Err(conflict_failure(&undecided, now))
    }
}

/// The conflicts that the server names when it refuses to apply an object; none if it refuses for another reason.
pub fn conflicts(title: &str, status: &Status, live: Option<&DynamicObject>) -> Vec<Conflict> {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let causes = causes.filter(|cause| status.code == 409 && cause.reason == "FieldManagerConflict");
    causes
        .map(|cause| {
            let (manager, subresource) = parse_manager(&cause.message);
            Conflict {
                title: title.to_owned(),
                field: cause.field.trim_start_matches('.').to_owned(),
                time: live.and_then(|live| last_write(live, manager, subresource)),
                manager: manager.to_owned(),
            }
        })
        .collect()
}

/// `conflict with "kubectl-edit" using apps/v1`, or `conflict with "kubectl" with subresource "scale" using apps/v1`:
/// apimachinery/pkg/util/managedfields/internal/conflict.go
fn parse_manager(message: &str) -> (&str, &str) {
    let mut quoted = message.split('"').skip(1).step_by(2);
    let name = quoted.next().unwrap_or(message);
    (name, quoted.next().unwrap_or_default())
}

fn last_write(live: &DynamicObject, manager: &str, subresource: &str) -> Option<Timestamp> {
    let entries = live.metadata.managed_fields.iter().flatten();
    let of_manager = entries.filter(|entry: &&ManagedFieldsEntry| {
        entry.manager.as_deref() == Some(manager) && entry.subresource.as_deref().unwrap_or_default() == subresource
    });
    of_manager.filter_map(|entry| Some(entry.time.as_ref()?.0)).max()
}

/// One error with all conflicts.
pub fn conflict_failure(conflicts: &[Conflict], now: Timestamp) -> Error {
    let fields = match conflicts.len() {
        1 => "a field of the manifests has".to_owned(),
        count => format!("{count} fields of the manifests have"),
    };
    let lines = conflicts.iter().map(|conflict| {
        let Conflict {
            title, field, manager, ..
        } = conflict;
        let when = conflict
            .time
            .map(|time| format!(", {time} ({})", describe_age(now, time)));
        format!("{title}: {field} set by \"{manager}\"{}", when.unwrap_or_default())
    });
    let lines: Vec<String> = lines.collect();
    Error::cluster(format!("{fields} been set to something else by others"))
        .code(&code::apply::FIELD_CONFLICT)
        .detail(lines.join("\n"))
        .hint("leave the field out of the manifest, and its owner keeps it, or undo the other change")
        .hint("or take over exactly these fields: the same command with --take-over")
}

/// How long ago, in the greatest unit that fits.
fn describe_age(now: Timestamp, time: Timestamp) -> String {
    let seconds = now.duration_since(time).as_secs().max(0);
    match seconds {
        0..120 => format!("{seconds} s ago"),
        120..7_200 => format!("{} min ago", seconds / 60),
        7_200..172_800 => format!("{} h ago", seconds / 3_600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_field_manager_and_time() {
        let status: Status = serde_json::from_value(json!({
            "status": "Failure", "reason": "Conflict", "code": 409, "message": "Apply failed with 2 conflicts",
            "details": {"causes": [
                {"reason": "FieldManagerConflict", "field": ".spec.replicas",
                 "message": "conflict with \"kubectl\" with subresource \"scale\" using apps/v1"},
                {"reason": "FieldManagerConflict", "field": ".spec.template.spec.containers[name=\"app\"].image",
                 "message": "conflict with \"kubectl-edit\" using apps/v1 at 2026-11-22T20:00:00Z"},
            ]},
        }))
        .unwrap();
        let live: DynamicObject = serde_json::from_value(json!({"metadata": {"managedFields": [
            {"manager": "kubectl", "operation": "Update", "time": "2026-11-22T10:00:00Z"},
            {"manager": "kubectl", "operation": "Update", "subresource": "scale", "time": "2026-11-22T19:00:00Z"},
            {"manager": "kubectl-edit", "operation": "Update", "time": "2026-11-22T20:00:00Z"},
        ]}}))
        .unwrap();
        let found = conflicts("Deployment `app`", &status, Some(&live));
        let text = conflict_failure(&found, "2026-11-22T20:01:05Z".parse().unwrap()).to_string();
        for part in [
            "2 fields of the manifests",
            "Deployment `app`: spec.replicas set by \"kubectl\", 2026-11-22T19:00:00Z (61 min ago)",
            "spec.template.spec.containers[name=\"app\"].image set by \"kubectl-edit\", 2026-11-22T20:00:00Z (65 s ago)",
            "--take-over",
        ] {
            assert!(text.contains(part), "`{part}` is missing in:\n{text}");
        }
    }

    #[test]
    fn an_object_that_moved_on_is_no_conflict_of_fields() {
        let status = Status {
            code: 409,
            message: "the object has been modified".into(),
            ..Status::default()
        };
        assert_eq!(conflicts("Deployment `app`", &status, None), []);
    }
}
