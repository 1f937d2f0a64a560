//! Executes a plan: applies one wave of objects after the other, waits, and prunes.

use std::collections::BTreeSet;
use std::time::Duration;

use ::rollout::{Target, thresholds};
use cluster::Cluster;
use diagnostics::Result;
use releases::api::apply::{Applied, Change, apply_wave};
use releases::api::discover::Kinds;
use releases::api::revisions;
use releases::api::revisions::ReleaseLease;
use releases::api::{crd_conditions, deletion_wait, plan};
use releases::manifest::{Object, Wave};
use releases::plan::{Action, Plan, Untried};
use releases::release::{History, Identity, Name, State};
use terminal::{Printer, Progress};

use super::super::remove::{self, PruneSet};
use super::super::wait;

/// Time limit for the deletion of pruned objects.
const PRUNE_LIMIT: Duration = Duration::from_secs(5 * 60);

/// The execution of a plan.
pub(super) struct Rollout<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) release: &'a Name,
    pub(super) plan: &'a Plan,
    pub(super) dropped: PruneSet,
    pub(super) wait: wait::Options,
}

impl Rollout<'_> {
    /// Waits for terminating objects of the manifests: they can only be created again afterwards.
    pub(super) async fn await_deletions(&self, printer: &Printer, kinds: &Kinds) -> Result<()> {
        let count = self.plan.terminating_objects().count();
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
            deletion_wait::await_deletions(
                self.cluster,
                kinds,
                self.plan.terminating_objects(),
                progress,
                limit,
                is_decided,
            )
            .await?;
            progress.outcome(format!("gone, and made again: {count} objects that were being deleted"));
            Ok(())
        };
        printer.step("objects that are being deleted", gone).await
    }

    /// The Jobs that have ended in the revision before, and are not run again.
    pub(super) fn completed_jobs(&self, history: &History) -> BTreeSet<Identity> {
        let objects = self
            .plan
            .steps
            .iter()
            .filter(|step| step.action == Action::Keep && step.live.is_none());
        let objects = objects.filter_map(|step| step.object.as_ref());
        let completed = objects.filter(|object| history.completed_in(object).is_some());
        completed.map(Object::identity).collect()
    }

    /// Creates new namespaces first: the revision is stored in the namespace of the release. Then the dry runs of objects in
    /// new namespaces are possible, before any of them is applied. Returns the remaining waves.
    pub(super) async fn make_namespaces(&self, printer: &Printer, kinds: &mut Kinds) -> Result<&'static [Wave]> {
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

    pub(super) async fn run(
        &self,
        printer: &Printer,
        kinds: &mut Kinds,
        waves: &[Wave],
        held: &ReleaseLease<'_>,
        history: &History,
    ) -> Result<Vec<Target>> {
        // At the start, so that the number of records is also limited when all deployments fail.
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
    pub(super) async fn apply(
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
                    wait::await_targets(
                        self.cluster,
                        progress,
                        &targets(&applied),
                        since,
                        self.wait.before_further_waves(),
                    )
                    .await?;
                }
                let of_wave = apply_wave(self.cluster, kinds, self.plan, wave, progress).await?;
                let is_new = of_wave.iter().any(|applied| applied.change != Change::Unchanged);
                if wave == Wave::Databases && is_new {
                    let wait = self.wait.before_further_waves();
                    wait::await_targets(self.cluster, progress, &targets(&of_wave), since, wait).await?;
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
            let is_target =
                |job: &&Applied| Target::from_object(&job.stored).is_some_and(|found| found.uid == target.uid);
            match (held, applied.iter().find(is_target)) {
                (Some(held), Some(job)) => held.complete(job.object.identity()).await,
                _ => Ok(()),
            }
        };
        let ready = async |progress: &Progress| {
            let sentence = wait::await_targets_with(self.cluster, progress, &targets, since, self.wait, note).await?;
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
    pub(super) async fn prune(&self, printer: &Printer, kinds: &Kinds) -> Result<()> {
        let dropped = &self.dropped;
        if !dropped.to_delete.is_empty() {
            let limit = self.wait.limit.unwrap_or(PRUNE_LIMIT);
            let prune = async |progress: &Progress| {
                let removed = dropped.remove(self.cluster, kinds, progress, limit).await?;
                progress.outcome(format!("pruned {}", remove::titles(&removed)));
                Ok(())
            };
            printer.step("what the manifests have no longer", prune).await?;
        }
        dropped.release_shared_claims(self.cluster, kinds, self.release).await?;
        for note in dropped.notes.iter().chain(&dropped.data_notes) {
            printer.info(note);
        }
        Ok(())
    }
}

fn summary(subject: &str, applied: &[Applied]) -> String {
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
    format!("{subject}: {}", parts.join("; "))
}

/// The targets of the wait, with their stored generation.
fn targets(applied: &[Applied]) -> Vec<Target> {
    applied
        .iter()
        .filter_map(|applied| Some(Target::from_object(&applied.stored)?.with_manifest(&applied.object.value.data)))
        .collect()
}
