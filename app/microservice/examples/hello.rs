//! A service without a database: `cargo run --example hello`, then `curl localhost:8080/hello/ann`.

use std::process::ExitCode;
use std::sync::Arc;

use microservice::config;
use microservice::context::{Context, Name};
use microservice::http::{self, BufferedRequest, Problem, Response, Route as _};
use microservice::server::{self, Service, StartError};

const NAME: Name = Name {
    name: "hello",
    version: env!("CARGO_PKG_VERSION"),
};

/// The paths.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Route {
    Index,
    Hello,
    Healthz,
    Readyz,
    Metrics,
}

impl http::Route for Route {
    const ALL: &'static [Route] = &[
        Route::Index,
        Route::Hello,
        Route::Healthz,
        Route::Readyz,
        Route::Metrics,
    ];

    fn path(self) -> &'static str {
        match self {
            Route::Index => "/",
            Route::Hello => "/hello/{id}",
            Route::Healthz => "/healthz",
            Route::Readyz => "/readyz",
            Route::Metrics => "/metrics",
        }
    }

    fn allowed_methods(self) -> &'static str {
        "GET, HEAD, OPTIONS"
    }
}

/// What all requests share.
struct Hello {
    context: Arc<Context>,
}

impl Service for Hello {
    type Route = Route;

    async fn handle(&self, request: BufferedRequest<'_, Route>) -> Result<Response, Problem> {
        Ok(match request.target.route {
            Route::Index => Response::text(Route::list()),
            Route::Hello => Response::text(format!("Hello, {}\n", request.target.id.unwrap_or_default())),
            Route::Healthz => self.context.health(),
            // Nothing to wait for. With a database: `self.database.check_ready().await?`.
            Route::Readyz => Response::success(),
            Route::Metrics => self.context.metrics(&[]),
        })
    }

    // Nothing to do beside requests. With a database: `self.database.keep_tables_current().await`.
    async fn run_background(&self) {}
}

fn run() -> Result<(), StartError> {
    let variable = |name: &str| std::env::var(name).ok();
    let settings = config::read(variable, |reader| reader.settings())?;
    server::run(NAME, settings, |context| Hello { context })
}

fn main() -> ExitCode {
    microservice::exit(run())
}
