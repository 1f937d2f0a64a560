//! The routes of a service: paths and methods.

use hyper::header::ALLOW;
use hyper::Method;

use super::{Code, Problem};

/// A route of a service. It is a label of the metrics, so the set of routes must be closed.
pub trait Route: Copy + Eq + Send + Sync + 'static {
    /// All routes, in the order of [`Route::list`].
    const ALL: &'static [Self];

    /// The path. Its last segment may be `{id}`, which matches any segment.
    fn path(self) -> &'static str;

    /// The allowed methods, as in the `Allow` header. With a GET that only reads, HEAD is allowed too:
    /// <https://www.rfc-editor.org/rfc/rfc9110#section-9.3.2>.
    fn allowed_methods(self) -> &'static str;

    /// The largest body in bytes.
    fn body_limit(self) -> usize {
        DEFAULT_BODY_LIMIT
    }

    /// Whether a request with this method changes anything; a GET may.
    fn changes_state(self, method: &Method) -> bool {
        !method.is_safe()
    }

    /// Whether the method is allowed.
    fn allows(self, method: &Method) -> bool {
        self.allowed_methods()
            .split(", ")
            .any(|allowed| allowed == method.as_str())
    }

    /// All routes, a line each.
    fn list() -> String {
        let line = |route: &Self| format!("{} {}\n", route.path(), route.allowed_methods());
        Self::ALL.iter().map(line).collect()
    }
}

/// The largest body of most routes, and of requests to unknown paths.
pub const DEFAULT_BODY_LIMIT: usize = 1024 * 1024;

/// A route with its path parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'path, R> {
    /// The route.
    pub route: R,
    /// The `{id}` of the path, not decoded.
    pub id: Option<&'path str>,
}

impl<'path, R: Route> Target<'path, R> {
    /// The route of a path, if it allows the method.
    pub fn match_request(method: &Method, path: &'path str) -> Result<Target<'path, R>, Problem> {
        let target: Target<'_, R> =
            Target::from_path(path).ok_or_else(|| Problem::new(Code::NOT_FOUND, "there is nothing at this path"))?;
        if target.route.allows(method) {
            return Ok(target);
        }
        let allow = target.route.allowed_methods();
        Err(Problem {
            header: Some((ALLOW, allow)),
            ..Problem::new(Code::METHOD_NOT_ALLOWED, format!("this path takes only {allow}"))
        })
    }

    /// The route of a path, whatever the method.
    pub fn from_path(path: &'path str) -> Option<Target<'path, R>> {
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
            let is_one_segment = !id.is_empty() && !id.contains('/');
            is_one_segment.then_some(Target {
                route: *route,
                id: Some(id),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, PartialEq, Eq)]
    struct Books;

    impl Route for Books {
        const ALL: &'static [Self] = &[Books];

        fn path(self) -> &'static str {
            "/books"
        }

        fn allowed_methods(self) -> &'static str {
            "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
        }
    }

    #[test]
    fn every_method_changes_something_unless_it_is_safe() {
        for (method, changes_state) in [
            ("GET", false),
            ("HEAD", false),
            ("OPTIONS", false),
            ("POST", true),
            ("PUT", true),
            ("PATCH", true),
            ("DELETE", true),
            ("BREW", true),
        ] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            assert_eq!(Books.changes_state(&method), changes_state, "{method}");
        }
    }
}
