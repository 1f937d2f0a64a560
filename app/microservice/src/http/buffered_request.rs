//! A request with its body.

use hyper::body::Bytes;
use hyper::header::{HeaderValue, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use hyper::{HeaderMap, Method};

use super::cors::is_from_browser;
use super::{Code, Problem, Query, Target};

/// A request whose body has been read.
#[derive(Clone, Debug)]
pub struct BufferedRequest<'request, R> {
    /// The route, which allows the method.
    pub target: Target<'request, R>,
    /// One of the methods that the route allows.
    pub method: &'request Method,
    /// What follows the `?` of the target; empty without one.
    pub query: Query<'request>,
    /// All headers, those of the connection included.
    pub headers: &'request HeaderMap,
    /// The whole body, of at most the [`body_limit`](super::Route::body_limit) of the route; empty without one.
    pub body: Bytes,
}

impl<R> BufferedRequest<'_, R> {
    /// The body, if its media type is JSON.
    ///
    /// `application/x-www-form-urlencoded` is accepted as well, because `curl -d` sends it with any body. Not from a
    /// browser: there it is a form, which any site may send without a CORS preflight.
    pub fn json_body(&self) -> Result<&[u8], Problem> {
        let allows_form = !is_from_browser(self.headers);
        let mut types = self.headers.get_all(CONTENT_TYPE).iter();
        if types.all(|value| is_json(value, allows_form)) {
            Ok(&self.body)
        } else {
            Err(Problem::new(
                Code::UNSUPPORTED_MEDIA_TYPE,
                "the body must be application/json",
            ))
        }
    }

    /// The query parameter `limit`, from 1 to `max`; `default` if it is missing.
    pub fn parse_limit(&self, default: usize, max: usize) -> Result<usize, Problem> {
        match self.query.get("limit") {
            None => Ok(default),
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=max).contains(limit))
                .ok_or_else(|| Problem::new(Code::INVALID_QUERY, format!("limit must be 1 to {max}"))),
        }
    }
}

fn is_json(value: &HeaderValue, allows_form: bool) -> bool {
    let text = value.to_str().unwrap_or("?").to_ascii_lowercase();
    match text.split(';').next().unwrap_or_default().trim() {
        "" | "application/json" | "text/json" => true,
        "application/x-www-form-urlencoded" => allows_form,
        other => other.ends_with("+json"),
    }
}

/// Refuses a compressed body: <https://www.rfc-editor.org/rfc/rfc9110#section-15.5.16>.
pub fn check_encoding(headers: &HeaderMap) -> Result<(), Problem> {
    let is_identity = |value: &HeaderValue| {
        let text = value.to_str().unwrap_or("?");
        text.split(',')
            .map(str::trim)
            .all(|coding| coding.is_empty() || coding.eq_ignore_ascii_case("identity"))
    };
    if headers.get_all(CONTENT_ENCODING).iter().all(is_identity) {
        return Ok(());
    }
    Err(Problem {
        header: Some((ACCEPT_ENCODING, "identity")),
        ..Problem::new(
            Code::UNSUPPORTED_MEDIA_TYPE,
            "the body must not be packed: send it without a Content-Encoding",
        )
    })
}
