//! Edge: deletes objects, step by step, and waits for the end of the deletion.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::join_all;
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::api::{DeleteParams, DynamicObject, ListParams, Preconditions};
use kube::{Api, ResourceExt};
use tokio::time::Instant;

use crate::api::change_event::describe_change;
use crate::api::discover::{Kinds, UNREACHABLE_HINT};
use crate::manifest::{RemovalStep, removal_step};
use crate::release::{Identity, Name, claiming_releases, claims_of};
use cluster::PARALLEL_REQUESTS;
use cluster::client::explain;
use cluster::{Cluster, await_condition, list, path_segment};
use diagnostics::code;
use diagnostics::{Error, Result};
use terminal::{Action, Progress};

/// An object to delete, by its uid: an object of the same name that was created later is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct DeletionTarget {
    /// Which.
    pub identity: Identity,
    /// Its uid.
    pub uid: String,
    /// The releases that have claimed it, if it is cluster-scoped.
    pub claimed_by: BTreeSet<Name>,
}

impl DeletionTarget {
    /// An object that was read.
    pub fn new(identity: &Identity, live: &DynamicObject) -> Self {
        Self {
            identity: identity.clone(),
            uid: live.uid().unwrap_or_default(),
            claimed_by: claiming_releases(live),
        }
    }
}

/// Deletes objects and waits until they are gone. Returns those that were deleted by this call.
///
/// # Errors
/// When the server refuses, or an object still exists after the time limit.
pub async fn delete_all(
    cluster: &Cluster,
    kinds: &Kinds,
    progress: &Progress,
    targets: Vec<DeletionTarget>,
    limit: Duration,
) -> Result<Vec<Identity>> {
    let deadline = Instant::now() + limit;
    let mut steps: BTreeMap<RemovalStep, Vec<DeletionTarget>> = BTreeMap::new();
    for target in targets {
        let step = removal_step(&target.identity.group, &target.identity.kind);
        steps.entry(step).or_default().push(target);
    }
    let mut removed = Vec::new();
    for ((_, Reverse(wave)), targets) in steps {
        let resolved = targets
            .iter()
            .filter_map(|target| Some((kinds.api(cluster, &target.identity)?, target)));
        let resolved: Vec<_> = resolved.collect();
        let deletions = stream::iter(resolved).map(|(api, target)| async move {
            progress.activity(&target.identity.title());
            let is_accepted = delete(cluster, &api, target).await?;
            if is_accepted {
                progress.changed(describe_change(Action::Deleted, wave, &target.identity));
            }
            Result::Ok(is_accepted.then_some((api, target)))
        });
        let deletions: Vec<_> = deletions.buffered(PARALLEL_REQUESTS).try_collect().await?;
        let deletions: Vec<_> = deletions.into_iter().flatten().collect();
        let all_gone = join_all(deletions.iter().map(|(api, target)| await_deletion(api, target)));
        if tokio::time::timeout_at(deadline, all_gone).await.is_err() {
            return Err(explain_timeout(cluster, &deletions, limit).await);
        }
        removed.extend(deletions.into_iter().map(|(_, target)| target.identity.clone()));
    }
    Ok(removed)
}

/// Requests the deletion of an object, in the foreground: after its dependents. False when it is gone already.
async fn delete(cluster: &Cluster, api: &Api<DynamicObject>, target: &DeletionTarget) -> Result<bool> {
    let message = format!("cannot delete {}", target.identity.title());
    let preconditions = Preconditions {
        uid: Some(target.uid.clone()),
        resource_version: None,
    };
    let parameters = DeleteParams::foreground().preconditions(preconditions);
    match cluster
        .answer(&message, api.delete(&path_segment(&target.identity.name), &parameters))
        .await?
    {
        Ok(_) => Ok(true),
        // A conflict: what has the name now is another object.
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(false),
        Err(error) => Err(Error::cluster(message).cause(explain(&error))),
    }
}

/// Waits until an object is gone, without a limit: the caller sets the deadline. Polls where the user may not watch.
pub(super) async fn await_deletion(api: &Api<DynamicObject>, target: &DeletionTarget) {
    let absent =
        |object: Option<&DynamicObject>| object.is_none_or(|object| object.uid().as_deref() != Some(&target.uid));
    await_condition(api, &target.identity.name, absent, &mut None).await;
}

/// The error that names the objects which still exist, and what delays their deletion.
async fn explain_timeout(
    cluster: &Cluster,
    deletions: &[(Api<DynamicObject>, &DeletionTarget)],
    limit: Duration,
) -> Error {
    let (mut held, mut is_unknown) = (Vec::new(), false);
    for (api, target) in deletions {
        let message = format!("cannot read {}", target.identity.title());
        match cluster
            .call(&message, api.get_opt(&path_segment(&target.identity.name)))
            .await
        {
            Ok(None) => {}
            Ok(Some(found)) => {
                is_unknown |= has_unreachable_group(&found);
                held.push(format!("{}: {}", target.identity.title(), describe_holders(&found)));
            }
            Err(failure) => held.push(failure.to_string()),
        }
    }
    let failure = Error::cluster(format!("not everything is gone within {} s", limit.as_secs()))
        .code(&code::release::NOT_GONE)
        .detail(held.join("\n"));
    let failure = if is_unknown {
        failure.hint(UNREACHABLE_HINT)
    } else {
        failure
    };
    failure.hint("start the program that the finalizer belongs to, or wait longer with --timeout; then run the same command again")
}

/// Whether the deletion of a namespace waits for an API group whose server is unreachable.
/// <https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/namespace/deletion/status_condition_utils.go>
fn has_unreachable_group(found: &DynamicObject) -> bool {
    let conditions = found.data.pointer("/status/conditions").and_then(|all| all.as_array());
    let mut conditions = conditions.into_iter().flatten();
    conditions.any(|condition| {
        let is_true = condition["status"] == "True";
        is_true && condition["type"] == "NamespaceDeletionDiscoveryFailure"
    })
}

pub(super) fn describe_holders(found: &DynamicObject) -> String {
    let finalizers = found.finalizers();
    let mut text = if finalizers.is_empty() {
        "on its way out".to_owned()
    } else {
        format!("held by the finalizer {}", finalizers.join(", "))
    };
    // The conditions of a namespace name what is left in it.
    let conditions = found.data.pointer("/status/conditions").and_then(|all| all.as_array());
    for condition in conditions.into_iter().flatten() {
        if condition["status"] == "True"
            && let Some(message) = condition["message"].as_str()
        {
            text.push_str(&format!("; {message}"));
        }
    }
    text
}

/// The volume claims that the controller of a StatefulSet has made.
///
/// # Errors
/// When the server does not answer.
pub async fn list_claims(cluster: &Cluster, set: &DynamicObject) -> Result<Vec<Identity>> {
    let Some(namespace) = set.namespace() else {
        return Ok(Vec::new());
    };
    let api: Api<PersistentVolumeClaim> = Api::namespaced(cluster.client.clone(), &namespace);
    let message = format!("cannot list the volume claims of namespace `{namespace}`");
    let names = list::extract(cluster, &api, &ListParams::default(), &message, |claim| {
        claim.metadata.name
    })
    .await?;
    Ok(claims_of(set, &names))
}
