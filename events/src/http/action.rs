//! From a complete request to what it asks for.

use hyper::Method;
use microservice::http::{Code, Origins, Problem, Reply, Route as _};

use super::Route;
use crate::command::Command;
use crate::event::read_event;

/// A complete request to this service.
pub type Parts<'request> = microservice::http::Parts<'request, Route>;

/// What a request asks for.
#[derive(Debug)]
pub enum Action {
    /// Nothing but this answer.
    Reply(Reply),
    /// Whether the process serves.
    Health,
    /// Whether the service can work.
    Readiness,
    /// The counters.
    Metrics,
    /// Something to do with the events.
    Command(Command),
}

const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1_000;

/// Reads what a request asks for. Every wrong input ends here.
pub fn read_action(parts: &Parts<'_>, origins: &Origins) -> Result<Action, Problem> {
    let route = parts.target.route;
    if *parts.method == Method::OPTIONS {
        return Ok(Action::Reply(origins.preflight(route, parts.headers)));
    }
    match route {
        Route::Index => Ok(Action::Reply(Reply::text(Route::list()))),
        Route::Events if *parts.method == Method::POST => {
            let event = read_event(parts.json_body()?)?;
            Ok(Action::Command(Command::Store(event)))
        }
        Route::Events => list(parts),
        Route::Healthz => Ok(Action::Health),
        Route::Readyz => Ok(Action::Readiness),
        Route::Metrics => Ok(Action::Metrics),
    }
}

fn list(parts: &Parts<'_>) -> Result<Action, Problem> {
    let limit = parts.limit(DEFAULT_LIMIT, MAX_LIMIT)?;
    let before = parts.query.get("before").map(|text| position(&text)).transpose()?;
    Ok(Action::Command(Command::List { limit, before }))
}

fn position(text: &str) -> Result<u64, Problem> {
    text.parse()
        .map_err(|_| Problem::new(Code::INVALID_QUERY, "before must be a position among the events"))
}
