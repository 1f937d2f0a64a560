//! What `up`, `apply` and `rollback` share: history → plan → permissions → revision → waves → wait → prune → history.

use std::collections::BTreeSet;
use std::time::Duration;

use super::remove::{self, PruneSet};
use super::wait;
use cluster::Cluster;
use diagnostics::code;
use diagnostics::{Error, ExitStatus, Result};
use releases::api::apply::{Applied, Change, apply_wave};
use releases::api::discover::Kinds;
use releases::api::revisions;
use releases::api::revisions::ReleaseLease;
use releases::api::{crd_conditions, deletion_wait, plan, preflight, saved};
use releases::manifest::{self, Object, Wave};
use releases::plan::saved::Saved;
use releases::plan::{Action, OnConflict, Plan, Untried, keep_completed_jobs, refuse_undecided};
use releases::release::{History, HolderIdentity, Identity, Name, Revision, State, refuse_another_release};
use rollout::{Target, thresholds};
use terminal::{Printer, Progress};

/// How long what is pruned may take to go.
const PRUNE_LIMIT: Duration = Duration::from_secs(5 * 60);

/// What is to be deployed.
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
    /// Whether what ran before comes back when this does not come up.
    pub rollback_on_failure: bool,
    /// What becomes of fields that others have set.
    pub on_conflict: OnConflict,
}

/// Deploys a release. Returns what was waited for.
///
/// # Errors
/// When somebody else is at work on it, an object is refused, or something does not come up.
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
    let plan = match &deployment.saved {
        Some(plan) => saved::refuse_stale(cluster, &mut kinds, plan.clone()).await?,
        None => {
            let (objects, inventory) = (deployment.objects.clone(), history.inventory());
            let mut plan =
                plan::make_plan(cluster, &mut kinds, release, objects, &inventory, options.on_conflict).await?;
            keep_completed_jobs(&mut plan, &history);
            refuse_undecided(&plan, cluster.now())?;
            plan
        }
    };
    let objects: Vec<Object> = plan.steps.iter().filter_map(|step| step.object.clone()).collect();
    revisions::refuse_unnamed(cluster, release, &objects).await?;
    refuse_another_release(release, &history, &objects)?;
    for step in &plan.steps {
        let notes = step.notes.iter().filter(|_| !step.left_alone.is_empty());
        notes.for_each(|note| printer.warning(&format!("{}: {note}", step.identity.title())));
    }
    for object in &objects {
        if let Some(warning) = manifest::sidecar_warning(object) {
            printer.warning(&format!("{}: {warning}", object.title()));
        }
    }
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
        printer.say("nothing changed: everything was there already");
        return Ok(targets);
    }
    preflight::require_permissions(cluster, &kinds, &plan).await?;
    rollout.await_deletions(printer, &kinds).await?;
    let waves = rollout.make_namespaces(printer, &mut kinds).await?;
    let mut revision = next_revision(cluster, &history, deployment, options, objects);
    revision.completed = rollout.completed_jobs(&history);
    revision.kept.extend(rollout.dropped.left.clone());
    let held = revisions::begin_revision(cluster, release, revision).await?;
    let failure = match held
        .hold_during(rollout.run(printer, &mut kinds, waves, &held, &history))
        .await
    {
        Ok(targets) => return Ok(targets),
        Err(failure) => failure,
    };
    if failure.number() == Some(&code::release::LOST) {
        return Err(failure);
    }
    let Revision {
        inventory,
        kept,
        number,
        ..
    } = held.revision().clone();
    held.finish(State::Failed, failure.message(), inventory, kept).await?;
    // What is not decided may still come up: nothing of it is undone.
    let is_decided = failure.status != ExitStatus::Undecided;
    match history.deployed_before(None) {
        Some(before) if options.rollback_on_failure && is_decided => {
            roll_back(printer, cluster, deployment, options, before, number, failure).await
        }
        Some(before) => Err(failure.hint(format!(
            "go back to revision {}: `deploy-tool rollback {0}`",
            before.number
        ))),
        None => Err(failure),
    }
}

/// The history of a release on which nobody else is at work.
///
/// # Errors
/// When somebody is.
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
            printer.say(&format!(
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

/// Whether the newest revision has come up with exactly these objects.
fn is_deployed(history: &History, objects: &[Object]) -> bool {
    let Some(newest) = history.newest().filter(|newest| newest.state == State::Deployed) else {
        return false;
    };
    newest.objects.len() == objects.len() && objects.iter().all(|object| newest.objects.contains(&object.value))
}

/// Applies the revision that came up before, and fails with the reason of the one that did not.
async fn roll_back(
    printer: &Printer,
    cluster: &Cluster,
    deployment: &Deployment,
    options: &Options,
    before: &Revision,
    failed: u32,
    failure: Error,
) -> Result<Vec<Target>> {
    printer.warning(&format!(
        "revision {failed} does not come up: back to revision {}",
        before.number
    ));
    let back = Deployment {
        release: deployment.release.clone(),
        objects: before.manifests(),
        saved: None,
        reason: format!("rollback to {} after failure of {failed}", before.number),
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
        Ok(_) => Err(failure.hint(format!(
            "revision {} runs again; fix the cause, then run the same command again",
            before.number
        ))),
        Err(second) => Err(failure
            .cause(format!(
                "and revision {} could not be brought back: {second}",
                before.number
            ))
            .hint(format!("try that again: `deploy-tool rollback {}`", before.number))),
    }
}

/// A plan on its way into the cluster.
struct Rollout<'a> {
    cluster: &'a Cluster,
    release: &'a Name,
    plan: &'a Plan,
    dropped: PruneSet,
    wait: wait::Options,
}

impl Rollout<'_> {
    /// What somebody has deleted and the manifests have, has to be gone before it is made again.
    async fn await_deletions(&self, printer: &Printer, kinds: &Kinds) -> Result<()> {
        let count = self.plan.leaving().count();
        if count == 0 {
            return Ok(());
        }
        let fail_fast = self.wait.policy.fail_fast;
        let limit = match self.wait.limit {
            _ if fail_fast => thresholds::HELD.unsigned_abs(),
            Some(limit) => limit,
            None => thresholds::STALL.unsigned_abs(),
        };
        let is_decided = fail_fast || self.wait.limit.is_none();
        let gone = async |progress: &Progress| {
            deletion_wait::await_deletions(self.cluster, kinds, self.plan.leaving(), progress, limit, is_decided)
                .await?;
            progress.outcome(format!("gone, and made again: {count} objects that were being deleted"));
            Ok(())
        };
        printer.step("objects that are being deleted", gone).await
    }

    /// The Jobs that have ended in the revision before, and are not run again.
    fn completed_jobs(&self, history: &History) -> BTreeSet<Identity> {
        let objects = self
            .plan
            .steps
            .iter()
            .filter(|step| step.action == Action::Keep && step.live.is_none());
        let objects = objects.filter_map(|step| step.object.as_ref());
        let completed = objects.filter(|object| history.completed_in(object).is_some());
        completed.map(Object::identity).collect()
    }

    /// The revision is kept in the release's namespace: where that is new, it comes before the revision. What goes into new
    /// namespaces is tried then, before any of it is written. Returns the waves that are left.
    async fn make_namespaces(&self, printer: &Printer, kinds: &mut Kinds) -> Result<&'static [Wave]> {
        let mut steps = self.plan.steps.iter();
        let [first, rest @ ..] = &Wave::ALL;
        if !steps.any(|step| step.action == Action::Create && step.wave == *first) {
            return Ok(&Wave::ALL);
        }
        let apply = async |progress: &Progress| {
            let applied = apply_wave(self.cluster, kinds, self.plan, *first, progress).await?;
            plan::try_again(self.cluster, kinds, self.plan, &[Untried::Namespace])
                .await
                .map_err(|failure| failure.hint("nothing but the new namespaces has been made"))?;
            progress.outcome(summary("namespaces", &applied));
            Ok(rest.as_slice())
        };
        printer.step("namespaces", apply).await
    }

    async fn run(
        &self,
        printer: &Printer,
        kinds: &mut Kinds,
        waves: &[Wave],
        held: &ReleaseLease<'_>,
        history: &History,
    ) -> Result<Vec<Target>> {
        // At the start: deployments that fail again and again add up to no more than those that come up.
        revisions::delete_records(self.cluster, self.release, history.expired_records()).await?;
        let targets = self.apply(printer, kinds, waves, Some(held)).await?;
        self.prune(printer, kinds).await?;
        let inventory: BTreeSet<Identity> = self
            .plan
            .steps
            .iter()
            .filter(|step| step.object.is_some())
            .map(|step| step.identity.clone())
            .collect();
        let kept = &held.revision().kept - &inventory;
        held.finish(State::Deployed, "", inventory, kept).await?;
        Ok(targets)
    }

    /// Applies one wave after the other, then waits for everything. `held`: where it is kept that Jobs have ended.
    async fn apply(
        &self,
        printer: &Printer,
        kinds: &mut Kinds,
        waves: &[Wave],
        held: Option<&ReleaseLease<'_>>,
    ) -> Result<Vec<Target>> {
        let since = self.cluster.now();
        let apply = async |progress: &Progress| {
            let mut applied = Vec::new();
            for &wave in waves {
                if wave == Wave::Admission && self.has_waiting_for_webhook() {
                    wait::for_targets(
                        self.cluster,
                        progress,
                        &targets(&applied),
                        since,
                        self.wait.before_more(),
                    )
                    .await?;
                }
                let of_wave = apply_wave(self.cluster, kinds, self.plan, wave, progress).await?;
                let is_new = of_wave.iter().any(|applied| applied.change != Change::Unchanged);
                if wave == Wave::Databases && is_new {
                    let wait = self.wait.before_more();
                    wait::for_targets(self.cluster, progress, &targets(&of_wave), since, wait).await?;
                }
                if wave == Wave::Definitions {
                    plan::try_again(self.cluster, kinds, self.plan, &[Untried::Kind]).await?;
                }
                applied.extend(of_wave);
            }
            progress.outcome(summary("objects", &applied));
            Ok(applied)
        };
        let title = format!("objects of release {}", self.release);
        let applied = printer.step(&title, apply).await?;
        let mut targets = targets(&applied);
        crd_conditions::read_declared_conditions(self.cluster, kinds, &mut targets).await;
        let note = async |target: &Target| {
            let is_it = |job: &&Applied| Target::from_object(&job.stored).is_some_and(|found| found.uid == target.uid);
            match (held, applied.iter().find(is_it)) {
                (Some(held), Some(job)) => held.complete(job.object.identity()).await,
                _ => Ok(()),
            }
        };
        let ready = async |progress: &Progress| {
            let sentence =
                wait::for_targets_noting_ends(self.cluster, progress, &targets, since, self.wait, note).await?;
            progress.outcome(format!("ready: {sentence}"));
            Ok(())
        };
        printer.step("ready", ready).await?;
        Ok(targets)
    }

    /// Whether there are objects that a webhook of this release checks, which does not answer so far.
    fn has_waiting_for_webhook(&self) -> bool {
        self.plan
            .steps
            .iter()
            .any(|step| step.untried == Some(Untried::Webhook))
    }

    /// Deletes what the manifests have no longer, but for data.
    async fn prune(&self, printer: &Printer, kinds: &Kinds) -> Result<()> {
        let dropped = &self.dropped;
        if !dropped.doomed.is_empty() {
            let limit = self.wait.limit.unwrap_or(PRUNE_LIMIT);
            let prune = async |progress: &Progress| {
                let removed = dropped.remove(self.cluster, kinds, progress, limit).await?;
                progress.outcome(format!("pruned {}", remove::titles(&removed)));
                Ok(())
            };
            printer.step("what the manifests have no longer", prune).await?;
        }
        dropped.give_up_shared(self.cluster, kinds, self.release).await?;
        for note in &dropped.notes {
            printer.say(note);
        }
        Ok(())
    }
}

fn summary(what: &str, applied: &[Applied]) -> String {
    let titles = |change: Change| -> Vec<String> {
        let of_change = applied.iter().filter(|applied| applied.change == change);
        of_change.map(|applied| applied.object.title()).collect()
    };
    let (created, changed) = (titles(Change::Created), titles(Change::Changed));
    let unchanged = titles(Change::Unchanged).len();
    let mut parts = Vec::new();
    if !created.is_empty() {
        parts.push(format!("created {}", created.join(", ")));
    }
    if !changed.is_empty() {
        parts.push(format!("changed {}", changed.join(", ")));
    }
    if unchanged > 0 {
        parts.push(format!("{unchanged} unchanged"));
    }
    if parts.is_empty() {
        parts.push("no others".to_owned());
    }
    format!("{what}: {}", parts.join("; "))
}

/// What is waited for, with the generation that was stored.
fn targets(applied: &[Applied]) -> Vec<Target> {
    applied
        .iter()
        .filter_map(|applied| Some(Target::from_object(&applied.stored)?.with_manifest(&applied.object.value.data)))
        .collect()
}
