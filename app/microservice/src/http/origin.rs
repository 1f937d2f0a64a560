//! Which web sites may use the service through their visitors' browsers.

use hyper::header::{
    HeaderName, HeaderValue, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, ORIGIN, VARY,
};
use hyper::{HeaderMap, Method};

use super::{Code, Problem, Reply, Route};

/// The origins listed in `CORS_ALLOW_ORIGIN`; none by default, never a wildcard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    listed: Vec<String>,
}

/// One origin: scheme, host and, where it is not the scheme's own, port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// Reads an origin as browsers send it, like `https://shop.example:8443`.
    pub fn parse(text: &str) -> Option<Origin> {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.:[]".contains(&byte);
        (!host.is_empty() && host.bytes().all(plain)).then(|| Origin(text.to_owned()))
    }
}

/// Told by browsers with every request: <https://www.w3.org/TR/fetch-metadata/>.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

impl Origins {
    /// These origins.
    pub fn new(origins: impl IntoIterator<Item = Origin>) -> Origins {
        Origins {
            listed: origins.into_iter().map(|origin| origin.0).collect(),
        }
    }

    /// Refuses a request by which another site's page would change something, such as an image
    /// whose address is `/delete_order?id=1`. curl sends no `Sec-Fetch-Site` and is let through.
    pub fn check(&self, route: impl Route, method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
        let cross_site = headers
            .get(SEC_FETCH_SITE)
            .is_some_and(|site| site.as_bytes().eq_ignore_ascii_case(b"cross-site"));
        if cross_site && route.changes_state(method) && self.permitted(headers).is_none() {
            return Err(Problem::new(
                Code::CROSS_SITE,
                "pages of other sites may not change anything here",
            ));
        }
        Ok(())
    }

    /// The answer to OPTIONS; [`Origins::mark`] adds what every answer to a listed origin has.
    pub fn preflight(&self, route: impl Route, headers: &HeaderMap) -> Reply {
        let allow = HeaderValue::from_static(route.allow());
        let reply = Reply::no_content().with(ALLOW, allow.clone());
        if self.permitted(headers).is_none() {
            return reply;
        }
        reply
            .with(ACCESS_CONTROL_ALLOW_METHODS, allow)
            .with(
                ACCESS_CONTROL_ALLOW_HEADERS,
                HeaderValue::from_static("content-type, x-request-id"),
            )
            .with(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"))
    }

    /// Lets a listed origin's page read the answer. Caches are told that answers differ by origin
    /// as soon as any origin is listed.
    pub fn mark(&self, reply: Reply, headers: &HeaderMap) -> Reply {
        if self.listed.is_empty() {
            return reply;
        }
        let mut reply = reply;
        reply.headers.append(VARY, HeaderValue::from_static("origin"));
        match self.permitted(headers) {
            Some(origin) => reply.with(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone()).with(
                ACCESS_CONTROL_EXPOSE_HEADERS,
                HeaderValue::from_static("link, location, retry-after, x-request-id, x-served-by"),
            ),
            None => reply,
        }
    }

    fn permitted<'headers>(&self, headers: &'headers HeaderMap) -> Option<&'headers HeaderValue> {
        headers
            .get(ORIGIN)
            .filter(|origin| self.listed.iter().any(|listed| listed == *origin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Its GET changes something.
    #[derive(Clone, Copy, PartialEq, Eq)]
    struct Delete;

    impl Route for Delete {
        const ALL: &'static [Self] = &[Delete];

        fn path(self) -> &'static str {
            "/delete"
        }

        fn allow(self) -> &'static str {
            "GET, OPTIONS"
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
    fn only_cross_site_changes_are_refused() {
        let origins = Origins::new(Origin::parse("https://a.example"));
        let check = |method, site: &'static str, origin: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(SEC_FETCH_SITE, HeaderValue::from_static(site));
            headers.insert(ORIGIN, HeaderValue::from_static(origin));
            origins.check(Delete, &method, &headers).is_ok()
        };
        assert!(!check(Method::GET, "cross-site", "https://b.example"));
        assert!(!check(Method::GET, "Cross-Site", ""));
        assert!(check(Method::GET, "cross-site", "https://a.example"));
        assert!(check(Method::GET, "same-origin", "https://b.example"));
        assert!(check(Method::OPTIONS, "cross-site", "https://b.example"));
        let curl = origins.check(Delete, &Method::GET, &HeaderMap::new());
        assert!(curl.is_ok());
    }
}
