//! The cases of the API contract, in process and over HTTP.
//!
//! `EVENTS_URL=http://host:port EVENTS_SECRET=… cargo test -p events --test contract` runs them against a running
//! service, which must have no other clients meanwhile; otherwise a native build with a real MariaDB is started.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cases;
mod support;

use microservice::http::{Hosts, Origin, Origins};
use microservice::signature::Secret;
use service_tests::case::{play_all, unused_ids, Case, Needs, ORIGIN};
use service_tests::http::Request;
use service_tests::test_server::TestServer;
use support::memory::Memory;
use support::EVENTS;

#[test]
fn pure_layers_keep_the_contract() {
    let fits = |case: &Case| case.needs == Needs::Nothing;
    let mut memory = Memory::default();
    play_all(&cases::all(), 1_000, fits, &mut |request| memory.send(request));
}

#[test]
fn pure_layers_keep_the_contract_for_listed_origins() {
    let fits = |case: &Case| case.needs == Needs::Origin;
    let mut memory = Memory::new(Origins::new(Origin::parse(ORIGIN), Hosts::default()));
    play_all(&cases::all(), 1_000, fits, &mut |request| memory.send(request));
}

#[test]
fn the_service_keeps_the_contract_over_http() {
    let variables = [("CORS_ALLOW_ORIGIN", ORIGIN)];
    let Some(place) = TestServer::find(&EVENTS, "contract", &variables) else {
        return;
    };
    let fits = |case: &Case| place.is_own || matches!(case.needs, Needs::Nothing | Needs::Server);
    play_all(&cases::all(), unused_ids(), fits, &mut |request| {
        signed(request).send(&place.address).unwrap()
    });
}

/// Signs a request with the secret of a running service, if it has one.
fn signed(request: &Request) -> Request {
    match std::env::var("EVENTS_SECRET") {
        Ok(secret) => {
            let signature = Secret::new(secret).sign_request(&request.body);
            request.clone().header("x-signature", &signature)
        }
        Err(_) => request.clone(),
    }
}
