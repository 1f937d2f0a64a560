//! Pure: addresses that a registry names: where an upload goes on, where its tokens are.

use reqwest::Url;

/// The address that a registry means. One that ends TLS in a proxy may not know of it and name itself by `http`: with the
/// same host and port that is itself.
///
/// # Errors
/// The address, when it leads out of TLS elsewhere.
pub fn require_https(named: Url, requested: &Url) -> Result<Url, Url> {
    if requested.scheme() != "https" || named.scheme() != "http" {
        return Ok(named);
    }
    let is_same_port = named.port() == requested.port() || named.port() == requested.port_or_known_default();
    let mut secured = named.clone();
    if named.host() == requested.host() && is_same_port && secured.set_scheme("https").is_ok() {
        Ok(secured)
    } else {
        Err(named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_registry_by_http_is_asked_by_https() {
        for (requested, named, expected) in [
            ("https://x.io/v2/", "https://x.io/v2/u", Some("https://x.io/v2/u")),
            (
                "https://x.io/v2/",
                "http://x.io/v2/u?s=1",
                Some("https://x.io/v2/u?s=1"),
            ),
            ("https://x.io/v2/", "http://x.io:80/v2/u", Some("https://x.io/v2/u")),
            ("https://x.io/v2/", "http://x.io:443/v2/u", Some("https://x.io/v2/u")),
            (
                "https://x.io:5000/v2/",
                "http://x.io:5000/v2/u",
                Some("https://x.io:5000/v2/u"),
            ),
            (
                "https://[::1]:5000/v2/",
                "http://[::1]:5000/v2/u",
                Some("https://[::1]:5000/v2/u"),
            ),
            ("https://x.io/v2/", "https://store.io/u", Some("https://store.io/u")),
            ("http://x.io/v2/", "http://x.io/v2/u", Some("http://x.io/v2/u")),
            ("http://x.io/v2/", "https://x.io/v2/u", Some("https://x.io/v2/u")),
            ("https://x.io/v2/", "http://x.io:5000/v2/u", None),
            ("https://x.io:5000/v2/", "http://x.io/v2/u", None),
            ("https://x.io/v2/", "http://store.io/v2/u", None),
            ("https://x.io/v2/", "http://x.io.evil.example/u", None),
        ] {
            let parse = |text: &str| Url::parse(text).unwrap();
            let found = require_https(parse(named), &parse(requested)).map(String::from).ok();
            assert_eq!(found.as_deref(), expected, "{requested} {named}");
        }
    }
}
