//! A complete request.

use hyper::body::Bytes;
use hyper::header::{HeaderValue, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use hyper::{HeaderMap, Method};

use super::cors::comes_from_a_browser;
use super::{Code, Problem, Query, Target};

/// A request whose body has been read.
#[derive(Clone, Debug)]
pub struct BufferedRequest<'request, R> {
    /// The route, which takes this method.
    pub target: Target<'request, R>,
    /// The method.
    pub method: &'request Method,
    /// The query string.
    pub query: Query<'request>,
    /// The headers.
    pub headers: &'request HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl<R> BufferedRequest<'_, R> {
    /// The body of a request that must be JSON.
    ///
    /// `application/x-www-form-urlencoded` is taken for JSON because `curl -d` says so of any body; from a browser it is a
    /// form, which any page may send anywhere without being asked.
    pub fn json_body(&self) -> Result<&[u8], Problem> {
        let or_form = !comes_from_a_browser(self.headers);
        let mut types = self.headers.get_all(CONTENT_TYPE).iter();
        match types.all(|value| is_json(value, or_form)) {
            true => Ok(&self.body),
            false => Err(Problem::new(
                Code::UNSUPPORTED_MEDIA_TYPE,
                "the body must be application/json",
            )),
        }
    }

    /// A number in the query, between 1 and `most`; `default` where there is none.
    pub fn limit(&self, default: usize, most: usize) -> Result<usize, Problem> {
        match self.query.get("limit") {
            None => Ok(default),
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=most).contains(limit))
                .ok_or_else(|| Problem::new(Code::INVALID_QUERY, format!("limit must be 1 to {most}"))),
        }
    }
}

fn is_json(value: &HeaderValue, or_form: bool) -> bool {
    let text = value.to_str().unwrap_or("?").to_ascii_lowercase();
    match text.split(';').next().unwrap_or_default().trim() {
        "" | "application/json" | "text/json" => true,
        "application/x-www-form-urlencoded" => or_form,
        other => other.ends_with("+json"),
    }
}

/// Refuses a body that is packed: <https://www.rfc-editor.org/rfc/rfc9110#section-15.5.16>.
pub fn check_encoding(headers: &HeaderMap) -> Result<(), Problem> {
    let plain = |value: &HeaderValue| {
        let text = value.to_str().unwrap_or("?");
        text.split(',')
            .map(str::trim)
            .all(|coding| coding.is_empty() || coding.eq_ignore_ascii_case("identity"))
    };
    if headers.get_all(CONTENT_ENCODING).iter().all(plain) {
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
