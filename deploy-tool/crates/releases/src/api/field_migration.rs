//! Edge: fields that another tool has taken from a manifest become this tool's, see [`plan::migrated_managers`].

use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::core::Status;
use serde_json::{Value, json};

use crate::FIELD_MANAGER;
use crate::manifest::Object;
use crate::plan::{self, Difference, FieldPath, Step};
use cluster::client::explain;
use cluster::{Cluster, path_segment};
use diagnostics::{Error, Result};

/// Limit of attempts after conflicts with other writers.
const MOST_ATTEMPTS: usize = 5;

/// The step of an object that is there, with what becomes of the fields that other tools with manifests have set. `after` is
/// the object as a dry run gives it.
///
/// # Errors
/// When the server does not answer.
pub async fn plan_migration(
    cluster: &Cluster,
    api: &Api<DynamicObject>,
    object: &Object,
    live: &DynamicObject,
    after: &DynamicObject,
    take_over: bool,
    mut step: Step,
) -> Result<Step> {
    let migrated = plan::migrated_managers(object, live, take_over);
    let remaining = plan::remaining_managers(live, &migrated);
    if !migrated.is_empty() {
        let fields = plan::leftover_fields(after, &migrated, &[]);
        step = match try_removal(cluster, api, live, after, &fields).await? {
            Ok(differences) => step.migrate(migrated.clone(), differences),
            Err(refusal) => step.note_refused_removal(&migrated, &refusal.message),
        };
    }
    if !remaining.is_empty() {
        let fields = plan::leftover_fields(after, &remaining, &migrated);
        step = match try_removal(cluster, api, live, after, &fields).await? {
            Ok(differences) => step.note_leftover(&remaining, &differences),
            Err(refusal) => step.note_refused_removal(&remaining, &refusal.message),
        };
    }
    Ok(step)
}

/// How the object changes without some fields: the server puts its defaults in the place of many.
async fn try_removal(
    cluster: &Cluster,
    api: &Api<DynamicObject>,
    live: &DynamicObject,
    after: &DynamicObject,
    fields: &[FieldPath],
) -> Result<Result<Vec<Difference>, Status>> {
    if fields.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    let name = live.metadata.name.as_deref().unwrap_or_default();
    let message = format!("cannot try `{name}` without what other tools have set");
    let parameters = PatchParams {
        dry_run: true,
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PatchParams::default()
    };
    let patch: Patch<Value> = Patch::Merge(plan::removal_patch(live, after, fields));
    match cluster
        .answer(&message, api.patch(&path_segment(name), &parameters, &patch))
        .await?
    {
        Ok(trial) => Ok(Ok(plan::removal_differences(live, &trial, fields))),
        Err(kube::Error::Api(status)) => Ok(Err(*status)),
        Err(error) => Err(Error::cluster(message).cause(explain(&error))),
    }
}

/// Moves the fields of some managers to this field manager, in `metadata.managedFields` alone: the next apply removes those
/// that the manifest does not have. Returns whether there was anything to migrate.
///
/// # Errors
/// When the server refuses, or each attempt conflicts with another writer.
pub async fn migrate(
    cluster: &Cluster,
    api: &Api<DynamicObject>,
    object: &Object,
    mut stored: DynamicObject,
    managers: &[String],
) -> Result<bool> {
    let message = format!("cannot take over the fields of {}", object.title());
    let mut refusal = None;
    for _ in 0..MOST_ATTEMPTS {
        let Some(entries) = plan::migrated_entries(&stored, managers) else {
            return Ok(false);
        };
        let patch = json!({"metadata": {
            "uid": stored.metadata.uid, "resourceVersion": stored.metadata.resource_version, "managedFields": entries,
        }});
        let parameters = PatchParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let patch = Patch::Merge(&patch);
        let name = path_segment(object.name());
        let request = api.patch(&name, &parameters, &patch);
        match cluster.answer(&message, request).await? {
            Ok(_) => return Ok(true),
            Err(kube::Error::Api(status)) if status.code == 409 => {
                refusal = Some(status.message);
                stored = cluster.call(&message, api.get(&name)).await?;
            }
            Err(error) => return Err(Error::cluster(message).cause(explain(&error))),
        }
    }
    Err(Error::cluster(message).cause(refusal.unwrap_or_default()))
}
