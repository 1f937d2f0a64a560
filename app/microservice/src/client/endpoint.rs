//! The URL of another service.

use hyper::header::HeaderValue;
use hyper::Uri;

/// The URL of another service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub(super) host: String,
    pub(super) port: u16,
    /// For the `Host` header.
    pub(super) authority: HeaderValue,
    pub(super) path: String,
}

impl Endpoint {
    /// A path on a port of the loopback address, such as a sidecar's.
    pub(crate) fn loopback(port: u16, path: String) -> Endpoint {
        const LOOPBACK: &str = "127.0.0.1";
        let authority = HeaderValue::from_str(&format!("{LOOPBACK}:{port}"));
        Endpoint {
            host: LOOPBACK.to_owned(),
            port,
            authority: authority.unwrap_or(HeaderValue::from_static(LOOPBACK)),
            path,
        }
    }

    /// Parses a URL like `http://events.shop.svc.cluster.local/events`. The error says what the URL must look like.
    pub fn parse(url: &str) -> Result<Endpoint, &'static str> {
        const FORM: &str = "must be a URL like http://host:port/path";
        let uri: Uri = url.parse().map_err(|_| FORM)?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return Err("must begin with http://, since a guest cannot encrypt by itself"),
            _ => return Err(FORM),
        }
        let authority = uri.authority().ok_or(FORM)?;
        if authority.as_str().contains('@') {
            return Err("must not hold a user or a password");
        }
        if uri.query().is_some() {
            return Err("must not hold a query");
        }
        Ok(Endpoint {
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(80),
            authority: HeaderValue::from_str(authority.as_str()).map_err(|_| FORM)?,
            path: uri.path().to_owned(),
        })
    }
}
