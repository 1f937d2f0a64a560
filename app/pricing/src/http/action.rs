//! From a complete request to what it asks for.

use hyper::{Method, StatusCode};
use microservice::http::{Code, Origins, Problem, Response, Route as _};

use super::Route;
use crate::price::Goods;
use crate::rules::Rules;

/// A complete request to this service.
pub type BufferedRequest<'request> = microservice::http::BufferedRequest<'request, Route>;

/// The body is no set of rules.
const INVALID_RULES: Code = Code::new("invalid_rules", StatusCode::UNPROCESSABLE_ENTITY);

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
    /// The shipping and the tax of this.
    Price(Goods),
    /// The rules, as they are kept.
    Rules,
    /// Other rules in their place: valid JSON.
    ChangeRules(String),
}

/// Reads what a request asks for. Every wrong input ends here.
pub fn read_action(parts: &BufferedRequest<'_>, origins: &Origins) -> Result<Action, Problem> {
    let route = parts.target.route;
    if *parts.method == Method::OPTIONS {
        return Ok(Action::Response(origins.preflight(route, parts.headers)));
    }
    match route {
        Route::Index => Ok(Action::Response(Response::text(Route::list()))),
        Route::Price => Ok(Action::Price(Goods::read(parts.json_body()?)?)),
        Route::Rules if *parts.method == Method::PUT => {
            let invalid = |reason| Problem::new(INVALID_RULES, format!("these are no rules: {reason}"));
            let text = std::str::from_utf8(parts.json_body()?).map_err(|error| invalid(error.to_string()))?;
            Rules::parse(text).map_err(invalid)?;
            Ok(Action::ChangeRules(text.to_owned()))
        }
        Route::Rules => Ok(Action::Rules),
        Route::Healthz => Ok(Action::Health),
        Route::Readyz => Ok(Action::Readiness),
        Route::Metrics => Ok(Action::Metrics),
    }
}
