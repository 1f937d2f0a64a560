//! From a request to the action that it asks for.

use hyper::header::CONTENT_TYPE;
use hyper::{HeaderMap, Method};
use microservice::http::{Code, Problem, Response, Route as _};

use super::Route;
use crate::command::Command;
use crate::event::{read_batch, read_event};

/// A complete request to this service.
pub type BufferedRequest<'request> = microservice::http::BufferedRequest<'request, Route>;

/// What a request asks for.
#[derive(Debug)]
pub enum Action {
    /// Send this response.
    Response(Response),
    /// Report that the process is alive.
    Health,
    /// Check that the service is ready.
    Readiness,
    /// Report the metrics.
    Metrics,
    /// Run a command on the events.
    Command(Command),
}

/// The media type of a batch of events.
const BATCH_MEDIA_TYPE: &str = "application/cloudevents-batch+json";

const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1_000;

/// Reads and validates a request.
pub fn read_action(request: &BufferedRequest<'_>) -> Result<Action, Problem> {
    match request.target.route {
        Route::Index => Ok(Action::Response(Response::text(Route::list()))),
        Route::Events if *request.method == Method::POST => {
            let body = request.json_body()?;
            let events = if is_batch(request.headers) {
                read_batch(body)?
            } else {
                vec![read_event(body)?]
            };
            Ok(Action::Command(Command::Store(events)))
        }
        Route::Events => read_list(request),
        Route::Healthz => Ok(Action::Health),
        Route::Readyz => Ok(Action::Readiness),
        Route::Metrics => Ok(Action::Metrics),
    }
}

fn is_batch(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = media_type.unwrap_or_default().split(';').next().unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case(BATCH_MEDIA_TYPE)
}

fn read_list(request: &BufferedRequest<'_>) -> Result<Action, Problem> {
    let limit = request.parse_limit(DEFAULT_LIMIT, MAX_LIMIT)?;
    let before = request
        .query
        .get("before")
        .map(|text| parse_position(&text))
        .transpose()?;
    Ok(Action::Command(Command::List { limit, before }))
}

fn parse_position(text: &str) -> Result<u64, Problem> {
    text.parse()
        .map_err(|_| Problem::new(Code::INVALID_QUERY, "before must be a position among the events"))
}
