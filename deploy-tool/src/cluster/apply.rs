//! Edge: server-side apply with one field manager. Conflicts are named, not forced.
//!
//! <https://kubernetes.io/docs/reference/using-api/server-side-apply/>

use k8s_openapi::ByteString;
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::core::Status;
use std::collections::BTreeMap;

use super::{Cluster, client::explain, discover::Placed};
use crate::code;
use crate::failure::{Failure, Outcome};
use crate::manifest::{self, Object};
use crate::password;
use crate::settings::FIELD_MANAGER;

/// What applying an object did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was not there before.
    Created,
    /// It was there and is different now.
    Changed,
    /// It was there and is the same.
    Unchanged,
}

/// An object as the cluster stores it now.
#[derive(Clone, Debug)]
pub struct Applied {
    /// What was applied.
    pub object: Object,
    /// What is stored.
    pub stored: DynamicObject,
    /// What that did.
    pub change: Change,
}

/// Applies one object.
///
/// # Errors
/// When the server refuses it.
pub async fn apply(cluster: &Cluster, placed: &Placed) -> Outcome<Applied> {
    let object = &placed.object;
    let what = format!("cannot apply {} from {}", object.title(), object.place());
    let before = cluster.call(&what, placed.api.get_opt(object.name())).await?;
    let complete = complete(object, before.as_ref())?;
    let parameters = PatchParams::apply(FIELD_MANAGER).validation_strict();
    let patch = Patch::Apply(&complete.value);
    let stored = cluster
        .answer(&what, placed.api.patch(object.name(), &parameters, &patch))
        .await?;
    let stored = stored.map_err(|error| refused(&what, &error))?;
    let version = |object: &DynamicObject| object.metadata.resource_version.clone();
    let change = match before {
        None => Change::Created,
        Some(before) if version(&before) == version(&stored) => Change::Unchanged,
        Some(_) => Change::Changed,
    };
    Ok(Applied {
        object: object.clone(),
        stored,
        change,
    })
}

/// The object with the values that are made on its first deployment.
fn complete(object: &Object, before: Option<&DynamicObject>) -> Outcome<Object> {
    if manifest::generated_keys(object).is_empty() {
        return Ok(object.clone());
    }
    let data = before
        .and_then(|before| before.data.get("data"))
        .cloned()
        .unwrap_or_default();
    let existing: BTreeMap<String, ByteString> = serde_json::from_value(data).unwrap_or_default();
    let mut passwords = (0..manifest::generated_keys(object).len())
        .map(|_| password::new())
        .collect::<Outcome<Vec<_>>>()?;
    Ok(manifest::with_generated(object, &existing, || {
        passwords.pop().unwrap_or_default()
    }))
}

fn refused(what: &str, error: &kube::Error) -> Failure {
    let kube::Error::Api(status) = error else {
        return Failure::cluster(what).because(explain(error));
    };
    if status.is_conflict() && !conflicts(status).is_empty() {
        return Failure::cluster(what)
            .code(&code::apply::FIELD_CONFLICT)
            .because(format!("other programs set these fields: {}", conflicts(status)))
            .next(
                "undo their change, or leave the field out of the manifest; to take a field over for good, run \
             `kubectl apply --server-side --force-conflicts --field-manager=deploy-tool` with the manifest",
            );
    }
    // The manifest is wrong. A field that the schema does not know comes as an internal error.
    // https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation
    let wrong = matches!(status.code, 400 | 422) || status.message.contains("failed to create typed patch object");
    let failure = if wrong {
        Failure::input(what)
    } else {
        Failure::cluster(what)
    };
    let failure = failure.because(&status.message);
    if status.message.contains("being terminated") {
        failure.next("wait until it is gone, then run the same command again")
    } else if status.code == 422 && status.message.contains("updates to statefulset spec") {
        failure.next(
            "this field of a StatefulSet cannot be changed: `deploy-tool down` keeps the data, then `deploy-tool up`",
        )
    } else if status.code == 403 {
        failure.next("use a context whose user may do this")
    } else {
        failure
    }
}

/// One entry a field: its path and who has it.
fn conflicts(status: &Status) -> String {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let causes: Vec<String> = causes
        .filter(|cause| cause.reason == "FieldManagerConflict")
        .map(|cause| format!("{} ({})", cause.field, cause.message))
        .collect();
    causes.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::ExitStatus;
    use serde_json::json;

    fn error(status: serde_json::Value) -> kube::Error {
        kube::Error::Api(Box::new(serde_json::from_value(status).unwrap()))
    }

    #[test]
    fn a_conflict_names_field_and_owner() {
        let failure = refused(
            "cannot apply X",
            &error(json!({
                "status": "Failure", "reason": "Conflict", "code": 409, "message": "Apply failed with 1 conflict",
                "details": {"causes": [{
                    "reason": "FieldManagerConflict", "field": ".spec.replicas", "message": "conflict with \"kubectl\"",
                }]},
            })),
        );
        let text = failure.to_string();
        assert!(
            text.contains(".spec.replicas (conflict with \"kubectl\")") && text.contains("--force-conflicts"),
            "{text}"
        );
        assert_eq!(failure.status, ExitStatus::Cluster);
    }

    #[test]
    fn a_wrong_manifest_is_the_users_input() {
        let unknown = json!({"status": "Failure", "reason": "", "code": 500,
            "message": "failed to create typed patch object (orders/app; apps/v1, Kind=Deployment): .spec.replica: field not declared in schema"});
        let failure = refused("cannot apply X", &error(unknown));
        assert_eq!(failure.status, ExitStatus::Input);
        assert!(failure.to_string().contains(".spec.replica"));
        let forbidden = json!({"status": "Failure", "reason": "Forbidden", "code": 403, "message": "no"});
        assert_eq!(refused("cannot apply X", &error(forbidden)).status, ExitStatus::Cluster);
    }
}
