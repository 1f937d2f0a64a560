//! Edge: the lock of a release: a process begins a revision only while no other one holds the lock.

use kube::api::PostParams;

use super::{ReleaseLease, read_history};
use crate::FIELD_MANAGER;
use crate::release::record;
use crate::release::{History, HolderIdentity, LockState, Name, Record, Revision, State};
use cluster::Cluster;
use diagnostics::code;
use diagnostics::{Error, Result};

/// Checks that no other process holds the lock, and marks an abandoned revision as failed. Returns its number, if any.
///
/// # Errors
/// When another process holds the lock, or the server refuses.
pub async fn acquire(
    cluster: &Cluster,
    release: &Name,
    history: &History,
    deployer: &HolderIdentity,
) -> Result<Option<Revision>> {
    let left = match history.lock_state(deployer, cluster.now()) {
        LockState::Free => return Ok(None),
        LockState::Held(record) => return Err(explain_lock(release, &record)),
        LockState::Abandoned(left) => left,
    };
    let revision = Revision {
        state: State::Failed,
        message: "interrupted".to_owned(),
        finished: Some(cluster.now()),
        ..left.revision.clone()
    };
    let lease = ReleaseLease::new(cluster, release, left.revision.clone(), left.version.clone());
    match lease.write(&revision).await? {
        Ok(()) => Ok(Some(revision)),
        Err(kube::Error::Api(status)) if status.code == 409 => Err(explain_race(release, revision.number)),
        Err(error) => Err(lease.explain_refusal(&error)),
    }
}

/// The same check before slow work, so that it fails early.
///
/// # Errors
/// When another process holds the lock, or the server does not answer.
pub async fn refuse_locked(cluster: &Cluster, release: &Name, deployer: &HolderIdentity) -> Result<()> {
    match read_history(cluster, release)
        .await?
        .lock_state(deployer, cluster.now())
    {
        LockState::Held(record) => Err(explain_lock(release, &record)),
        LockState::Free | LockState::Abandoned(_) => Ok(()),
    }
}

/// Writes the next revision as pending.
///
/// # Errors
/// When another process has created it first, or the server refuses.
pub async fn begin_revision<'a>(cluster: &'a Cluster, release: &Name, revision: Revision) -> Result<ReleaseLease<'a>> {
    let secret = record::secret(release, &revision, cluster.now())?;
    let lease = ReleaseLease::new(cluster, release, revision, String::new());
    let parameters = PostParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PostParams::default()
    };
    let answer = cluster
        .answer(&lease.task(), lease.api().create(&parameters, &secret))
        .await?;
    match answer {
        Ok(created) => Ok(lease.with_version(created.metadata.resource_version.unwrap_or_default())),
        // The client repeats a request whose answer was lost: the second one finds the Secret of the first.
        Err(kube::Error::Api(status)) if status.reason == "AlreadyExists" => {
            let name = record::secret_name(release, lease.revision().number);
            let found = cluster.call(&lease.task(), lease.api().get_opt(&name)).await?;
            let found = found.as_ref().map(record::record).transpose()?;
            let made = |revision: &Revision| (revision.deployer.clone(), revision.created);
            match found.filter(|found| made(&found.revision) == made(lease.revision())) {
                Some(own) => Ok(lease.with_version(own.version)),
                None => Err(explain_race(release, lease.revision().number)),
            }
        }
        Err(kube::Error::Api(status)) if status.code == 404 => {
            let namespace = &release.namespace;
            Err(
                Error::input(format!("there is no namespace `{namespace}` for release {release}"))
                    .code(&code::release::NAMESPACE_MISSING)
                    .cause("its revisions are kept there, and the manifests do not make it")
                    .hint(format!(
                        "add the Namespace to the manifests, or create it: `kubectl create namespace {namespace}`"
                    )),
            )
        }
        Err(error) => Err(lease.explain_refusal(&error)),
    }
}

fn explain_lock(release: &Name, record: &Record) -> Error {
    let Revision {
        number,
        reason,
        created,
        deployer,
        ..
    } = &record.revision;
    Error::busy(format!("release {release} is locked by another deploy-tool"))
        .code(&code::release::TAKEN)
        .cause(format!(
            "{deployer}, makes revision {number} (`{reason}`) since {created:.0}, and was alive at {:.0}",
            record.renewed
        ))
        .hint("wait until it has ended, then run the same command again; when it is gone, 20 s are enough")
}

fn explain_race(release: &Name, number: u32) -> Error {
    Error::busy(format!("release {release} is locked by another deploy-tool"))
        .code(&code::release::TAKEN)
        .cause(format!("it was faster with revision {number}"))
        .hint("wait until it has ended, then run the same command again")
}
