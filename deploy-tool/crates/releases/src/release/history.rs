//! What the revisions of a release say together: what it owns, where a rollback leads, whose turn it is.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::{HolderIdentity, Identity, Name, Record, Revision, State};
use crate::manifest::Object;
use diagnostics::code;
use diagnostics::{Error, Result};

/// A deployer that has said nothing for so long is gone.
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
    /// Nobody is at work.
    Free,
    /// Somebody was, and is gone without having finished.
    Abandoned(Box<Record>),
    /// Somebody is.
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

    /// The newest revision that came up, of all or of those before one.
    pub fn deployed_before(&self, number: Option<u32>) -> Option<&Revision> {
        let earlier = |revision: &&Revision| number.is_none_or(|number| revision.number < number);
        self.revisions()
            .rev()
            .filter(earlier)
            .find(|revision| revision.state == State::Deployed)
    }

    /// A revision by its number.
    pub fn revision(&self, number: u32) -> Option<&Revision> {
        self.revisions().find(|revision| revision.number == number)
    }

    /// The newest revision, if a Job of it with the same manifest has ended well there and is gone since.
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
        let first = self.deployed_before(None).map_or(0, |revision| revision.number);
        self.revisions().filter(move |revision| revision.number >= first)
    }

    /// Whether somebody else is at work. Who asks holds the locks of this host: a pending revision that was made under
    /// the same locks has lost its process.
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

    /// The records that are not kept once the next one is begun: with it ten stay, and always the one that a rollback
    /// from it leads to.
    pub fn expired_records(&self) -> impl Iterator<Item = &Record> {
        let deployed = self.deployed_before(None).map(|revision| revision.number);
        let older = self.records.iter().rev().skip(KEPT - 1);
        older.filter(move |record| Some(record.revision.number) != deployed)
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
    // Several releases may define the namespace that they share; those that define nothing else are told by it.
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
mod tests {
    use super::*;
    use crate::release::tests::{identity, revision};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn history(states: &[State]) -> History {
        let record = |(index, state): (usize, &State)| {
            let number = u32::try_from(index).unwrap() + 1;
            let inventory = [identity(&format!("of-{number}"))].into();
            let kept = [identity(&format!("kept-{number}"))].into();
            Record {
                revision: Revision {
                    state: *state,
                    inventory,
                    kept,
                    ..revision(number)
                },
                uid: String::new(),
                version: "1".into(),
                renewed: at(100),
            }
        };
        // The server lists by name: 10 before 9.
        History::new(states.iter().enumerate().map(record).rev().collect())
    }

    #[test]
    fn the_inventory_carries_on_what_unfinished_revisions_may_have_applied() {
        use State::{Deployed, Failed, Pending};
        let cases: [(&[State], &[&str], Option<u32>); 6] = [
            (&[], &[], None),
            (&[Deployed], &["of-1"], Some(1)),
            (&[Deployed, Deployed], &["of-2"], Some(2)),
            (&[Failed], &["of-1"], None),
            (&[Deployed, Failed, Pending], &["of-1", "of-2", "of-3"], Some(1)),
            (&[Deployed, Failed, Deployed, Failed], &["of-3", "of-4"], Some(3)),
        ];
        for (states, expected, deployed) in cases {
            let history = history(states);
            let expected: BTreeSet<Identity> = expected.iter().map(|name| identity(name)).collect();
            assert_eq!(history.inventory(), expected, "{states:?}");
            assert_eq!(history.kept().len(), expected.len());
            assert_eq!(history.deployed_before(None).map(|revision| revision.number), deployed);
        }
    }

    /// A migration must not run twice; one that has changed, or has not ended well, has to run.
    #[test]
    fn a_job_that_has_ended_and_removed_itself_is_not_run_again() {
        let job = |name: &str, ttl: &str, command: &str| {
            let text = format!(
                "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}, namespace: shop}}\nspec: {{{ttl}template: {{spec: \
                 {{containers: [{{name: a, image: i, command: [{command}]}}]}}}}}}\n"
            );
            crate::manifest::parse("x", &text).unwrap().remove(0)
        };
        let ttl = "ttlSecondsAfterFinished: 0, ";
        let (migrate, stays) = (job("migrate", ttl, "one"), job("stays", "", "one"));
        let changed = job("migrate", ttl, "two");
        let of = |state: State, completed: &[&Object]| {
            let revision = Revision {
                state,
                objects: vec![migrate.value.clone(), stays.value.clone()],
                completed: completed.iter().map(|job| job.identity()).collect(),
                ..revision(3)
            };
            History::new(vec![Record {
                revision,
                uid: String::new(),
                version: "1".into(),
                renewed: at(100),
            }])
        };
        let deployed = of(State::Deployed, &[]);
        assert_eq!(deployed.completed_in(&migrate), Some(3));
        assert_eq!(deployed.completed_in(&changed), None, "another manifest is another Job");
        assert_eq!(
            deployed.completed_in(&stays),
            None,
            "somebody has deleted it, to run it again"
        );
        // Something else of the revision has failed, or it was interrupted.
        for state in [State::Failed, State::Pending] {
            assert_eq!(of(state, &[&migrate]).completed_in(&migrate), Some(3), "{state}");
            assert_eq!(of(state, &[]).completed_in(&migrate), None, "{state}");
        }
        assert_eq!(History::default().completed_in(&migrate), None);
    }

    #[test]
    fn a_rollback_leads_to_what_last_came_up_before_the_newest() {
        use State::{Deployed, Failed};
        let history = history(&[Deployed, Deployed, Failed, Failed]);
        let newest = history.newest().unwrap().number;
        assert_eq!((newest, history.next_number()), (4, 5));
        assert_eq!(history.deployed_before(Some(newest)).unwrap().number, 2);
        assert_eq!(history.deployed_before(Some(2)).unwrap().number, 1);
        assert_eq!(history.deployed_before(Some(1)), None);
        assert_eq!(History::default().next_number(), 1);
    }

    #[test]
    fn one_at_a_time_until_the_other_is_gone() {
        use State::{Deployed, Failed, Pending};
        let here = revision(1).deployer;
        let there = HolderIdentity {
            boot_id: "of another host, or of this one before it was restarted".into(),
            ..here.clone()
        };
        let another_cache = HolderIdentity {
            cache_id: "another".into(),
            ..here.clone()
        };
        // User, host and path say nothing: two machines may be copies of one.
        let renamed = HolderIdentity {
            host: "other@there".into(),
            process: 9,
            ..here.clone()
        };
        let pending = history(&[Deployed, Pending]);
        let number = |turn: LockState| match turn {
            LockState::Free => ("free", 0),
            LockState::Abandoned(record) => ("take over", record.revision.number),
            LockState::Held(record) => ("taken", record.revision.number),
        };
        assert_eq!(number(pending.lock_state(&there, at(119))), ("taken", 2));
        assert_eq!(number(pending.lock_state(&another_cache, at(119))), ("taken", 2));
        assert_eq!(number(pending.lock_state(&there, at(121))), ("take over", 2));
        for same in [&here, &renamed] {
            assert_eq!(number(pending.lock_state(same, at(101))), ("take over", 2));
        }
        let unknown = HolderIdentity {
            boot_id: String::new(),
            ..here.clone()
        };
        assert!(!unknown.shares_locks_with(&unknown));
        assert_eq!(
            history(&[Deployed, Failed]).lock_state(&there, at(101)),
            LockState::Free
        );
        assert_eq!(History::default().lock_state(&there, at(101)), LockState::Free);
    }

    #[test]
    fn ten_are_kept_with_the_next_one_and_the_newest_that_came_up() {
        use State::{Deployed, Failed};
        let expired = |states: &[State]| -> Vec<u32> {
            let history = history(states);
            history.expired_records().map(|record| record.revision.number).collect()
        };
        assert_eq!(expired(&[Deployed; 9]), [0; 0]);
        assert_eq!(expired(&[Deployed; 10]), [1]);
        assert_eq!(expired(&[Deployed; 12]), [3, 2, 1]);
        let mut states = vec![Deployed, Deployed];
        states.extend([Failed; 10]);
        assert_eq!(expired(&states), [3, 1]);
    }

    #[test]
    fn manifests_of_another_release_are_refused() {
        let release = crate::release::tests::release();
        let objects = |names: &[&str]| -> Vec<Object> {
            let object = |name: &&str| {
                let text = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: shop}}\n");
                crate::manifest::parse("x", &text).unwrap().remove(0)
            };
            names.iter().map(object).collect()
        };
        let history = history(&[State::Deployed, State::Failed]);
        refuse_another_release(&release, &History::default(), &objects(&["new"])).unwrap();
        refuse_another_release(&release, &history, &objects(&["of-2", "new"])).unwrap();
        let failure = refuse_another_release(&release, &history, &objects(&["new"])).unwrap_err();
        assert!(failure.to_string().contains("ConfigMap `of-1`"), "{failure}");
        assert_eq!(failure.number(), Some(&code::release::ANOTHER_RELEASE));
        // Its last object in a namespace has left the manifests.
        let place = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n";
        let place = crate::manifest::parse("x", place).unwrap();
        let mut records = history.records().to_vec();
        refuse_another_release(&release, &history, &place).unwrap_err();
        for record in &mut records {
            record.revision.inventory.extend(place.iter().map(Object::identity));
        }
        let history = History::new(records);
        refuse_another_release(&release, &history, &place).unwrap();
        // Another release of the namespace may define it as well.
        let both = [place, objects(&["new"])].concat();
        refuse_another_release(&release, &history, &both).unwrap_err();
    }
}
