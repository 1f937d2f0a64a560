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

/// The history with some revisions that are a `down`, and so without objects.
fn with_downs(states: &[State], downs: &[u32]) -> History {
    let mut records = history(states).records().to_vec();
    for Record { revision, .. } in &mut records {
        if downs.contains(&revision.number) {
            revision.objects.clear();
        }
    }
    History::new(records)
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
        assert_eq!(history.newest_deployed().map(|revision| revision.number), deployed);
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
    // With `down`, a revision that is deployed and has no objects.
    for (states, downs, newest, candidate) in [
        (&[Deployed, Deployed, Failed, Failed][..], &[][..], Some(2), Some(2)),
        (&[Deployed, Deployed, Failed], &[2], Some(2), Some(1)),
        (&[Deployed, Failed], &[1], Some(1), None),
        (&[Failed], &[], None, None),
        (&[], &[], None, None),
    ] {
        let history = with_downs(states, downs);
        let number = |revision: Option<&Revision>| revision.map(|revision| revision.number);
        assert_eq!(number(history.newest_deployed()), newest, "{states:?}");
        assert_eq!(number(history.rollback_candidate()), candidate, "{states:?}");
        assert_eq!(history.next_number() as usize, states.len() + 1);
    }
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
    // What a `down` has removed can still be brought back.
    let history = with_downs(&states, &[2]);
    let expired: Vec<u32> = history.expired_records().map(|record| record.revision.number).collect();
    assert_eq!(expired, [3]);
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
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n";
    let namespace = crate::manifest::parse("x", namespace).unwrap();
    let mut records = history.records().to_vec();
    refuse_another_release(&release, &history, &namespace).unwrap_err();
    for record in &mut records {
        record.revision.inventory.extend(namespace.iter().map(Object::identity));
    }
    let history = History::new(records);
    refuse_another_release(&release, &history, &namespace).unwrap();
    // Another release of the namespace may define it as well.
    let both = [namespace, objects(&["new"])].concat();
    refuse_another_release(&release, &history, &both).unwrap_err();
}
