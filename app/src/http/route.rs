//! Which paths the service knows, and with which methods.

use hyper::Method;

use super::{Code, Problem};

/// A path of the contract. Metrics use its name, so that clients cannot make up new ones.
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
    OneOrder,
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
}

/// A route together with the part of the path that varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'path> {
    /// The route.
    pub route: Route,
    /// The `{id}` of [`Route::OneOrder`], as written.
    pub id: Option<&'path str>,
}

const MEBIBYTE: usize = 1024 * 1024;

impl Route {
    /// All routes, in the order in which `/` lists them.
    pub const ALL: [Route; 14] = [
        Route::Index,
        Route::Echo,
        Route::Init,
        Route::CreateOrder,
        Route::CreateOrders,
        Route::UpdateOrder,
        Route::DeleteOrder,
        Route::Orders,
        Route::OneOrder,
        Route::Healthz,
        Route::Readyz,
        Route::Metrics,
        Route::PageStyle,
        Route::PageScript,
    ];

    /// The path, with `{id}` for the part that varies.
    pub fn path(self) -> &'static str {
        match self {
            Route::Index => "/",
            Route::Echo => "/echo",
            Route::Init => "/init",
            Route::CreateOrder => "/create_order",
            Route::CreateOrders => "/create_orders",
            Route::UpdateOrder => "/update_order",
            Route::DeleteOrder => "/delete_order",
            Route::Orders => "/orders",
            Route::OneOrder => "/orders/{id}",
            Route::Healthz => "/healthz",
            Route::Readyz => "/readyz",
            Route::Metrics => "/metrics",
            Route::PageStyle => "/page.css",
            Route::PageScript => "/page.js",
        }
    }

    /// The methods of the route, as the `Allow` header lists them. HEAD goes where GET only reads:
    /// <https://www.rfc-editor.org/rfc/rfc9110#section-9.3.2>.
    pub fn allow(self) -> &'static str {
        match self {
            Route::Echo | Route::CreateOrder | Route::CreateOrders | Route::UpdateOrder => "POST, OPTIONS",
            Route::Init => "GET, POST, OPTIONS",
            Route::DeleteOrder => "GET, POST, DELETE, OPTIONS",
            Route::Orders => "GET, HEAD, POST, OPTIONS",
            Route::OneOrder => "GET, HEAD, PUT, DELETE, OPTIONS",
            Route::Index | Route::Healthz | Route::Readyz | Route::Metrics | Route::PageStyle | Route::PageScript => {
                "GET, HEAD, OPTIONS"
            }
        }
    }

    /// Whether the route takes the method.
    pub fn allows(self, method: &Method) -> bool {
        self.allow().split(", ").any(|allowed| allowed == method.as_str())
    }

    /// The largest body in bytes that the route reads.
    pub fn body_limit(self) -> usize {
        match self {
            Route::CreateOrders => 8 * MEBIBYTE,
            _ => MEBIBYTE,
        }
    }

    /// Whether a request with this method changes anything, though it may be a GET.
    pub fn changes_state(self, method: &Method) -> bool {
        match self {
            Route::Init | Route::DeleteOrder => *method != Method::OPTIONS,
            Route::Echo => false,
            _ => matches!(*method, Method::POST | Method::PUT | Method::DELETE),
        }
    }
}

impl Target<'_> {
    /// Finds the route of a path and checks that it takes the method.
    pub fn find<'path>(method: &Method, path: &'path str) -> Result<Target<'path>, Problem> {
        let target =
            Target::of_path(path).ok_or_else(|| Problem::new(Code::NotFound, "there is nothing at this path"))?;
        if target.route.allows(method) {
            return Ok(target);
        }
        let allow = target.route.allow();
        Err(Problem {
            allow: Some(allow),
            ..Problem::new(Code::MethodNotAllowed, format!("this path takes only {allow}"))
        })
    }

    /// The route of a path, whatever the method.
    pub fn of_path(path: &str) -> Option<Target<'_>> {
        if let Some(id) = path.strip_prefix("/orders/") {
            let one_segment = !id.is_empty() && !id.contains('/');
            return one_segment.then_some(Target {
                route: Route::OneOrder,
                id: Some(id),
            });
        }
        Route::ALL
            .into_iter()
            .find(|route| route.path() == path)
            .filter(|route| *route != Route::OneOrder)
            .map(|route| Target { route, id: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_route_by_its_path() {
        for route in Route::ALL {
            let path = route.path().replace("{id}", "7");
            assert_eq!(Target::of_path(&path).map(|found| found.route), Some(route));
        }
        for path in ["", "/nope", "/orders/", "/orders/1/2", "/Orders", "//", "*"] {
            assert_eq!(Target::of_path(path), None, "{path}");
        }
    }
}
