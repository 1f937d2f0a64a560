//! Cross-origin requests: which web sites may use the service from the browsers of their visitors.
//!
//! The checks follow Go's `CrossOriginProtection`: <https://pkg.go.dev/net/http#CrossOriginProtection>. Clients other
//! than browsers, such as curl, send none of the headers that are checked.

use hyper::header::{
    HeaderName, HeaderValue, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, HOST, ORIGIN, REFERER, USER_AGENT, VARY,
};
use hyper::{HeaderMap, Method, Uri};

use super::{Code, Hosts, Problem, Response, Route};

/// The origins listed in `CORS_ALLOW_ORIGIN`, none by default and never a wildcard, and the names in `ALLOWED_HOSTS`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    listed: Vec<String>,
    hosts: Hosts,
}

/// An origin: scheme, host and, if it is not the default one, port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// Reads an origin as browsers send it, like `https://shop.example:8443`.
    pub fn parse(text: &str) -> Option<Origin> {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
        let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.:[]".contains(&byte);
        (!host.is_empty() && host.bytes().all(is_allowed)).then(|| Origin(text.to_owned()))
    }
}

/// Sent by browsers with every request to a potentially trustworthy origin: <https://www.w3.org/TR/fetch-metadata/>.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

impl Origins {
    /// Allows these origins, and these host names of the service.
    pub fn new(origins: impl IntoIterator<Item = Origin>, hosts: Hosts) -> Origins {
        Origins {
            listed: origins.into_iter().map(|origin| origin.0).collect(),
            hosts,
        }
    }

    /// Refuses a cross-site request that would change something (CSRF), and any request from a browser to a host name
    /// that is not allowed (DNS rebinding).
    pub fn check(&self, route: impl Route, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        if !is_from_browser(headers) || self.allowed_origin(headers).is_some() {
            return Ok(());
        }
        let host = requested_host(uri, headers);
        if !host.is_some_and(|host| self.hosts.allows(host)) {
            return Err(cross_site_problem(
                "browsers may not use the service by this name; its administrator can list it in ALLOWED_HOSTS",
            ));
        }
        if !route.changes_state(method) {
            return Ok(());
        }
        // Any site can cause a GET with a link or an image.
        if method.is_safe() {
            return Err(cross_site_problem("a browser may not change anything here with a GET"));
        }
        let is_same_origin = match (headers.get(SEC_FETCH_SITE), headers.get(ORIGIN)) {
            (Some(_), _) => {
                let mut sites = headers.get_all(SEC_FETCH_SITE).iter();
                sites.all(|site| site == "same-origin" || site == "none")
            }
            (None, Some(_)) => headers
                .get_all(ORIGIN)
                .iter()
                .all(|origin| is_origin_of_host(origin, host)),
            (None, None) => true,
        };
        if is_same_origin {
            Ok(())
        } else {
            Err(cross_site_problem("pages of other sites may not change anything here"))
        }
    }

    /// The response to OPTIONS, as the server gives it. [`Origins::add_headers`] adds what all responses to a listed
    /// origin have.
    pub fn preflight(&self, route: impl Route, headers: &HeaderMap) -> Response {
        let allow = HeaderValue::from_static(route.allowed_methods());
        let response = Response::no_content().with_header(ALLOW, allow.clone());
        if self.allowed_origin(headers).is_none() {
            return response;
        }
        response
            .with_header(ACCESS_CONTROL_ALLOW_METHODS, allow)
            .with_header(
                ACCESS_CONTROL_ALLOW_HEADERS,
                HeaderValue::from_static("content-type, x-request-id"),
            )
            .with_header(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"))
    }

    /// Lets the pages of a listed origin read the response. If any origin is listed, `Vary` tells caches that responses
    /// differ by origin.
    pub fn add_headers(&self, response: Response, headers: &HeaderMap) -> Response {
        if self.listed.is_empty() {
            return response;
        }
        let mut response = response;
        response.headers.append(VARY, HeaderValue::from_static("origin"));
        match self.allowed_origin(headers) {
            Some(origin) => response
                .with_header(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone())
                .with_header(
                    ACCESS_CONTROL_EXPOSE_HEADERS,
                    HeaderValue::from_static("link, location, retry-after, x-request-id, x-served-by"),
                ),
            None => response,
        }
    }

    /// The origin of the request, if it is listed. Browsers send only one.
    fn allowed_origin<'headers>(&self, headers: &'headers HeaderMap) -> Option<&'headers HeaderValue> {
        let mut origins = headers.get_all(ORIGIN).iter();
        let origin = origins.next().filter(|_| origins.next().is_none());
        origin.filter(|origin| self.listed.iter().any(|listed| listed == *origin))
    }
}

fn cross_site_problem(message: &str) -> Problem {
    Problem::new(Code::CROSS_SITE, message)
}

/// Whether the request has a header that only browsers send.
///
/// Over plain HTTP, except to localhost, browsers send no `Sec-Fetch-Site`, and with the request of an image no
/// `Origin`. Then the `User-Agent` is left, which begins with the same word in all browsers:
/// <https://www.rfc-editor.org/rfc/rfc9110#section-10.1.5>.
pub(crate) fn is_from_browser(headers: &HeaderMap) -> bool {
    let is_browser_header = |name: &HeaderName| {
        ["sec-fetch-", "sec-ch-"]
            .iter()
            .any(|start| name.as_str().starts_with(start))
    };
    headers.keys().any(is_browser_header)
        || headers.contains_key(ORIGIN)
        || headers.contains_key(REFERER)
        || headers
            .get(USER_AGENT)
            .is_some_and(|agent| agent.as_bytes().starts_with(b"Mozilla/"))
}

/// The host that the request is for.
fn requested_host<'request>(uri: &'request Uri, headers: &'request HeaderMap) -> Option<&'request str> {
    match uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => headers.get(HOST)?.to_str().ok(),
    }
}

/// Whether an origin has this host. Its scheme is not compared, because a proxy may terminate TLS in front of the
/// service.
fn is_origin_of_host(origin: &HeaderValue, host: Option<&str>) -> bool {
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    origin
        .zip(host)
        .is_some_and(|((_, origin), host)| origin.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A route whose GET changes something.
    #[derive(Clone, Copy, PartialEq, Eq)]
    struct Delete;

    impl Route for Delete {
        const ALL: &'static [Self] = &[Delete];

        fn path(self) -> &'static str {
            "/delete"
        }

        fn allowed_methods(self) -> &'static str {
            "GET, POST, OPTIONS"
        }

        fn changes_state(self, method: &Method) -> bool {
            *method != Method::OPTIONS
        }
    }

    #[test]
    fn reads_origins() {
        for origin in ["https://a.example", "http://localhost:3000", "http://[::1]:8"] {
            assert!(Origin::parse(origin).is_some(), "{origin}");
        }
        for text in ["*", "null", "a.example", "https://", "https://a/b", "ftp://a"] {
            assert_eq!(Origin::parse(text), None, "{text}");
        }
    }

    #[test]
    fn only_what_a_page_of_ours_may_do_is_done() {
        let hosts = Hosts::parse("shop.example").unwrap();
        let origins = Origins::new(Origin::parse("https://a.example"), hosts);
        let check = |method: &Method, lines: &str| {
            let mut headers = HeaderMap::new();
            for line in lines.split(" | ").filter(|line| !line.is_empty()) {
                let (name, value) = line.split_once(": ").unwrap();
                headers.append(
                    name.parse::<HeaderName>().unwrap(),
                    HeaderValue::from_str(value).unwrap(),
                );
            }
            origins
                .check(Delete, method, &Uri::from_static("/delete"), &headers)
                .is_ok()
        };
        for (lines, get, post) in [
            // curl, by whatever name.
            ("", true, true),
            ("host: evil.example", true, true),
            ("host: localhost | user-agent: curl/8.14.1", true, true),
            // The page.
            ("host: localhost | sec-fetch-site: same-origin", false, true),
            (
                "host: shop.example:443 | sec-fetch-site: same-origin | origin: https://shop.example",
                false,
                true,
            ),
            ("host: localhost | sec-fetch-site: none", false, true),
            ("host: 10.0.0.7:30080 | origin: http://10.0.0.7:30080", false, true),
            ("host: LOCALHOST | origin: http://localhost", false, true),
            // Neighbours and strangers.
            ("host: localhost | sec-fetch-site: same-site", false, false),
            ("host: localhost | sec-fetch-site: cross-site", false, false),
            ("host: localhost | sec-fetch-site: Same-Origin", false, false),
            ("host: localhost | sec-fetch-site: ", false, false),
            (
                "host: localhost | sec-fetch-site: none | sec-fetch-site: cross-site",
                false,
                false,
            ),
            ("host: localhost:8080 | origin: http://localhost", false, false),
            ("host: localhost. | origin: http://localhost.", false, true),
            ("host: [::1]:8080 | origin: http://[::1]:8080", false, true),
            ("host: [::1]:8080 | origin: http://[::1]:3000", false, false),
            ("host: localhost | origin: ", false, false),
            ("host: localhost | origin: localhost", false, false),
            ("host: localhost | origin: http://localhost@evil.example", false, false),
            (
                "host: localhost | origin: null | sec-fetch-site: cross-site",
                false,
                false,
            ),
            // A form that was opened from a bookmark, say.
            ("host: localhost | origin: null | sec-fetch-site: none", false, true),
            ("host: 10.0.0.7:30080 | origin: http://10.0.0.7:3000", false, false),
            ("host: localhost | origin: null", false, false),
            ("host: localhost | origin: http://evil.example", false, false),
            (
                "host: localhost | origin: http://localhost | origin: http://evil.example",
                false,
                false,
            ),
            (
                "host: localhost | origin: http://localhost | origin: http://localhost",
                false,
                true,
            ),
            (
                "host: localhost | sec-fetch-mode: no-cors | sec-fetch-dest: image",
                false,
                true,
            ),
            // A name that is not ours.
            ("host: evil.example | sec-fetch-site: same-origin", false, false),
            ("host: evil.example | origin: http://evil.example", false, false),
            ("sec-fetch-site: same-origin", false, false),
            // An image on a page that was loaded without TLS.
            ("host: 10.0.0.7 | referer: http://evil.example/", false, true),
            ("host: 10.0.0.7 | user-agent: Mozilla/5.0 (X11)", false, true),
            // Who is listed, and nobody beside.
            (
                "host: a | sec-fetch-site: cross-site | origin: https://a.example | origin: http://evil.example",
                false,
                false,
            ),
            (
                "host: evil.example | sec-fetch-site: cross-site | origin: https://a.example",
                true,
                true,
            ),
        ] {
            assert_eq!(
                (check(&Method::GET, lines), check(&Method::POST, lines)),
                (get, post),
                "{lines}"
            );
        }
    }

    #[test]
    fn an_absolute_target_names_the_host() {
        let mut headers = HeaderMap::new();
        headers.insert(SEC_FETCH_SITE, HeaderValue::from_static("same-origin"));
        headers.insert(HOST, HeaderValue::from_static("localhost"));
        let target = Uri::from_static("http://evil.example/delete");
        assert!(Origins::default()
            .check(Delete, &Method::POST, &target, &headers)
            .is_err());
    }
}
