//! The contract's cases, in every place where they can run.
//!
//! `ORDERS_URL=http://host:port cargo test -p app --test contract` runs them against a service that
//! is there already; otherwise a native twin on a real MariaDB is started for them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cases;
mod support;

use std::time::SystemTime;

use cases::{Case, Needs, ORIGIN};
use microservice::http::{Origin, Origins};
use support::http::{Request, Response};
use support::memory::Memory;
use support::place::Place;

fn play_all(base: i32, fits: impl Fn(&Case) -> bool, send: &mut dyn FnMut(&Request) -> Response) {
    let cases: Vec<Case> = cases::all().into_iter().filter(fits).collect();
    let wrong: Vec<String> = (base..)
        .step_by(10)
        .zip(&cases)
        .flat_map(|(base, case)| case.play(base, send))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn pure_layers_keep_the_contract() {
    let fits = |case: &Case| case.needs == Needs::Nothing;
    let mut memory = Memory::default();
    play_all(1_000, fits, &mut |request| memory.send(request));
}

#[test]
fn pure_layers_keep_the_contract_for_listed_origins() {
    let fits = |case: &Case| case.needs == Needs::Origin;
    let mut memory = Memory::new(Origins::new(Origin::parse(ORIGIN)));
    play_all(1_000, fits, &mut |request| memory.send(request));
}

#[test]
fn the_service_keeps_the_contract_over_http() {
    let variables = [("CORS_ALLOW_ORIGIN", ORIGIN)];
    let Some(place) = Place::find("contract", &variables) else {
        return;
    };
    let fits = |case: &Case| place.is_own || matches!(case.needs, Needs::Nothing | Needs::Server);
    play_all(unused_ids(), fits, &mut |request| request.send(&place.address).unwrap());
}

/// Ids that neither people nor another run of these tests use.
fn unused_ids() -> i32 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let slot = now.as_millis() % 1_000_000;
    1_000_000_000 + i32::try_from(slot).unwrap() * 1_000
}
