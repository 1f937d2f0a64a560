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
    let has_objects = !history.inventory().is_empty();
    let has_data = delete_data && history.newest().is_some();
    let data = match has_objects || has_data {
        true => down.objects(&history, &plan, deployer, delete_data).await?,
        false => down.alive(history.kept()).await?,
    };
    if has_data {
        return down.namespaces_and_history(data, delete_namespace).await;
    }
    if !has_objects {
        printer.say(&format!("nothing to remove: release {release} has no objects"));
    }
    if !data.is_empty() {
        let left: Vec<&Identity> = data.iter().map(|one| &one.identity).collect();
        printer.say(&format!(
            "left, for the next `up` or `rollback`: {}; `deploy-tool down --delete-data` removes them",
            titles(left)
        ));
    }
    Ok(())
}

struct Down<'a> {
    printer: &'a Printer,
    cluster: &'a Cluster,
    kinds: &'a Kinds,
    release: &'a Name,
    timeout: Duration,
}

impl Down<'_> {
    /// Deletes the objects, and the data if asked to, as a revision of its own: as long as it is pending, nobody else
    /// works on the release, and `rollback` leads back from it. Returns the data that is left.
    async fn objects(
        &self,
        history: &History,
        plan: &Plan,
        deployer: Deployer,
        delete_data: bool,
    ) -> Outcome<Vec<Doomed>> {
        preflight::permissions(self.cluster, self.kinds, plan).await?;
        // Before anything goes: the claims of a StatefulSet are found by it, and a run that is interrupted must not lose them.
        let dropped = Dropped::of(self.cluster, plan).await?;
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
            kept: &history.kept() | &dropped.left,
        };
        let held = revisions::begin(self.cluster, self.release, revision).await?;
        let work = async {
            revisions::forget(self.cluster, self.release, history.superfluous()).await?;
            self.remove("objects removed", dropped.doomed).await?;
            for note in dropped.notes.iter().filter(|note| !note.contains("holds data")) {
                self.printer.say(note);
            }
            let mut data = self.alive(held.revision().kept.clone()).await?;
            if delete_data {
                let (namespaces, others) = data.into_iter().partition(is_namespace);
                let (own, shared) = remove::part_shared(self.cluster, self.release, others).await?;
                self.remove("data removed", own).await?;
                for one in shared {
                    self.printer.warning(&format!(
                        "{} stays: another release has it, too, or may have it",
                        one.identity.title()
                    ));
                }
                data = namespaces;
            }
            let kept = data.iter().map(|one| one.identity.clone()).collect();
            held.finish(State::Deployed, "", BTreeSet::new(), kept).await?;
            Ok(data)
        };
        match held.during(work).await {
            Err(failure) if failure.number() != Some(&code::release::LOST) => {
                let Revision { inventory, kept, .. } = held.revision().clone();
                held.finish(State::Failed, failure.what(), inventory, kept).await?;
                Err(failure)
            }
            result => result,
        }
    }

    async fn remove(&self, title: &str, doomed: Vec<Doomed>) -> Outcome<()> {
        let remove = async |progress: &Progress| {
            let removed = delete::delete_all(self.cluster, self.kinds, progress, doomed, self.timeout).await?;
            progress.outcome(match removed.is_empty() {
                true => "nothing to remove".to_owned(),
                false => format!("removed {}", titles(&removed)),
            });
            Ok(())
        };
        self.printer.step(title, remove).await
    }

    /// Those that are there.
    async fn alive(&self, identities: BTreeSet<Identity>) -> Outcome<Vec<Doomed>> {
        let alive = live::objects(self.cluster, self.kinds, identities).await?;
        Ok(alive
            .iter()
            .map(|(identity, live)| Doomed::of(identity, live))
            .collect())
    }

    /// Deletes the namespaces in which nobody else has anything, and the records. No lock holds any longer: it would go
    /// with the namespace, in which nobody can begin anything meanwhile.
    async fn namespaces_and_history(&self, namespaces: Vec<Doomed>, delete_namespace: bool) -> Outcome<()> {
        let mut left = Vec::new();
        let remove = async |progress: &Progress| {
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
            let removed = delete::delete_all(self.cluster, self.kinds, progress, empty, self.timeout).await?;
            if !records_go_along {
                let newest = revisions::history(self.cluster, self.release).await?;
                let numbers = newest.revisions().map(|revision| revision.number);
                revisions::forget(self.cluster, self.release, numbers).await?;
            }
            progress.outcome(match removed.is_empty() {
                true => "removed the history".to_owned(),
                false => format!("removed {}, and the history", titles(&removed)),
            });
            Ok(())
        };
        self.printer.step("history removed", remove).await?;
        for sentence in left {
            self.printer.warning(&sentence);
        }
        Ok(())
    }
}

fn is_namespace(one: &Doomed) -> bool {
    one.identity.kind == "Namespace" && one.identity.group.is_empty()
}
