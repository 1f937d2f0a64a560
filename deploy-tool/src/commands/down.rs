//! `deploy-tool down`: deletes what the release has made, in the opposite order. Data stays unless asked otherwise.

use std::collections::BTreeSet;
use std::time::Duration;

use super::deploy::own_history;
use super::remove::{self, Dropped, titles};
use crate::cache::Cache;
use crate::cli::DownArguments;
use crate::cluster::delete::{self, Doomed};
use crate::cluster::discover::Kinds;
use crate::cluster::{Cluster, foreign, live, plan, preflight, revisions};
use crate::code;
use crate::failure::Outcome;
use crate::plan::Plan;
use crate::printer::{Printer, Progress};
use crate::release::{Deployer, History, Identity, Name, Revision, State};
use crate::{deployer, lock, manifest};

/// Runs the command.
///
/// # Errors
/// When something cannot be deleted, or does not go.
pub async fn run(printer: &Printer, arguments: DownArguments) -> Outcome<()> {
    let DownArguments {
        place,
        delete_data,
        delete_namespace,
        timeout,
    } = arguments;
    let release = manifest::release_of(&place)?;
    let cache = Cache::open()?;
    let _lock = lock::release(&cache, &place.context, &release, "down")?;
    let cluster = Cluster::connect(&place.context).await?;
    let deployer = deployer::this(&cache);
    let history = own_history(printer, &cluster, &release, &deployer).await?;
    let mut kinds = Kinds::of(&cluster).await?;
    let mut plan = plan::plan(&cluster, &mut kinds, &release, Vec::new(), &history.inventory(), false).await?;
    remove::spare_shared(&cluster, &mut plan).await?;
    let down = Down {
        printer,
        cluster: &cluster,
        kinds: &kinds,
        release: &release,
        timeout,
    };
    let data = match is_down(&history) {
        true => history.kept(),
        false => down.objects(&history, &plan, deployer).await?,
    };
    let data = live::objects(&cluster, &kinds, data).await?;
    let (doomed, identities): (Vec<Doomed>, Vec<Identity>) = data
        .iter()
        .map(|(identity, live)| (Doomed::of(identity, live), identity.clone()))
        .unzip();
    if delete_data {
        return down.data(&history, doomed, delete_namespace).await;
    }
    if is_down(&history) {
        printer.say(&format!("nothing to remove: release {release} has no objects"));
    }
    if !identities.is_empty() {
        printer.say(&format!(
            "left, for the next `up` or `rollback`: {}; `deploy-tool down --delete-data` removes them",
            titles(&identities)
        ));
    }
    Ok(())
}

/// Whether the release has nothing but data.
fn is_down(history: &History) -> bool {
    history.inventory().is_empty()
}

struct Down<'a> {
    printer: &'a Printer,
    cluster: &'a Cluster,
    kinds: &'a Kinds,
    release: &'a Name,
    timeout: Duration,
}

impl Down<'_> {
    /// Deletes everything but the data, as a revision of its own: `rollback` leads back from it. Returns the data.
    async fn objects(&self, history: &History, plan: &Plan, deployer: Deployer) -> Outcome<BTreeSet<Identity>> {
        preflight::permissions(self.cluster, self.kinds, plan).await?;
        let revision = Revision {
            number: history.next_number(),
            state: State::Pending,
            reason: "down".to_owned(),
            message: String::new(),
            created: self.cluster.now(),
            finished: None,
            deployer,
            objects: Vec::new(),
            inventory: history.inventory(),
            kept: history.kept(),
        };
        let held = revisions::begin(self.cluster, self.release, revision).await?;
        let work = async {
            let dropped = Dropped::of(self.cluster, plan).await?;
            let kept = &history.kept() | &dropped.left;
            let remove = async |progress: &Progress| {
                let removed = dropped.remove(self.cluster, self.kinds, progress, self.timeout).await?;
                progress.outcome(match removed.is_empty() {
                    true => "nothing to remove".to_owned(),
                    false => format!("removed {}", titles(&removed)),
                });
                Ok(())
            };
            self.printer.step("objects removed", remove).await?;
            for note in dropped.notes.iter().filter(|note| !note.contains("holds data")) {
                self.printer.say(note);
            }
            held.finish(State::Deployed, "", BTreeSet::new(), kept.clone()).await?;
            Ok(kept)
        };
        match held.during(work).await {
            Ok(kept) => {
                revisions::forget(self.cluster, self.release, history.superfluous()).await?;
                Ok(kept)
            }
            Err(failure) if failure.number() == Some(&code::release::LOST) => Err(failure),
            Err(failure) => {
                let Revision { inventory, kept, .. } = held.revision().clone();
                held.finish(State::Failed, failure.what(), inventory, kept).await?;
                Err(failure)
            }
        }
    }

    /// Deletes the data, then the namespace if nobody else has anything in it, and the records.
    async fn data(&self, history: &History, doomed: Vec<Doomed>, delete_namespace: bool) -> Outcome<()> {
        let is_namespace = |one: &Doomed| one.identity.kind == "Namespace" && one.identity.group.is_empty();
        let (namespaces, data): (Vec<Doomed>, Vec<Doomed>) = doomed.into_iter().partition(is_namespace);
        let mut left = Vec::new();
        let remove = async |progress: &Progress| {
            let mut removed = delete::delete_all(self.cluster, self.kinds, progress, data, self.timeout).await?;
            let mut empty = Vec::new();
            for one in namespaces {
                let name = &one.identity.name;
                let others = foreign::objects(self.cluster, self.kinds, self.release, name).await?;
                match others.is_empty() || delete_namespace {
                    true => empty.push(one),
                    false => left.push(format!(
                        "{} stays, because others have objects in it: {}; --delete-namespace deletes them all",
                        one.identity.title(),
                        others.join(", ")
                    )),
                }
            }
            // The records go last: as long as they are there, this can be done again.
            let records_go_along = empty.iter().any(|one| one.identity.name == self.release.namespace);
            removed.extend(delete::delete_all(self.cluster, self.kinds, progress, empty, self.timeout).await?);
            if !records_go_along {
                let newest = revisions::history(self.cluster, self.release).await?;
                let numbers = newest.revisions().map(|revision| revision.number);
                revisions::forget(self.cluster, self.release, numbers).await?;
            }
            progress.outcome(match removed.is_empty() && history.newest().is_none() {
                true => "nothing to remove".to_owned(),
                false if removed.is_empty() => "removed the history".to_owned(),
                false => format!("removed {}, and the history", titles(&removed)),
            });
            Ok(())
        };
        self.printer.step("data removed", remove).await?;
        for sentence in left {
            self.printer.warning(&sentence);
        }
        Ok(())
    }
}
