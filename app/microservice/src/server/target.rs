//! Checks the request target and the `Host` header.

use hyper::header::HOST;
use hyper::{HeaderMap, Uri};

use super::malformed::malformed;
use crate::http::Problem;

/// Checks that the target has a form for origin servers: <https://www.rfc-editor.org/rfc/rfc9112#section-3.2>. A
/// fragment is not allowed: some parsers drop it, others do not.
pub fn check_target(target: &str, uri: &Uri) -> Result<(), Problem> {
    let is_path = target.starts_with('/');
    let is_absolute =
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty());
    let is_server = target == "*";
    let has_no_userinfo = uri
        .authority()
        .is_none_or(|authority| !authority.as_str().contains('@'));
    if (is_path || is_absolute || is_server) && has_no_userinfo && !target.contains('#') {
        Ok(())
    } else {
        Err(malformed("a wrong target"))
    }
}

/// Checks that there is one valid `Host` header: <https://www.rfc-editor.org/rfc/rfc9112#section-3.2>.
pub fn check_host(headers: &HeaderMap, is_http_10: bool) -> Result<(), Problem> {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(_), Some(_)) => Err(malformed("more than one Host")),
        (Some(host), None) if is_host(host.as_bytes()) => Ok(()),
        (Some(_), None) => Err(malformed("a wrong Host")),
        (None, _) if is_http_10 => Ok(()),
        (None, _) => Err(malformed("no Host")),
    }
}

/// Whether this is a name or an address, and perhaps a port: <https://www.rfc-editor.org/rfc/rfc9110#section-7.2>. It
/// is empty if the target has no authority.
fn is_host(host: &[u8]) -> bool {
    let is_digits = |port: &[u8]| port.iter().all(u8::is_ascii_digit);
    let is_name = |name: &[u8]| {
        name.iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(byte))
    };
    if let Some(rest) = host.strip_prefix(b"[") {
        let mut parts = rest.splitn(2, |byte| *byte == b']');
        let address = parts.next().unwrap_or_default();
        let is_address = std::str::from_utf8(address).is_ok_and(|text| text.parse::<std::net::Ipv6Addr>().is_ok());
        return is_address
            && match parts.next() {
                Some([]) => true,
                Some([b':', port @ ..]) => is_digits(port),
                _ => false,
            };
    }
    let mut parts = host.splitn(2, |byte| *byte == b':');
    let name = parts.next().unwrap_or_default();
    is_name(name) && parts.next().is_none_or(is_digits)
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn targets_are_paths_or_absolute() {
        let check = |target: &str| check_target(target, &target.parse().unwrap()).is_ok();
        for target in ["/", "//a", "/a?b=http://c@d", "http://b/a", "HTTPS://b:80", "*"] {
            assert!(check(target), "{target}");
        }
        for target in ["a", "a.example:80", "ftp://a/", "http://a@b/", "http://a:b@c/"] {
            assert!(!check(target), "{target}");
        }
        // What is behind a `#` is gone from what has been read.
        assert!(check_target("/a#b", &Uri::from_static("/a")).is_err());
    }

    #[test]
    fn a_request_says_once_whom_it_is_meant_for() {
        let check = |hosts: &[&str], is_http_10| {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(HOST, HeaderValue::from_bytes(host.as_bytes()).unwrap());
            }
            check_host(&headers, is_http_10).is_ok()
        };
        for host in [
            "",
            "a",
            "a:",
            "a.example.:8080",
            "LOCALHOST",
            "127.0.0.1:80",
            "[::1]",
            "[fd00::7]:80",
        ] {
            assert!(check(&[host], false), "{host}");
        }
        for host in [
            "a, b", "a b", "a/b", "a@b", "a:80:80", "a:x", "a:80@b", "http://a", "[::1", "[::1]a", "[::1]:x", "[a]",
            "\u{e4}",
        ] {
            assert!(!check(&[host], false), "{host}");
        }
        assert!(!check(&[], false));
        assert!(!check(&["a", "a"], false));
        // HTTP/1.0 need not have one.
        assert!(check(&[], true));
        assert!(!check(&["a", "a"], true));
    }
}
