//! The pure layers of a service in this process, between a request and its answer as the server would give it.

use hyper::header::{HeaderName, HeaderValue};
use hyper::{HeaderMap, Method, Uri};
use microservice::http::{self, BufferedRequest, Origins, Problem, Query, Route, Target};

use crate::http::{Request, Response};

/// Answers a request without a server.
pub fn send<R: Route>(
    request: &Request,
    origins: &Origins,
    answer: impl FnOnce(&BufferedRequest<'_, R>) -> Result<http::Response, Problem>,
) -> Response {
    let method: Method = request.method.parse().unwrap();
    let uri: Uri = request.target.parse().unwrap();
    let headers: HeaderMap = request
        .headers
        .iter()
        .map(|(name, value)| {
            let name: HeaderName = name.parse().unwrap();
            (name, HeaderValue::from_str(value).unwrap())
        })
        .collect();
    let response = Target::match_request(&method, uri.path())
        .and_then(|target| {
            origins.check(target.route, &method, &uri, &headers)?;
            if method == Method::OPTIONS {
                return Ok(origins.preflight(target.route, &headers));
            }
            answer(&BufferedRequest {
                target,
                method: &method,
                query: Query::new(uri.query()),
                headers: &headers,
                body: request.body.clone().into(),
            })
        })
        .unwrap_or_else(http::Response::from);
    to_response(origins.add_headers(response, &headers), method == Method::HEAD)
}

fn to_response(response: http::Response, without_body: bool) -> Response {
    let body = if without_body {
        String::new()
    } else {
        String::from_utf8(response.body.into_bytes().to_vec()).unwrap()
    };
    let headers = response.headers.iter();
    Response {
        status: response.status.as_u16(),
        headers: headers
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect(),
        body,
    }
}
