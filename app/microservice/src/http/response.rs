//! Answers: status, headers and body, before they go to the wire.

use hyper::header::{
    HeaderName, HeaderValue, CONTENT_SECURITY_POLICY, CONTENT_TYPE, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{HeaderMap, StatusCode};

use super::{Content, Problem};

/// Seconds after which a client may try again when the service is busy or the database is away. The pool tries to connect
/// about once a second then.
const RETRY_AFTER_SECONDS: &str = "1";

/// An answer.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers, without those that the HTTP library adds.
    pub headers: HeaderMap,
    /// The body.
    pub body: Content,
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

impl Response {
    /// An answer with a body of this type.
    ///
    /// Nothing but the page may be run or framed by a browser, not even what `/echo` sends back.
    pub fn new(status: StatusCode, content_type: HeaderValue, body: impl Into<Content>) -> Response {
        Response {
            status,
            headers: HeaderMap::new(),
            body: body.into(),
        }
        .with(CONTENT_TYPE, content_type)
        .with(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))
        .with(
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox"),
        )
    }

    /// The answer with a header, which takes the place of an earlier one of that name.
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Response {
        self.headers.insert(name, value);
        self
    }

    /// 200 with JSON.
    pub fn json(body: impl Into<Content>) -> Response {
        Response::new(StatusCode::OK, JSON, body)
    }

    /// 200 with plain text.
    pub fn text(body: impl Into<Content>) -> Response {
        let content_type = HeaderValue::from_static("text/plain; charset=utf-8");
        Response::new(StatusCode::OK, content_type, body)
    }

    /// 200 with metrics in Prometheus' text format.
    pub fn metrics(body: impl Into<Content>) -> Response {
        let content_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
        Response::new(StatusCode::OK, content_type, body)
    }

    /// 200 with `{"status":true}`.
    pub fn done() -> Response {
        Response::json(r#"{"status":true}"#)
    }

    /// 204 without a body.
    pub fn no_content() -> Response {
        Response {
            status: StatusCode::NO_CONTENT,
            headers: HeaderMap::new(),
            body: Content::default(),
        }
    }

    /// A header value made of parts that are known to be plain ASCII.
    pub fn with_text(self, name: HeaderName, value: &str) -> Response {
        match HeaderValue::from_str(value) {
            Ok(value) => self.with(name, value),
            Err(_) => self,
        }
    }
}

impl From<Problem> for Response {
    fn from(problem: Problem) -> Response {
        let response = Response::new(problem.code.status, JSON, problem.to_json());
        match problem.header {
            Some((name, value)) => response.with(name, HeaderValue::from_static(value)),
            None if problem.code.status == StatusCode::SERVICE_UNAVAILABLE => {
                response.with(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS))
            }
            None => response,
        }
    }
}
