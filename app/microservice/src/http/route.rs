//! Which paths a service knows, and with which methods.

use hyper::header::ALLOW;
use hyper::Method;

use super::{Code, Problem};

/// A path of a service. Metrics use its name, so that clients cannot make up new ones.
pub trait Route: Copy + Eq + Send + Sync + 'static {
    /// All routes, in the order in which they are listed.
    const ALL: &'static [Self];

    /// The path, with `{id}` in place of a last segment that varies.
    fn path(self) -> &'static str;

    /// The methods of the route, as the `Allow` header lists them. HEAD goes where GET only reads:
    /// <https://www.rfc-editor.org/rfc/rfc9110#section-9.3.2>.
    fn allow(self) -> &'static str;

    /// The largest body in bytes that the route reads.
    fn body_limit(self) -> usize {
        DEFAULT_BODY_LIMIT
    }

    /// Whether a request with this method changes anything, though it may be a GET.
    fn changes_state(self, method: &Method) -> bool {
        matches!(*method, Method::POST | Method::PUT | Method::DELETE)
    }

    /// Whether the route takes the method.
    fn allows(self, method: &Method) -> bool {
        self.allow().split(", ").any(|allowed| allowed == method.as_str())
    }

    /// All routes, a line each.
    fn list() -> String {
        let line = |route: &Self| format!("{} {}\n", route.path(), route.allow());
        Self::ALL.iter().map(line).collect()
    }
}

/// What most routes read of a body, and what is read for paths that do not exist.
pub const DEFAULT_BODY_LIMIT: usize = 1024 * 1024;

/// A route together with the part of the path that varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'path, R> {
    /// The route.
    pub route: R,
    /// The `{id}` of the route's path, as written.
    pub id: Option<&'path str>,
}

impl<'path, R: Route> Target<'path, R> {
    /// Finds the route of a path and checks that it takes the method.
    pub fn find(method: &Method, path: &'path str) -> Result<Target<'path, R>, Problem> {
        let target: Target<'_, R> =
            Target::of_path(path).ok_or_else(|| Problem::new(Code::NOT_FOUND, "there is nothing at this path"))?;
        if target.route.allows(method) {
            return Ok(target);
        }
        let allow = target.route.allow();
        Err(Problem {
            header: Some((ALLOW, allow)),
            ..Problem::new(Code::METHOD_NOT_ALLOWED, format!("this path takes only {allow}"))
        })
    }

    /// The route of a path, whatever the method.
    pub fn of_path(path: &'path str) -> Option<Target<'path, R>> {
        R::ALL.iter().find_map(|route| {
            let id = match route.path().strip_suffix("{id}") {
                None => {
                    return (route.path() == path).then_some(Target {
                        route: *route,
                        id: None,
                    })
                }
                Some(folder) => path.strip_prefix(folder)?,
            };
            let one_segment = !id.is_empty() && !id.contains('/');
            one_segment.then_some(Target {
                route: *route,
                id: Some(id),
            })
        })
    }
}
