//! The files of the page, as answers.

use hyper::header::{HeaderValue, ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, VARY};
use hyper::{HeaderMap, StatusCode};

use microservice::http::Response;

const HTML: &str = include_str!("../files/index.html");
const STYLE: &str = include_str!("../files/page.css");
const SCRIPT: &str = include_str!("../files/page.js");
const SIDECAR_SCRIPT: &str = include_str!("../files/sidecar.js");

/// The page may load its own files and send requests to its own service only.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// Whether `/` should respond with the page: browsers accept HTML explicitly, curl does not.
pub fn accepts_html(headers: &HeaderMap) -> bool {
    headers
        .get_all(ACCEPT)
        .iter()
        .any(|value| value.to_str().is_ok_and(|text| text.contains("text/html")))
}

/// The page itself.
pub fn html() -> Response {
    file(HTML, "text/html; charset=utf-8")
        .with_header(CONTENT_SECURITY_POLICY, POLICY)
        .with_header(VARY, HeaderValue::from_static("accept"))
}

/// `/page.css`
pub fn style() -> Response {
    file(STYLE, "text/css; charset=utf-8")
}

/// `/page.js`
pub fn script() -> Response {
    file(SCRIPT, "text/javascript; charset=utf-8")
}

/// `/sidecar.js`
pub fn sidecar_script() -> Response {
    file(SIDECAR_SCRIPT, "text/javascript; charset=utf-8")
}

/// Not cached, because the files must all be of the same version.
fn file(text: &'static str, content_type: &'static str) -> Response {
    let content_type = HeaderValue::from_static(content_type);
    Response::new(StatusCode::OK, content_type, text).with_header(CACHE_CONTROL, HeaderValue::from_static("no-cache"))
}
