//! The service: serves the page's files, and forwards the rest.

use std::sync::Arc;
use std::time::Duration;

use hyper::{Method, StatusCode};
use microservice::client::ClientError;
use microservice::context::Context;
use microservice::dapr::Peer;
use microservice::http::{Code, Problem, Response};
use microservice::log::{self, Level};
use microservice::memory::Exhausted;
use microservice::server::Service;
use microservice::trace::Trace;

use crate::config::Config;
use crate::files;
use crate::http::{forwarded_response, forwarded_target, is_order_id, BufferedRequest, Route};

/// The app id of the orders service.
const ORDERS: &str = "orders";
/// Longer than the orders service takes to answer, or to say that it cannot: it waits up to eight seconds for a price.
const TIMEOUT: Duration = Duration::from_secs(14);
/// The orders service, or a sidecar on the way to it, does not respond.
const UNREACHABLE: Code = Code::new("unreachable", StatusCode::SERVICE_UNAVAILABLE);

/// The service of the page.
#[derive(Debug)]
pub struct PageService {
    context: Arc<Context>,
    orders: Peer,
}

impl PageService {
    /// The service as it is configured.
    pub fn new(config: &Config, context: Arc<Context>) -> PageService {
        let endpoint = config.sidecar.invocation(ORDERS, "");
        PageService {
            orders: Peer::with_timeout(endpoint, TIMEOUT, context.memory.clone()),
            context,
        }
    }

    async fn forward(&self, request: BufferedRequest<'_>, target: &str) -> Result<Response, Problem> {
        if request.target.id.is_some_and(|id| !is_order_id(id)) {
            return Err(Problem::new(Code::NOT_FOUND, "an order's id is a number"));
        }
        if has_order(&request) {
            // It is forwarded as JSON.
            request.json_body()?;
        }
        let method = match *request.method {
            // The server sends no body then.
            Method::HEAD => Method::GET,
            _ => request.method.clone(),
        };
        let trace = Trace::from_headers(request.headers);
        let is_safe = method.is_safe();
        let outcome = self.orders.forward(method, target, request.body, &trace).await;
        outcome
            .map(forwarded_response)
            .map_err(|error| unanswered_problem(&error, is_safe))
    }
}

fn has_order(request: &BufferedRequest<'_>) -> bool {
    matches!(request.target.route, Route::Orders | Route::Order)
        && matches!(*request.method, Method::POST | Method::PUT)
}

/// The problem of a request that the orders service has not answered. A change that was sent may have been made.
fn unanswered_problem(error: &ClientError, is_safe: bool) -> Problem {
    match error {
        ClientError::Unreachable(_) => {}
        // Nothing was sent, not even a change.
        ClientError::Busy => return Exhausted.into(),
        _ if !is_safe => {
            log::event(
                Level::Warn,
                &format!("the orders service has not answered a change: {error}"),
            );
            let message = "the orders service has not answered; look whether the change was made before you repeat it";
            return Problem::new(Code::TIMEOUT, message);
        }
        ClientError::NoMemory => return Exhausted.into(),
        ClientError::TooLarge => {
            let message = "the answer of the orders service is larger than 1 MiB; ask for a smaller limit";
            return Problem::new(Code::ANSWER_TOO_LARGE, message);
        }
        ClientError::Failed(_) => {}
    }
    log::event(Level::Warn, &format!("the orders service cannot be reached: {error}"));
    Problem::new(UNREACHABLE, "the orders service cannot be reached just now")
}

impl Service for PageService {
    type Route = Route;

    async fn handle(&self, request: BufferedRequest<'_>) -> Result<Response, Problem> {
        let route = request.target.route;
        if let Some(target) = forwarded_target(&request) {
            return self.forward(request, &target).await;
        }
        Ok(match route {
            Route::Style => files::style(),
            Route::Script => files::script(),
            Route::SidecarScript => files::sidecar_script(),
            Route::Healthz => self.context.health(),
            Route::Metrics => self.context.metrics(&[]),
            // The page can be shown, and says itself what is away.
            Route::Readyz => Response::success(),
            _ => files::html(),
        })
    }

    async fn run_background(&self) {}
}
