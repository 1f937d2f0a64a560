//! The soak: releases that change at random, deployed through a proxy that fails at random, by runs that are killed at
//! random; in the end one run without failures brings the cluster to exactly what the manifests say.
//!
//! `make soak` runs a hundred rounds against the demo's cluster, `SOAK_ROUNDS=12 SOAK_SEED=7 make soak` fewer, and the same
//! ones again.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cluster;
mod model;
mod run;

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use e2e::proxy::Proxy;
use e2e::random::Random;
use e2e::{Namespace, cluster, pause_image, scaled, time_limit};

use cluster::{has_history, holds_exactly};
use model::Model;
use run::{Ended, apply};

/// Rounds, where nothing else is asked for: less than a minute.
const ROUNDS: usize = 12;
/// One run of so many is killed.
const KILLED_ONE_OF: usize = 6;
/// How long a run that may fail waits for its pods.
const WAIT: Duration = Duration::from_secs(60);
/// How many revisions are kept.
const MOST_REVISIONS: usize = 10;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect(name))
}

#[test]
#[ignore = "needs a cluster, see the cluster tests' main.rs"]
fn whatever_fails_the_last_run_converges() {
    let rounds = setting("SOAK_ROUNDS").map_or(ROUNDS, |rounds| rounds.try_into().unwrap());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let seed = setting("SOAK_SEED").unwrap_or(now);
    eprintln!("{rounds} rounds, SOAK_SEED={seed}");
    let mut random = Random::new(seed);
    let proxy = Proxy::start(&e2e::context(), seed);
    let namespace = Namespace::create("soak", &[]);
    let folder = tempfile::tempdir().unwrap();
    let mut model = Model::new(&namespace.name, &pause_image(&format!("{}-worker", cluster())));
    let mut everything = BTreeSet::new();

    proxy.fail(true);
    let mut ended = Vec::new();
    for round in 1..=rounds {
        let edits = model.change(&mut random);
        everything.extend(model.names());
        model.write(folder.path());
        let kill = (random.below(KILLED_ONE_OF) == 0).then(|| Duration::from_millis(random.below(2_500) as u64));
        let end = apply(&proxy, &namespace.name, folder.path(), kill, scaled(WAIT));
        eprintln!("round {round}: {edits}: {end}");
        end.check();
        ended.push(end);
    }
    let succeeded = ended.iter().filter(|end| matches!(end, Ended::Exit(0, _))).count();
    eprintln!(
        "{} requests failed; {succeeded} of {rounds} runs succeeded",
        proxy.faults()
    );
    assert!(proxy.faults() > 0, "nothing was made to fail");
    assert!(succeeded > 0, "not one run got through");

    proxy.fail(false);
    apply(&proxy, &namespace.name, folder.path(), None, time_limit()).success();
    holds_exactly(&namespace.name, &model, &everything);
    has_history(&namespace.name, MOST_REVISIONS);

    proxy.passed();
    apply(&proxy, &namespace.name, folder.path(), None, time_limit()).success();
    let (requests, bytes) = proxy.passed();
    let writes: Vec<_> = requests.iter().filter(|request| request.writes()).collect();
    assert!(writes.is_empty(), "a second run writes: {writes:#?}");
    eprintln!(
        "a run without changes: {} requests, {bytes} bytes of answers",
        requests.len()
    );
}
