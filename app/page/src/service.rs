//! The service: serves the page's files, and forwards the rest.

use std::sync::Arc;
use std::time::Duration;

use hyper::{Method, StatusCode};
use microservice::client::ClientError;
use microservice::context::Context;
use microservice::dapr::Upstream;
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
const LIMIT: Duration = Duration::from_secs(14);
/// The orders service, or a sidecar on the way to it, does not answer.
const UNREACHABLE: Code = Code::new("unreachable", StatusCode::SERVICE_UNAVAILABLE);

/// The service of the page.
#[derive(Debug)]
pub struct PageService {
    context: Arc<Context>,
    orders: Upstream,
}

impl PageService {
    /// The service as it is configured.
    pub fn new(config: &Config, context: Arc<Context>) -> PageService {
        let endpoint = config.sidecar.invocation(ORDERS, "");
        PageService {
            orders: Upstream::new(endpoint, LIMIT, context.memory.clone()),
            context,
        }
    }

    async fn forward(&self, request: BufferedRequest<'_>, target: &str) -> Result<Response, Problem> {
        if request.target.id.is_some_and(|id| !is_order_id(id)) {
            return Err(Problem::new(Code::NOT_FOUND, "an order's id is a number"));
        }
        let method = match *request.method {
            // The server sends no body then.
            Method::HEAD => Method::GET,
            _ => request.method.clone(),
        };
        let trace = Trace::from_headers(request.headers);
        let reason = match self.orders.forward(method, target, request.body, &trace).await {
            Ok(response) => {
                let status = response.status;
                match forwarded_response(response) {
                    Some(response) => return Ok(response),
                    None => format!("a sidecar answers with status {status}"),
                }
            }
            Err(ClientError::Busy) => return Err(Exhausted.into()),
            Err(error) => error.to_string(),
        };
        log::event(Level::Warn, &format!("the orders service cannot be reached: {reason}"));
        let message = "the orders service cannot be reached just now";
        Err(Problem::new(UNREACHABLE, message))
    }
}

impl Service for PageService {
    type Route = Route;

    async fn handle(&self, request: BufferedRequest<'_>) -> Result<Response, Problem> {
        let route = request.target.route;
        if *request.method == Method::OPTIONS {
            return Ok(self.context.origins.preflight(route, request.headers));
        }
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
