//! `deploy-tool down`: deletes what the release has made, in the opposite order. Data stays unless asked otherwise.

use std::collections::BTreeSet;
use std::time::Duration;

use super::deploy::own_history;
use super::remove::{self, PruneSet, titles};
use crate::cli::DownArguments;
use cluster::Cluster;
use diagnostics::code;
use diagnostics::{Error, Result};
use host::cache::Cache;
use host::lock;
use releases::api::delete;
use releases::api::delete::DeletionTarget;
use releases::api::discover::Kinds;
use releases::api::revisions::ReleaseLease;
use releases::api::{claims, get_many, plan, preflight, revisions, unmanaged};
use releases::lock_holder;
use releases::plan::OnConflict;
use releases::release::{History, Identity, Name, Revision, State};
use terminal::{Printer, Progress};

/// Of a thousand objects of others, so many are named.
const MOST_NAMED: usize = 20;

/// Runs the command.
///
/// # Errors
/// When something cannot be deleted, or does not go.
pub async fn run(printer: &Printer, arguments: DownArguments) -> Result<()> {
    let DownArguments {
        cluster_arguments,
        delete_data,
        delete_namespace,
        timeout,
    } = arguments;
    let release = cluster_arguments.release()?;
    let cache = Cache::open_or_temporary(|why| printer.warning(why))?;
    let _lock = lock::release(&cache, &cluster_arguments.context, &release.to_string(), "down")?;
    let cluster = Cluster::connect(&cluster_arguments.context).await?;
    let deployer = lock_holder::current(&cache)?;
    let history = own_history(printer, &cluster, &release, &deployer).await?;
    let mut kinds = Kinds::discover(&cluster).await?;
    let inventory = history.inventory();
    let plan = plan::make_plan(&cluster, &mut kinds, &release, Vec::new(), &inventory, OnConflict::Ask).await?;
    let down = Down {
        printer,
        cluster: &cluster,
        kinds: &kinds,
        release: &release,
        timeout,
        delete_data,
        delete_namespace,
    };
    let has_data = delete_data && history.newest().is_some();
    if history.inventory().is_empty() && !has_data {
        printer.info(&format!("nothing to remove: release {release} has no objects"));
        down.say_left(&down.find_existing(history.kept()).await?);
        return Ok(());
    }
    preflight::require_permissions(&cluster, &kinds, &plan).await?;
    // Before anything goes: the claims of a StatefulSet are found by it, and a run that is interrupted must not lose them.
    let dropped = PruneSet::from_plan(&cluster, &plan).await?;
    let revision = Revision {
        number: history.next_number(),
        state: State::Pending,
        reason: "down".to_owned(),
        message: String::new(),
        created: cluster.now(),
        finished: None,
        deployer,
        objects: Vec::new(),
        inventory: history.inventory(),
        kept: &history.kept() | &dropped.left,
        completed: [].into(),
    };
    let held = revisions::begin_revision(&cluster, &release, revision).await?;
    down.as_revision(&held, &history, dropped).await
}

struct Down<'a> {
    printer: &'a Printer,
    cluster: &'a Cluster,
    kinds: &'a Kinds,
    release: &'a Name,
    timeout: Duration,
    delete_data: bool,
    delete_namespace: bool,
}

impl Down<'_> {
    /// Deletes the objects in a revision of its own: while it is pending, the release is locked, and if the data is kept,
    /// `rollback` can restore the objects.
    async fn as_revision(&self, held: &ReleaseLease<'_>, history: &History, dropped: PruneSet) -> Result<()> {
        let work = async {
            revisions::delete_records(self.cluster, self.release, history.expired_records()).await?;
            dropped
                .release_shared_claims(self.cluster, self.kinds, self.release)
                .await?;
            self.delete_objects("objects removed", dropped.to_delete).await?;
            for note in &dropped.notes {
                self.printer.info(note);
            }
            let data = self.find_existing(held.revision().kept.clone()).await?;
            if self.delete_data {
                self.delete_data(data).await
            } else {
                Ok(data)
            }
        };
        let failure = match held.hold_during(work).await {
            Ok(own_namespace) if self.delete_data => match self.delete_history(own_namespace).await {
                Ok(()) => return Ok(()),
                Err(failure) => failure,
            },
            Ok(left) => {
                let kept = left.iter().map(|target| target.identity.clone()).collect();
                held.finish(State::Deployed, "", BTreeSet::new(), kept).await?;
                self.say_left(&left);
                return Ok(());
            }
            Err(failure) => failure,
        };
        let is_lost = |failure: &Error| failure.number() == Some(&code::release::LOST);
        if !is_lost(&failure) {
            let Revision { inventory, kept, .. } = held.revision().clone();
            match held
                .finish(State::from_failure(&failure), failure.message(), inventory, kept)
                .await
            {
                // The record may have been deleted with its namespace.
                Err(record_failure) if !is_lost(&record_failure) => {
                    return Err(failure.cause(format!("and the failure could not be recorded: {record_failure}")));
                }
                _ => {}
            }
        }
        Err(failure)
    }

    async fn delete_objects(&self, title: &str, to_delete: Vec<DeletionTarget>) -> Result<()> {
        if to_delete.is_empty() {
            return Ok(());
        }
        let remove = async |progress: &Progress| {
            let removed = delete::delete_all(self.cluster, self.kinds, progress, to_delete, self.timeout).await?;
            progress.outcome(if removed.is_empty() {
                "gone already".to_owned()
            } else {
                format!("removed {}", titles(&removed))
            });
            Ok(())
        };
        self.printer.step(title, remove).await
    }

    /// Those that are there.
    async fn find_existing(&self, identities: BTreeSet<Identity>) -> Result<Vec<DeletionTarget>> {
        let existing = get_many::read_objects(self.cluster, self.kinds, identities).await?;
        Ok(existing
            .iter()
            .map(|(identity, live)| DeletionTarget::new(identity, live))
            .collect())
    }

    fn say_left(&self, data: &[DeletionTarget]) {
        if !data.is_empty() {
            self.printer.info(&format!(
                "left, for the next `up` or `rollback`: {}; `deploy-tool down --delete-data` removes them",
                titles(data.iter().map(|target| &target.identity))
            ));
        }
    }

    /// Deletes the data, and the namespaces without foreign objects. Returns the release's own namespace if it is to be
    /// deleted: that comes last, because it contains the lock.
    async fn delete_data(&self, data: Vec<DeletionTarget>) -> Result<Vec<DeletionTarget>> {
        let (namespaces, others) = data.into_iter().partition(is_namespace);
        let (own, shared) = remove::separate_shared(self.cluster, self.release, others).await?;
        let (definitions, own) = own.into_iter().partition(is_definition);
        self.delete_objects("data removed", own).await?;
        let unused = self.find_unused(definitions).await?;
        self.delete_objects("definitions removed", unused).await?;
        self.release_claims(shared).await?;
        let empty = self.find_unshared(namespaces).await?;
        let is_own = |target: &DeletionTarget| target.identity.name == self.release.namespace;
        let (own, others) = empty.into_iter().partition(is_own);
        self.delete_objects("namespaces removed", others).await?;
        Ok(own)
    }

    async fn release_claims(&self, shared: Vec<(DeletionTarget, Name)>) -> Result<()> {
        for (target, owner) in shared {
            claims::release_claim(self.cluster, self.kinds, self.release, &target).await?;
            self.printer.warning(&format!(
                "{} stays: release {owner} has it, too",
                target.identity.title()
            ));
        }
        Ok(())
    }

    /// The CustomResourceDefinitions without foreign custom resources, which would be deleted with them.
    async fn find_unused(&self, definitions: Vec<DeletionTarget>) -> Result<Vec<DeletionTarget>> {
        let mut unused = Vec::new();
        for definition in definitions {
            let name = &definition.identity.name;
            let objects = unmanaged::list_custom_objects(self.cluster, name).await?;
            if objects.is_empty() {
                unused.push(definition);
                continue;
            }
            self.printer.warning(&format!(
                "{} stays, because others have objects of it: {}; `kubectl delete customresourcedefinition {name}` deletes them all",
                definition.identity.title(),
                shorten_list(&objects)
            ));
            claims::release_claim(self.cluster, self.kinds, self.release, &definition).await?;
        }
        Ok(unused)
    }

    /// The namespaces without foreign objects, or all if that does not matter.
    async fn find_unshared(&self, namespaces: Vec<DeletionTarget>) -> Result<Vec<DeletionTarget>> {
        if self.delete_namespace {
            return Ok(namespaces);
        }
        let mut empty = Vec::new();
        let (own, shared) = remove::separate_shared(self.cluster, self.release, namespaces).await?;
        self.release_claims(shared).await?;
        for namespace in own {
            let objects =
                unmanaged::list_objects(self.cluster, self.kinds, self.release, &namespace.identity.name).await?;
            if objects.is_empty() {
                empty.push(namespace)
            } else {
                self.printer.warning(&format!(
                    "{} stays, because others have objects in it: {}; --delete-namespace deletes them all",
                    namespace.identity.title(),
                    shorten_list(&objects)
                ))
            }
        }
        Ok(empty)
    }

    /// Deletes the records, the lock as the last of them, so that an interrupted `down` can be repeated. If the namespace of
    /// the release is deleted, they are deleted with it: nothing can be created in a terminating namespace.
    async fn delete_history(&self, own_namespace: Vec<DeletionTarget>) -> Result<()> {
        let remove = async |progress: &Progress| {
            if own_namespace.is_empty() {
                let history = revisions::read_history(self.cluster, self.release).await?;
                revisions::delete_records(self.cluster, self.release, history.records()).await?;
                progress.outcome("removed the history");
                return Ok(());
            }
            let title = titles(own_namespace.iter().map(|target| &target.identity));
            delete::delete_all(self.cluster, self.kinds, progress, own_namespace, self.timeout).await?;
            progress.outcome(format!("removed {title}, and the history"));
            Ok(())
        };
        self.printer.step("history removed", remove).await
    }
}

/// The first names of a list of any length.
fn shorten_list(titles: &[String]) -> String {
    match titles.split_at_checked(MOST_NAMED) {
        Some((first, rest)) if !rest.is_empty() => format!("{} and {} more", first.join(", "), rest.len()),
        _ => titles.join(", "),
    }
}

fn is_definition(target: &DeletionTarget) -> bool {
    target.identity.kind == "CustomResourceDefinition" && target.identity.group == "apiextensions.k8s.io"
}

fn is_namespace(target: &DeletionTarget) -> bool {
    target.identity.kind == "Namespace" && target.identity.group.is_empty()
}
