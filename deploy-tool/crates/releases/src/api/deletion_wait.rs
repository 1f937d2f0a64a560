//! Edge: waits for the deletion of objects that are created again afterwards.

use std::time::Duration;

use futures::future::join_all;
use kube::api::DynamicObject;

use super::delete::{DeletionTarget, await_deletion, describe_holders};
use super::discover::Kinds;
use crate::release::Identity;
use cluster::Cluster;
use diagnostics::code::rollout::HELD;
use diagnostics::{Error, ExitStatus, Result};
use terminal::Progress;

/// Waits until these objects are gone.
///
/// # Errors
/// When one still exists after the limit. With `is_decided` that is a failure, else only undecided.
pub async fn await_deletions<'o>(
    cluster: &Cluster,
    kinds: &Kinds,
    leaving: impl IntoIterator<Item = (&'o Identity, &'o DynamicObject)>,
    progress: &Progress,
    limit: Duration,
    is_decided: bool,
) -> Result<()> {
    let waits = leaving.into_iter().filter_map(|(identity, object)| {
        let api = kinds.api(cluster, identity)?;
        let target = DeletionTarget::new(identity, object);
        progress.activity(&format!("{}: {}", identity.title(), describe_holders(object)));
        Some(async move {
            let left = tokio::time::timeout(limit, await_deletion(&api, &target)).await;
            left.err().map(|_| (identity, object))
        })
    });
    let left: Vec<(&Identity, &DynamicObject)> = join_all(waits).await.into_iter().flatten().collect();
    let held = left.iter().find_map(|(identity, object)| {
        rollout::diagnose_deletion(&identity.title(), &resource_argument(identity), &object.metadata)
    });
    let Some((first, _)) = left.first() else {
        return Ok(());
    };
    let mut failure = match held {
        Some(held) => held.into_error(&[]),
        None => Error::cluster(format!("{} is still being deleted", first.title())).code(&HELD),
    };
    if !is_decided {
        failure.status = ExitStatus::Undecided;
    }
    let lines = left
        .iter()
        .map(|(identity, object)| format!("{}: {}", identity.title(), describe_holders(object)));
    Err(failure
        .cause(format!("it has not gone within {} s", limit.as_secs()))
        .detail(lines.collect::<Vec<_>>().join("\n"))
        .hint("run the same command again once it is gone: it makes it again"))
}

/// What kubectl calls the kind.
fn resource_argument(identity: &Identity) -> String {
    let kind = identity.kind.to_ascii_lowercase();
    if identity.group.contains('.') {
        format!("{kind}.{}.{}", identity.version, identity.group)
    } else {
        kind
    }
}
