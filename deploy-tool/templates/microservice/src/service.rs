//! The routes: from a request to its answer. A panic would end the process for every client: return problems instead.

use std::sync::Arc;

use microservice::context::Context;
use microservice::http::{self, BufferedRequest, Problem, Response};
use microservice::server::Service;

const GREETING: &str = "Hello from greeter\n";

/// The paths.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Route {
    Index,
    Echo,
    Healthz,
    Readyz,
    Metrics,
}

impl http::Route for Route {
    const ALL: &'static [Route] = &[
        Route::Index,
        Route::Echo,
        Route::Healthz,
        Route::Readyz,
        Route::Metrics,
    ];

    fn path(self) -> &'static str {
        match self {
            Route::Index => "/",
            Route::Echo => "/echo",
            Route::Healthz => "/healthz",
            Route::Readyz => "/readyz",
            Route::Metrics => "/metrics",
        }
    }

    fn allowed_methods(self) -> &'static str {
        match self {
            Route::Echo => "POST, OPTIONS",
            _ => "GET, HEAD, OPTIONS",
        }
    }
}

/// What all requests share.
pub struct App {
    context: Arc<Context>,
}

impl App {
    pub fn new(context: Arc<Context>) -> Self {
        Self { context }
    }
}

impl Service for App {
    type Route = Route;

    async fn handle(&self, request: BufferedRequest<'_, Route>) -> Result<Response, Problem> {
        Ok(match request.target.route {
            Route::Index => Response::text(GREETING),
            Route::Echo => Response::text(request.body),
            Route::Healthz => self.context.health(),
            // Nothing to wait for.
            Route::Readyz => Response::success(),
            Route::Metrics => self.context.metrics(&[]),
        })
    }

    // Nothing to do beside requests.
    async fn run_background(&self) {}
}
