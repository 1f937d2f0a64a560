//! Deleting what a release has made: what goes, what stays, and why. Shared by prune and `down`.

use std::collections::BTreeSet;
use std::time::Duration;

use cluster::Cluster;
use diagnostics::Outcome;
use releases::api::delete;
use releases::api::delete::DeletionTarget;
use releases::api::discover::Kinds;
use releases::api::revisions;
use releases::plan::{Action, Plan};
use releases::release::{Identity, Name};
use terminal::Progress;

/// What a release has made and its manifests have no longer.
pub struct PruneSet {
    /// What goes.
    pub doomed: Vec<DeletionTarget>,
    /// The data that stays.
    pub left: BTreeSet<Identity>,
    /// What is to be said about what stays.
    pub notes: Vec<String>,
}

impl PruneSet {
    /// That of a plan. The claims of a StatefulSet stay when it goes.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn from_plan(cluster: &Cluster, plan: &Plan) -> Outcome<Self> {
        let mut dropped = Self {
            doomed: Vec::new(),
            left: BTreeSet::new(),
            notes: Vec::new(),
        };
        for step in plan.steps.iter().filter(|step| step.object.is_none()) {
            let Some(live) = &step.live else { continue };
            if step.action != Action::Prune {
                dropped.left.insert(step.identity.clone());
                let notes = step
                    .notes
                    .iter()
                    .map(|note| format!("{}: {note}", step.identity.title()));
                dropped.notes.extend(notes);
                continue;
            }
            dropped.doomed.push(DeletionTarget::new(&step.identity, live));
            if step.identity.kind == "StatefulSet" {
                dropped.left.extend(delete::list_claims(cluster, live).await?);
            }
        }
        Ok(dropped)
    }

    /// Deletes what goes.
    ///
    /// # Errors
    /// When the server refuses, or something does not go in time.
    pub async fn remove(
        &self,
        cluster: &Cluster,
        kinds: &Kinds,
        progress: &Progress,
        limit: Duration,
    ) -> Outcome<Vec<Identity>> {
        delete::delete_all(cluster, kinds, progress, self.doomed.clone(), limit).await
    }
}

/// Keeps what belongs to the whole cluster and is in the inventory of another release as well.
///
/// # Errors
/// When the server does not answer.
pub async fn spare_shared(cluster: &Cluster, plan: &mut Plan) -> Outcome<()> {
    let release = plan.release.clone();
    let of_cluster = plan
        .steps
        .iter_mut()
        .filter(|step| step.action == Action::Prune && step.identity.namespace.is_none());
    let of_cluster: Vec<_> = of_cluster.collect();
    if of_cluster.is_empty() {
        return Ok(());
    }
    let others = revisions::owned_by_others(cluster, &release).await?;
    for step in of_cluster {
        let why = match &others {
            Some(others) if !others.contains(&step.identity) => continue,
            Some(_) => "left: another release has it, too",
            None => "left: another release may have it, and this user may not look (list Secrets of all namespaces)",
        };
        step.action = Action::Keep;
        step.notes.push(why.to_owned());
    }
    Ok(())
}

/// Parts what is this release's alone from what belongs to the whole cluster and another release has, or may have.
///
/// # Errors
/// When the server does not answer.
pub async fn part_shared(
    cluster: &Cluster,
    release: &Name,
    data: Vec<DeletionTarget>,
) -> Outcome<(Vec<DeletionTarget>, Vec<DeletionTarget>)> {
    if data.iter().all(|one| one.identity.namespace.is_some()) {
        return Ok((data, Vec::new()));
    }
    let others = revisions::owned_by_others(cluster, release).await?;
    let is_own = |one: &DeletionTarget| {
        let others = others.as_ref();
        one.identity.namespace.is_some() || others.is_some_and(|others| !others.contains(&one.identity))
    };
    Ok(data.into_iter().partition(is_own))
}

/// For sentences: Deployment `app`, Service `app`.
pub fn titles<'i>(identities: impl IntoIterator<Item = &'i Identity>) -> String {
    let titles: Vec<String> = identities.into_iter().map(Identity::title).collect();
    titles.join(", ")
}
