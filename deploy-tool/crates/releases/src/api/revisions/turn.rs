//! Edge: whose turn it is: nobody begins a revision while somebody else is at work on one.

use kube::api::PostParams;

use super::{Held, history};
use crate::FIELD_MANAGER;
use crate::release::record;
use crate::release::{Deployer, History, Name, Record, Revision, State, Turn};
use cluster::Cluster;
use diagnostics::code;
use diagnostics::{Failure, Outcome};

/// Makes sure that nobody else is at work; marks what somebody has left unfinished as failed. Says which, if any.
///
/// # Errors
/// When somebody else is at work, or the server refuses.
pub async fn take_turn(
    cluster: &Cluster,
    release: &Name,
    history: &History,
    deployer: &Deployer,
) -> Outcome<Option<Revision>> {
    let left = match history.turn(deployer, cluster.now()) {
        Turn::Free => return Ok(None),
        Turn::Taken(record) => return Err(taken(release, &record)),
        Turn::TakeOver(left) => left,
    };
    let revision = Revision {
        state: State::Failed,
        message: "interrupted".to_owned(),
        finished: Some(cluster.now()),
        ..left.revision.clone()
    };
    let held = Held::new(cluster, release, left.revision.clone(), left.version.clone());
    match held.write(&revision).await? {
        Ok(()) => Ok(Some(revision)),
        Err(kube::Error::Api(status)) if status.code == 409 => Err(faster(release, revision.number)),
        Err(error) => Err(held.refused(&error)),
    }
}

/// Refuses early, before anything slow, what [`take_turn`] would refuse later.
///
/// # Errors
/// When somebody else is at work, or the server does not answer.
pub async fn refuse_taken(cluster: &Cluster, release: &Name, deployer: &Deployer) -> Outcome<()> {
    match history(cluster, release).await?.turn(deployer, cluster.now()) {
        Turn::Taken(record) => Err(taken(release, &record)),
        Turn::Free | Turn::TakeOver(_) => Ok(()),
    }
}

/// Writes the next revision as pending.
///
/// # Errors
/// When somebody else was faster, or the server refuses.
pub async fn begin<'a>(cluster: &'a Cluster, release: &Name, revision: Revision) -> Outcome<Held<'a>> {
    let secret = record::secret(release, &revision, cluster.now())?;
    let held = Held::new(cluster, release, revision, String::new());
    let parameters = PostParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PostParams::default()
    };
    let answer = cluster
        .answer(&held.what(), held.api().create(&parameters, &secret))
        .await?;
    match answer {
        Ok(created) => Ok(held.on_version(created.metadata.resource_version.unwrap_or_default())),
        // A request is sent again when its answer is lost: the second one finds what the first one has made.
        Err(kube::Error::Api(status)) if status.reason == "AlreadyExists" => {
            let name = record::secret_name(release, held.revision().number);
            let found = cluster.call(&held.what(), held.api().get_opt(&name)).await?;
            let found = found.as_ref().map(record::record).transpose()?;
            let made = |revision: &Revision| (revision.deployer.clone(), revision.created);
            match found.filter(|found| made(&found.revision) == made(held.revision())) {
                Some(ours) => Ok(held.on_version(ours.version)),
                None => Err(faster(release, held.revision().number)),
            }
        }
        Err(kube::Error::Api(status)) if status.code == 404 => {
            let namespace = &release.namespace;
            Err(
                Failure::input(format!("there is no namespace `{namespace}` for release {release}"))
                    .code(&code::release::NAMESPACE_MISSING)
                    .because("its revisions are kept there, and the manifests do not make it")
                    .next(format!(
                        "add the Namespace to the manifests, or create it: `kubectl create namespace {namespace}`"
                    )),
            )
        }
        Err(error) => Err(held.refused(&error)),
    }
}

fn taken(release: &Name, record: &Record) -> Failure {
    let Revision {
        number,
        reason,
        created,
        deployer,
        ..
    } = &record.revision;
    Failure::busy(format!("another deploy-tool is at work on release {release}"))
        .code(&code::release::TAKEN)
        .because(format!(
            "{deployer}, makes revision {number} (`{reason}`) since {created:.0}, and was alive at {:.0}",
            record.renewed
        ))
        .next("wait until it has ended, then run the same command again; when it is gone, 20 s are enough")
}

fn faster(release: &Name, number: u32) -> Failure {
    Failure::busy(format!("another deploy-tool is at work on release {release}"))
        .code(&code::release::TAKEN)
        .because(format!("it was faster with revision {number}"))
        .next("wait until it has ended, then run the same command again")
}
