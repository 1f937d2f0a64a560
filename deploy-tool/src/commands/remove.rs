//! Deletes objects of a release, and explains which are kept. Shared by prune and `down`.

use std::collections::BTreeSet;
use std::time::Duration;

use cluster::Cluster;
use diagnostics::Result;
use releases::api::claims::{self, LivingReleases};
use releases::api::delete;
use releases::api::delete::DeletionTarget;
use releases::api::discover::Kinds;
use releases::plan::{Action, Plan};
use releases::release::{Identity, Name};
use terminal::Progress;

/// What a release has made and its manifests have no longer.
pub struct PruneSet {
    /// The objects to delete.
    pub to_delete: Vec<DeletionTarget>,
    /// What another release has as well, and keeps.
    pub shared: Vec<DeletionTarget>,
    /// The data that stays.
    pub left: BTreeSet<Identity>,
    /// Notes about what another release keeps.
    pub notes: Vec<String>,
    /// Notes about the data that stays.
    pub data_notes: Vec<String>,
}

impl PruneSet {
    /// That of a plan. The claims of a StatefulSet stay when it goes.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn from_plan(cluster: &Cluster, plan: &Plan) -> Result<Self> {
        let mut dropped = Self {
            to_delete: Vec::new(),
            shared: Vec::new(),
            left: BTreeSet::new(),
            notes: Vec::new(),
            data_notes: Vec::new(),
        };
        for step in plan.steps.iter().filter(|step| step.object.is_none()) {
            let Some(live) = &step.live else { continue };
            if step.action != Action::Prune {
                let notes = step
                    .notes
                    .iter()
                    .map(|note| format!("{}: {note}", step.identity.title()));
                if step.given_up {
                    dropped.shared.push(DeletionTarget::new(&step.identity, live));
                    dropped.notes.extend(notes);
                } else {
                    dropped.left.insert(step.identity.clone());
                    dropped.data_notes.extend(notes);
                }
                continue;
            }
            dropped.to_delete.push(DeletionTarget::new(&step.identity, live));
            if step.identity.kind == "StatefulSet" {
                dropped.left.extend(delete::list_claims(cluster, live).await?);
            }
        }
        Ok(dropped)
    }

    /// Deletes the objects.
    ///
    /// # Errors
    /// When the server refuses, or an object still exists after the time limit.
    pub async fn remove(
        &self,
        cluster: &Cluster,
        kinds: &Kinds,
        progress: &Progress,
        limit: Duration,
    ) -> Result<Vec<Identity>> {
        delete::delete_all(cluster, kinds, progress, self.to_delete.clone(), limit).await
    }

    /// Removes the claims of this release on shared objects.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn release_shared_claims(&self, cluster: &Cluster, kinds: &Kinds, release: &Name) -> Result<()> {
        for target in &self.shared {
            claims::release_claim(cluster, kinds, release, target).await?;
        }
        Ok(())
    }
}

/// Separates objects of this release alone from those that another release uses, with the name of one of these.
///
/// # Errors
/// When the server does not answer.
pub async fn separate_shared(
    cluster: &Cluster,
    release: &Name,
    data: Vec<DeletionTarget>,
) -> Result<(Vec<DeletionTarget>, Vec<(DeletionTarget, Name)>)> {
    let mut living = LivingReleases::new(cluster, release);
    let (mut own, mut shared) = (Vec::new(), Vec::new());
    for target in data {
        match living.find_first(&target.claimed_by).await?.cloned() {
            Some(owner) => shared.push((target, owner)),
            None => own.push(target),
        }
    }
    Ok((own, shared))
}

/// For sentences: Deployment `app`, Service `app`.
pub fn titles<'i>(identities: impl IntoIterator<Item = &'i Identity>) -> String {
    let titles: Vec<String> = identities.into_iter().map(Identity::title).collect();
    titles.join(", ")
}
