//! The routes of the service.

use microservice::http;

/// The largest body of events that is read. What is larger than a batch is refused all the same, but by this service:
/// it tells a sidecar to drop it. Dapr's own limit is 4 MB.
const MAX_DELIVERY_BYTES: usize = 4 * 1024 * 1024;

/// A route of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// `/`
    Index,
    /// `/events`
    Events,
    /// `/healthz`
    Healthz,
    /// `/readyz`
    Readyz,
    /// `/metrics`
    Metrics,
}

impl http::Route for Route {
    const ALL: &'static [Route] = &[
        Route::Index,
        Route::Events,
        Route::Healthz,
        Route::Readyz,
        Route::Metrics,
    ];

    fn path(self) -> &'static str {
        match self {
            Route::Index => "/",
            Route::Events => "/events",
            Route::Healthz => "/healthz",
            Route::Readyz => "/readyz",
            Route::Metrics => "/metrics",
        }
    }

    fn allowed_methods(self) -> &'static str {
        match self {
            Route::Events => "GET, HEAD, POST, OPTIONS",
            Route::Index | Route::Healthz | Route::Readyz | Route::Metrics => "GET, HEAD, OPTIONS",
        }
    }

    fn body_limit(self) -> usize {
        match self {
            Route::Events => MAX_DELIVERY_BYTES,
            _ => http::DEFAULT_BODY_LIMIT,
        }
    }
}
