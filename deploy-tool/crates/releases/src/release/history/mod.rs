//! The history of a release: its inventory, the target of a rollback, the state of its lock.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::{HolderIdentity, Identity, Name, Record, Revision, State};
use crate::manifest::Object;
use diagnostics::code;
use diagnostics::{Error, Result};

/// A holder of the lock without a heartbeat for this long is dead.
pub const SILENCE_LIMIT: Duration = Duration::from_secs(20);
/// So many revisions are kept, the newest one among them.
const KEPT: usize = 10;

/// The revisions of a release that are kept, the oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    records: Vec<Record>,
}

/// Whether a release can be worked on.
#[derive(Clone, Debug, PartialEq)]
pub enum LockState {
    /// No process holds the lock.
    Free,
    /// The holder died before it has finished this revision.
    Abandoned(Box<Record>),
    /// Another process holds the lock with this revision.
    Held(Box<Record>),
}

impl History {
    /// Puts records in order.
    pub fn new(mut records: Vec<Record>) -> Self {
        records.sort_by_key(|record| record.revision.number);
        Self { records }
    }

    /// The records of the revisions, the oldest first.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The revisions, the oldest first.
    pub fn revisions(&self) -> impl DoubleEndedIterator<Item = &Revision> {
        self.records.iter().map(|record| &record.revision)
    }

    /// The newest revision.
    pub fn newest(&self) -> Option<&Revision> {
        self.revisions().next_back()
    }

    /// The newest revision that came up; a `down` is one, too.
    pub fn newest_deployed(&self) -> Option<&Revision> {
        self.revisions()
            .rev()
            .find(|revision| revision.state == State::Deployed)
    }

    /// The newest revision that can be deployed again.
    pub fn rollback_candidate(&self) -> Option<&Revision> {
        self.revisions().rev().find(|revision| revision.is_restorable())
    }

    /// A revision by its number.
    pub fn revision(&self, number: u32) -> Option<&Revision> {
        self.revisions().find(|revision| revision.number == number)
    }

    /// The number of the newest revision, if a Job with the same manifest has succeeded in it and was deleted since.
    pub fn completed_in(&self, job: &Object) -> Option<u32> {
        let newest = self.newest().filter(|newest| newest.has_completed(job))?;
        Some(newest.number)
    }

    /// The number of the next revision.
    pub fn next_number(&self) -> u32 {
        self.newest().map_or(1, |newest| newest.number.saturating_add(1))
    }

    /// What the release owns: what the newest deployed revision has, and what unfinished ones after it may have applied.
    pub fn inventory(&self) -> BTreeSet<Identity> {
        self.since_deployed()
            .flat_map(|revision| revision.inventory.clone())
            .collect()
    }

    /// Data that earlier revisions made and that has stayed.
    pub fn kept(&self) -> BTreeSet<Identity> {
        self.since_deployed()
            .flat_map(|revision| revision.kept.clone())
            .collect()
    }

    fn since_deployed(&self) -> impl Iterator<Item = &Revision> {
        let first = self.newest_deployed().map_or(0, |revision| revision.number);
        self.revisions().filter(move |revision| revision.number >= first)
    }

    /// The state of the lock. `asking` holds the file locks of this host: a pending revision with the same file locks belongs
    /// to a process that has ended.
    pub fn lock_state(&self, asking: &HolderIdentity, now: Timestamp) -> LockState {
        let pending = self
            .records
            .iter()
            .rev()
            .find(|record| record.revision.state == State::Pending);
        let Some(record) = pending else {
            return LockState::Free;
        };
        let silent = now.duration_since(record.renewed).unsigned_abs() > SILENCE_LIMIT;
        if silent || record.revision.deployer.shares_locks_with(asking) {
            LockState::Abandoned(Box::new(record.clone()))
        } else {
            LockState::Held(Box::new(record.clone()))
        }
    }

    /// The records that are not kept once the next one is begun: with it ten stay, and always the one that the inventory
    /// begins with, and the one that a rollback leads to.
    pub fn expired_records(&self) -> impl Iterator<Item = &Record> {
        let needed = [self.newest_deployed(), self.rollback_candidate()];
        let needed = needed.map(|revision| revision.map(|revision| revision.number));
        let older = self.records.iter().rev().skip(KEPT - 1);
        older.filter(move |record| !needed.contains(&Some(record.revision.number)))
    }
}

/// Refuses manifests that have nothing in common with the release of that name: all it has would be pruned. Several
/// releases may share a namespace and what belongs to the whole cluster: that is nothing in common.
///
/// # Errors
/// When there is nothing in common.
pub fn refuse_another_release(release: &Name, history: &History, objects: &[Object]) -> Result<()> {
    let inventory = history.inventory();
    let identities: BTreeSet<Identity> = objects.iter().map(Object::identity).collect();
    let in_namespace = |identity: &&Identity| identity.namespace.is_some();
    // Releases may share a namespace that each of them defines; only without any other namespaced object does it count.
    let is_of_cluster = !identities.iter().any(|identity| in_namespace(&identity));
    let shared = inventory.intersection(&identities).next();
    if is_of_cluster && shared.is_some() {
        return Ok(());
    }
    let mut owned = inventory.iter().filter(in_namespace).peekable();
    let Some(first) = owned.peek().map(|identity| identity.title()) else {
        return Ok(());
    };
    if owned.any(|identity| identities.contains(identity)) {
        return Ok(());
    }
    Err(Error::input(format!("release {release} is made of other manifests"))
        .code(&code::release::ANOTHER_RELEASE)
        .cause(format!(
            "it has {first}, and nothing that these manifests define: all of it would be deleted"
        ))
        .hint("give the release of these manifests another name with --release")
        .hint("or let them take its place: run `deploy-tool down` first"))
}

#[cfg(test)]
mod tests;
