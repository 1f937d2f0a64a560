//! From a request to the action that it asks for.

use hyper::{Method, StatusCode};
use microservice::http::{Code, Problem, Response, Route as _};

use super::Route;
use crate::price::Goods;
use crate::rules::Rules;

/// A complete request to this service.
pub type BufferedRequest<'request> = microservice::http::BufferedRequest<'request, Route>;

/// The body is JSON, but no valid rules.
const INVALID_RULES: Code = Code::new("invalid_rules", StatusCode::UNPROCESSABLE_ENTITY);

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
    /// Compute the shipping and the tax of these goods.
    Price(Goods),
    /// Report the rules.
    Rules,
    /// Replace the rules by these, which are valid JSON.
    ChangeRules(String),
}

/// Reads and validates a request.
pub fn read_action(request: &BufferedRequest<'_>) -> Result<Action, Problem> {
    match request.target.route {
        Route::Index => Ok(Action::Response(Response::text(Route::list()))),
        Route::Price => Ok(Action::Price(Goods::read(request.json_body()?)?)),
        Route::Rules if *request.method == Method::PUT => {
            let invalid = |reason| Problem::new(INVALID_RULES, format!("these are no rules: {reason}"));
            let text = std::str::from_utf8(request.json_body()?).map_err(|error| invalid(error.to_string()))?;
            Rules::parse(text).map_err(invalid)?;
            Ok(Action::ChangeRules(text.to_owned()))
        }
        Route::Rules => Ok(Action::Rules),
        Route::Healthz => Ok(Action::Health),
        Route::Readyz => Ok(Action::Readiness),
        Route::Metrics => Ok(Action::Metrics),
    }
}
