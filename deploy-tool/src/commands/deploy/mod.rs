//! What `up`, `apply` and `rollback` share: history → plan → permissions → revision → waves → wait → prune → history.

use std::collections::{BTreeMap, BTreeSet};

use self::rollout::Rollout;
use super::remove::PruneSet;
use super::wait;
use ::rollout::Target;
use cluster::Cluster;
use diagnostics::code;
use diagnostics::{Error, ExitStatus, Result};
use releases::api::discover::Kinds;
use releases::api::revisions::{self, ReleaseLease};
use releases::api::{plan, preflight, saved};
use releases::manifest::{self, Object, Wave};
use releases::plan::saved::Saved;
use releases::plan::{OnConflict, Plan, keep_completed_jobs, refuse_undecided};
use releases::release::{History, HolderIdentity, Identity, Name, Revision, State, refuse_another_release};
use terminal::Printer;

mod rollout;

/// A deployment.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// As which release.
    pub release: Name,
    /// The objects, with exact images.
    pub objects: Vec<Object>,
    /// The plan to be followed exactly, in place of one that is made from the objects now.
    pub saved: Option<Saved>,
    /// What for: `up`, `apply`, `rollback to 3`.
    pub reason: String,
}

/// How it is deployed.
#[derive(Clone, Debug)]
pub struct Options {
    /// Who deploys.
    pub deployer: HolderIdentity,
    /// How everything is waited for.
    pub wait: wait::Options,
    /// Whether to roll back when this does not become ready.
    pub rollback_on_failure: bool,
    /// What becomes of fields that others have set.
    pub on_conflict: OnConflict,
}

/// Deploys a release. Returns the targets of the wait.
///
/// # Errors
/// When another process has locked the release, an object is refused, or a target does not become ready.
pub async fn deploy(
    printer: &Printer,
    cluster: &Cluster,
    deployment: &Deployment,
    options: &Options,
) -> Result<Vec<Target>> {
    let release = &deployment.release;
    let mut kinds = Kinds::discover(cluster).await?;
    kinds.add_definitions(&deployment.objects);
    let history = match own_history(printer, cluster, release, &options.deployer).await {
        Ok(history) => history,
        Err(failure) => {
            let objects = deployment.objects.clone();
            return Err(preflight::explain_refusal(cluster, &kinds, release, objects, failure).await);
        }
    };
    let plan = current_plan(cluster, &mut kinds, deployment, options, &history).await?;
    let objects: Vec<Object> = plan.steps.iter().filter_map(|step| step.object.clone()).collect();
    revisions::refuse_unnamed(cluster, release, &objects).await?;
    refuse_another_release(release, &history, &objects)?;
    print_warnings(printer, &plan, &objects);
    let rollout = Rollout {
        cluster,
        release,
        plan: &plan,
        // Before anything goes: the claims of a StatefulSet are found by it, and a run that is interrupted must not lose them.
        dropped: PruneSet::from_plan(cluster, &plan).await?,
        wait: options.wait,
    };
    if plan.is_empty() && is_deployed(&history, &objects) {
        let targets = rollout.apply(printer, &mut kinds, &Wave::ALL, None).await?;
        printer.info("nothing changed: everything was there already");
        return Ok(targets);
    }
    preflight::require_permissions(cluster, &kinds, &plan).await?;
    rollout.await_deletions(printer, &kinds).await?;
    let waves = rollout.make_namespaces(printer, &mut kinds).await?;
    let mut revision = next_revision(cluster, &history, deployment, options, objects);
    revision.completed = rollout.completed_jobs(&history);
    revision.kept.extend(rollout.dropped.left.clone());
    let held = revisions::begin_revision(cluster, release, revision).await?;
    match held
        .hold_during(rollout.run(printer, &mut kinds, waves, &held, &history))
        .await
    {
        Ok(targets) => Ok(targets),
        Err(failure) if failure.number() == Some(&code::release::LOST) => Err(failure),
        Err(failure) => {
            let failed = record_failure(held, failure).await?;
            roll_back_if_asked(printer, cluster, deployment, options, &history, failed).await
        }
    }
}

/// The plan of a deployment: the saved one if it is still right, else a new one.
async fn current_plan(
    cluster: &Cluster,
    kinds: &mut Kinds,
    deployment: &Deployment,
    options: &Options,
    history: &History,
) -> Result<Plan> {
    if let Some(plan) = &deployment.saved {
        return saved::refuse_stale(cluster, kinds, plan.clone()).await;
    }
    let (objects, inventory) = (deployment.objects.clone(), history.inventory());
    let release = &deployment.release;
    let mut plan = plan::make_plan(cluster, kinds, release, objects, &inventory, options.on_conflict).await?;
    keep_completed_jobs(&mut plan, history);
    refuse_undecided(&plan, cluster.now())?;
    Ok(plan)
}

fn print_warnings(printer: &Printer, plan: &Plan, objects: &[Object]) {
    for step in &plan.steps {
        let notes = step.notes.iter().filter(|_| !step.left_alone.is_empty());
        notes.for_each(|note| printer.warning(&format!("{}: {note}", step.identity.title())));
    }
    for object in objects {
        if let Some(warning) = manifest::sidecar_warning(object) {
            printer.warning(&format!("{}: {warning}", object.title()));
        }
    }
}

/// A revision that has failed, and why.
struct FailedRevision {
    number: u32,
    error: Error,
}

/// Records that a revision has failed.
async fn record_failure(held: ReleaseLease<'_>, error: Error) -> Result<FailedRevision> {
    let Revision { inventory, kept, .. } = held.revision().clone();
    let recorded = held.finish(State::from_failure(&error), error.message(), inventory, kept);
    match recorded.await {
        Ok(Revision { number, .. }) => Ok(FailedRevision { number, error }),
        Err(record_failure) => Err(error.cause(format!("and the failure could not be recorded: {record_failure}"))),
    }
}

/// Brings back what ran before, if that is asked for, and fails with the reason of the revision that did not come up.
async fn roll_back_if_asked(
    printer: &Printer,
    cluster: &Cluster,
    deployment: &Deployment,
    options: &Options,
    history: &History,
    failed: FailedRevision,
) -> Result<Vec<Target>> {
    // An undecided rollout may still become ready, so it is not rolled back.
    let is_decided = failed.error.status != ExitStatus::Undecided;
    // After a `down` nothing ran that could be brought back.
    let has_run = history.newest_deployed().is_some_and(Revision::is_restorable);
    match history.rollback_candidate() {
        Some(before) if options.rollback_on_failure && is_decided && has_run => {
            roll_back(printer, cluster, deployment, options, before, failed).await
        }
        Some(before) => Err(failed.error.hint(format!(
            "go back to revision {}: `deploy-tool rollback {0}`",
            before.number
        ))),
        None => Err(failed.error),
    }
}

/// The history of a release, if no other process has locked it.
///
/// # Errors
/// When one has.
pub async fn own_history(
    printer: &Printer,
    cluster: &Cluster,
    release: &Name,
    deployer: &HolderIdentity,
) -> Result<History> {
    let history = revisions::read_history(cluster, release).await?;
    match revisions::acquire(cluster, release, &history, deployer).await? {
        None => Ok(history),
        Some(left) => {
            printer.info(&format!(
                "revision {} of {} was interrupted: this goes on from what it left",
                left.number, left.deployer
            ));
            revisions::read_history(cluster, release).await
        }
    }
}

/// The revision that follows, as it is before anything is applied.
fn next_revision(
    cluster: &Cluster,
    history: &History,
    deployment: &Deployment,
    options: &Options,
    objects: Vec<Object>,
) -> Revision {
    let identities: BTreeSet<Identity> = objects.iter().map(Object::identity).collect();
    Revision {
        number: history.next_number(),
        state: State::Pending,
        reason: deployment.reason.clone(),
        message: String::new(),
        created: cluster.now(),
        finished: None,
        deployer: options.deployer.clone(),
        kept: &history.kept() - &identities,
        inventory: &history.inventory() | &identities,
        objects: objects.into_iter().map(|object| object.value).collect(),
        completed: BTreeSet::new(),
    }
}

/// Whether the newest revision was deployed successfully with exactly these objects.
fn is_deployed(history: &History, objects: &[Object]) -> bool {
    let Some(newest) = history.newest().filter(|newest| newest.state == State::Deployed) else {
        return false;
    };
    let stored: BTreeMap<Identity, Object> = newest
        .manifests()
        .into_iter()
        .map(|object| (object.identity(), object))
        .collect();
    let is_stored = |object: &Object| {
        stored
            .get(&object.identity())
            .is_some_and(|stored| stored.value == object.value)
    };
    stored.len() == objects.len() && objects.iter().all(is_stored)
}

/// Applies the revision that came up before, and fails with the reason of the one that did not.
async fn roll_back(
    printer: &Printer,
    cluster: &Cluster,
    deployment: &Deployment,
    options: &Options,
    before: &Revision,
    failed: FailedRevision,
) -> Result<Vec<Target>> {
    let FailedRevision { number, error } = failed;
    printer.warning(&format!(
        "revision {number} does not come up: back to revision {}",
        before.number
    ));
    let back = Deployment {
        release: deployment.release.clone(),
        objects: before.manifests(),
        saved: None,
        reason: format!("rollback to {} after failure of {number}", before.number),
    };
    let options = Options {
        rollback_on_failure: false,
        on_conflict: match options.on_conflict {
            OnConflict::TakeOver => OnConflict::TakeOver,
            OnConflict::Ask | OnConflict::KeepReplicas => OnConflict::KeepReplicas,
        },
        ..options.clone()
    };
    match Box::pin(deploy(printer, cluster, &back, &options)).await {
        Ok(_) => Err(error.hint(format!(
            "revision {} runs again; fix the cause, then run the same command again",
            before.number
        ))),
        Err(second) => Err(error
            .cause(format!(
                "and revision {} could not be brought back: {second}",
                before.number
            ))
            .hint(format!("try that again: `deploy-tool rollback {}`", before.number))),
    }
}
