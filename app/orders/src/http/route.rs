//! The routes of the service.

use hyper::Method;

use microservice::http;

/// A route of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Route {
    /// `/`
    Index,
    /// `/echo`
    Echo,
    /// `/init`
    Init,
    /// `/create_order`
    CreateOrder,
    /// `/create_orders`
    CreateOrders,
    /// `/update_order`
    UpdateOrder,
    /// `/delete_order`
    DeleteOrder,
    /// `/orders`
    Orders,
    /// `/orders/{id}`
    SingleOrder,
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
    /// `/page.css`
    PageStyle,
    /// `/page.js`
    PageScript,
    /// `/sidecar.js`
    SidecarScript,
}

impl http::Route for Route {
    const ALL: &'static [Route] = &[
        Route::Index,
        Route::Echo,
        Route::Init,
        Route::CreateOrder,
        Route::CreateOrders,
        Route::UpdateOrder,
        Route::DeleteOrder,
        Route::Orders,
        Route::SingleOrder,
        Route::Events,
        Route::DeadLetters,
        Route::Sidecar,
        Route::Healthz,
        Route::Readyz,
        Route::Metrics,
        Route::PageStyle,
        Route::PageScript,
        Route::SidecarScript,
    ];

    fn path(self) -> &'static str {
        match self {
            Route::Index => "/",
            Route::Echo => "/echo",
            Route::Init => "/init",
            Route::CreateOrder => "/create_order",
            Route::CreateOrders => "/create_orders",
            Route::UpdateOrder => "/update_order",
            Route::DeleteOrder => "/delete_order",
            Route::Orders => "/orders",
            Route::SingleOrder => "/orders/{id}",
            Route::Events => "/events",
            Route::DeadLetters => "/dead_letters",
            Route::Sidecar => "/sidecar",
            Route::Healthz => "/healthz",
            Route::Readyz => "/readyz",
            Route::Metrics => "/metrics",
            Route::PageStyle => "/page.css",
            Route::PageScript => "/page.js",
            Route::SidecarScript => "/sidecar.js",
        }
    }

    fn allowed_methods(self) -> &'static str {
        match self {
            Route::Echo | Route::CreateOrder | Route::CreateOrders | Route::UpdateOrder => "POST, OPTIONS",
            Route::Init => "GET, POST, OPTIONS",
            Route::DeleteOrder => "GET, POST, DELETE, OPTIONS",
            Route::Orders => "GET, HEAD, POST, OPTIONS",
            Route::DeadLetters => "GET, HEAD, POST, DELETE, OPTIONS",
            Route::SingleOrder => "GET, HEAD, PUT, DELETE, OPTIONS",
            Route::Index
            | Route::Events
            | Route::Sidecar
            | Route::Healthz
            | Route::Readyz
            | Route::Metrics
            | Route::PageStyle
            | Route::PageScript
            | Route::SidecarScript => "GET, HEAD, OPTIONS",
        }
    }

    fn body_limit(self) -> usize {
        match self {
            Route::CreateOrders => 8 * 1024 * 1024,
            _ => http::DEFAULT_BODY_LIMIT,
        }
    }

    fn changes_state(self, method: &Method) -> bool {
        match self {
            Route::Init | Route::DeleteOrder => *method != Method::OPTIONS,
            Route::Echo => false,
            _ => !method.is_safe(),
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
        for path in ["", "/nope", "/orders/", "/orders/1/2", "/Orders", "//", "*"] {
            assert_eq!(Target::<Route>::from_path(path), None, "{path}");
        }
    }
}
