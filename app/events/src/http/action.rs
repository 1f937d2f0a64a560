//! From a complete request to what it asks for.

use hyper::header::CONTENT_TYPE;
use hyper::{HeaderMap, Method};
use microservice::http::{Code, Origins, Problem, Response, Route as _};

use super::Route;
use crate::command::Command;
use crate::event::{read_batch, read_event};

/// A complete request to this service.
pub type BufferedRequest<'request> = microservice::http::BufferedRequest<'request, Route>;

/// What a request asks for.
#[derive(Debug)]
pub enum Action {
    /// Nothing but this answer.
    Response(Response),
    /// Whether the process serves.
    Health,
    /// Whether the service can work.
    Readiness,
    /// The counters.
    Metrics,
    /// Something to do with the events.
    Command(Command),
}

/// The media type of several events.
const BATCH: &str = "application/cloudevents-batch+json";

const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1_000;

/// Reads what a request asks for. Every wrong input ends here.
pub fn read_action(parts: &BufferedRequest<'_>, origins: &Origins) -> Result<Action, Problem> {
    let route = parts.target.route;
    if *parts.method == Method::OPTIONS {
        return Ok(Action::Response(origins.preflight(route, parts.headers)));
    }
    match route {
        Route::Index => Ok(Action::Response(Response::text(Route::list()))),
        Route::Events if *parts.method == Method::POST => {
            let body = parts.json_body()?;
            let events = match is_batch(parts.headers) {
                true => read_batch(body)?,
                false => vec![read_event(body)?],
            };
            Ok(Action::Command(Command::Store(events)))
        }
        Route::Events => list(parts),
        Route::Healthz => Ok(Action::Health),
        Route::Readyz => Ok(Action::Readiness),
        Route::Metrics => Ok(Action::Metrics),
    }
}

fn is_batch(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = media_type.unwrap_or_default().split(';').next().unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case(BATCH)
}

fn list(parts: &BufferedRequest<'_>) -> Result<Action, Problem> {
    let limit = parts.parse_limit(DEFAULT_LIMIT, MAX_LIMIT)?;
    let before = parts.query.get("before").map(|text| position(&text)).transpose()?;
    Ok(Action::Command(Command::List { limit, before }))
}

fn position(text: &str) -> Result<u64, Problem> {
    text.parse()
        .map_err(|_| Problem::new(Code::INVALID_QUERY, "before must be a position among the events"))
}
