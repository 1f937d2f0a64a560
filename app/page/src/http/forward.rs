//! What goes on to the orders service, and what comes back.

use hyper::header::{HeaderName, HeaderValue, ALLOW, CONTENT_TYPE, LINK, LOCATION, RETRY_AFTER, VIA};
use microservice::client::ClientResponse;
use microservice::http::{Response, Route as _, SERVED_BY};

use super::{BufferedRequest, Route};

/// The headers of an answer that clients use.
const FORWARDED: [HeaderName; 6] = [CONTENT_TYPE, LINK, LOCATION, ALLOW, RETRY_AFTER, SERVED_BY];

/// The path and query that a request is forwarded to; none for what is answered here.
pub fn forwarded_target(request: &BufferedRequest<'_>) -> Option<String> {
    let path = match (request.target.route, request.target.id) {
        (Route::Order, Some(id)) => format!("orders/{id}"),
        (route @ (Route::Orders | Route::Events | Route::DeadLetters | Route::Sidecar), _) => {
            route.path().trim_start_matches('/').to_owned()
        }
        _ => return None,
    };
    match request.query.text() {
        "" => Some(path),
        query => Some(format!("{path}?{query}")),
    }
}

/// Whether this is the id of an order. Anything else stays out of the path that the sidecar reads: `..` would lead to other
/// parts of its API.
pub fn is_order_id(id: &str) -> bool {
    let digits = id.strip_prefix('-').unwrap_or(id);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The response of the orders service, marked as one that came through this service:
/// <https://www.rfc-editor.org/rfc/rfc9110#section-7.6.3>.
pub fn forwarded_response(response: ClientResponse) -> Response {
    let content_type = HeaderValue::from_static("application/json");
    let mut forwarded = Response::new(response.status, content_type, response.body);
    for name in FORWARDED {
        if let Some(value) = response.headers.get(&name) {
            forwarded.headers.insert(name, value.clone());
        }
    }
    forwarded.with_header(VIA, HeaderValue::from_static("1.1 page"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_are_put_into_a_path() {
        for id in ["0", "7", "-1", "2147483648"] {
            assert!(is_order_id(id), "{id}");
        }
        for id in ["", "-", "..", "%2e%2e", "1/2", "1%2f..", "+1", "\u{661}"] {
            assert!(!is_order_id(id), "{id}");
        }
    }
}
