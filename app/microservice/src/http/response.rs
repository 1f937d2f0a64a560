//! Responses: status, headers and body.

use hyper::header::{
    HeaderName, HeaderValue, CONTENT_SECURITY_POLICY, CONTENT_TYPE, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{HeaderMap, StatusCode};

use super::{Content, Problem};

/// The `Retry-After` of a 503. When the database is unreachable, the pool tries to connect about once per second.
const RETRY_AFTER_SECONDS: &str = "1";

/// The header that names the replica which responded, and how its code is executed. Every response of a service has it.
pub const SERVED_BY: HeaderName = HeaderName::from_static("x-served-by");

/// A response.
#[derive(Debug)]
pub struct Response {
    /// The status, which also counts in the metrics.
    pub status: StatusCode,
    /// The headers, without those that the server adds.
    pub headers: HeaderMap,
    /// What is sent to all requests but HEAD.
    pub body: Content,
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

impl Response {
    /// A response with a body of this media type.
    ///
    /// By default, browsers may neither execute nor frame it, since it may hold data of a client.
    pub fn new(status: StatusCode, content_type: HeaderValue, body: impl Into<Content>) -> Response {
        Response {
            status,
            headers: HeaderMap::new(),
            body: body.into(),
        }
        .with_header(CONTENT_TYPE, content_type)
        .with_header(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))
        .with_header(
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox"),
        )
    }

    /// Adds a header, or replaces the one of the same name.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Response {
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

    /// 200 with metrics in the Prometheus text format.
    pub fn metrics(body: impl Into<Content>) -> Response {
        let content_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
        Response::new(StatusCode::OK, content_type, body)
    }

    /// 200 with `{"status":true}`.
    pub fn success() -> Response {
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

    /// Adds a header whose value is known to be plain ASCII.
    pub fn with_header_text(self, name: HeaderName, value: &str) -> Response {
        match HeaderValue::from_str(value) {
            Ok(value) => self.with_header(name, value),
            Err(_) => self,
        }
    }
}

impl From<Problem> for Response {
    fn from(problem: Problem) -> Response {
        let response = Response::new(problem.code.status, JSON, problem.to_json());
        match problem.header {
            Some((name, value)) => response.with_header(name, HeaderValue::from_static(value)),
            None if problem.code.status == StatusCode::SERVICE_UNAVAILABLE => {
                response.with_header(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS))
            }
            None => response,
        }
    }
}
