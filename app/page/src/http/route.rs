//! Which paths the service knows, and with which methods.

use microservice::http;

/// A path of the service: the page's files, what the page asks of the orders service, and what every service has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// `/`
    Index,
    /// `/page.css`
    Style,
    /// `/page.js`
    Script,
    /// `/sidecar.js`
    SidecarScript,
    /// `/orders`
    Orders,
    /// `/orders/{id}`
    Order,
    /// `/events`
    Events,
    /// `/dead_letters`
    DeadLetters,
    /// `/sidecar`
    Sidecar,
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
        Route::Style,
        Route::Script,
        Route::SidecarScript,
        Route::Orders,
        Route::Order,
        Route::Events,
        Route::DeadLetters,
        Route::Sidecar,
        Route::Healthz,
        Route::Readyz,
        Route::Metrics,
    ];

    fn path(self) -> &'static str {
        match self {
            Route::Index => "/",
            Route::Style => "/page.css",
            Route::Script => "/page.js",
            Route::SidecarScript => "/sidecar.js",
            Route::Orders => "/orders",
            Route::Order => "/orders/{id}",
            Route::Events => "/events",
            Route::DeadLetters => "/dead_letters",
            Route::Sidecar => "/sidecar",
            Route::Healthz => "/healthz",
            Route::Readyz => "/readyz",
            Route::Metrics => "/metrics",
        }
    }

    fn allowed_methods(self) -> &'static str {
        match self {
            Route::Orders => "GET, HEAD, POST, OPTIONS",
            Route::Order => "GET, HEAD, PUT, DELETE, OPTIONS",
            Route::DeadLetters => "GET, HEAD, POST, DELETE, OPTIONS",
            _ => "GET, HEAD, OPTIONS",
        }
    }
}

#[cfg(test)]
mod tests {
    use microservice::http::{Route as _, Target};

    use super::*;

    #[test]
    fn finds_every_route_by_its_path() {
        for &route in Route::ALL {
            let path = route.path().replace("{id}", "7");
            assert_eq!(Target::from_path(&path).map(|found| found.route), Some(route));
        }
        assert_eq!(Target::<Route>::from_path("/create_order"), None);
    }
}
