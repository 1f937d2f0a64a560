//! The routes of the service.

use microservice::http;

use crate::rules::MAX_BYTES;

/// A route of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// `/`
    Index,
    /// `/price`
    Price,
    /// `/rules`
    Rules,
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
        Route::Price,
        Route::Rules,
        Route::Healthz,
        Route::Readyz,
        Route::Metrics,
    ];

    fn path(self) -> &'static str {
        match self {
            Route::Index => "/",
            Route::Price => "/price",
            Route::Rules => "/rules",
            Route::Healthz => "/healthz",
            Route::Readyz => "/readyz",
            Route::Metrics => "/metrics",
        }
    }

    fn allowed_methods(self) -> &'static str {
        match self {
            Route::Price => "POST, OPTIONS",
            Route::Rules => "GET, HEAD, PUT, OPTIONS",
            Route::Index | Route::Healthz | Route::Readyz | Route::Metrics => "GET, HEAD, OPTIONS",
        }
    }

    fn body_limit(self) -> usize {
        MAX_BYTES
    }
}
