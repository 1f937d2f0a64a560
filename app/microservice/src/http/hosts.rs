//! The host names under which browsers may use the service.

use std::net::{IpAddr, Ipv6Addr};

/// The host names in `ALLOWED_HOSTS`. Names that public DNS cannot resolve are always allowed: IP addresses,
/// `localhost`, names inside of a cluster.
///
/// This prevents DNS rebinding: if `evil.example` resolves to the address of the service, a browser takes the pages of
/// that site and the service for the same origin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts {
    listed: Vec<String>,
}

impl Hosts {
    /// Parses names separated by commas, like `shop.example, .example.org` (the domain and all subdomains). The error
    /// is the first invalid name.
    pub fn parse(text: &str) -> Result<Hosts, String> {
        let names = text.split([',', ' ']).filter(|name| !name.is_empty());
        let listed: Vec<String> = names.map(str::to_ascii_lowercase).collect();
        match listed.iter().find(|name| !has_plain_characters(name)) {
            Some(invalid) => Err(invalid.clone()),
            None => Ok(Hosts { listed }),
        }
    }

    /// Whether the host name in a `Host` header is allowed, whatever the port.
    pub fn allows(&self, host: &str) -> bool {
        let (name, is_address) = split_host_name(host);
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        is_address || is_internal(&name) || self.listed.iter().any(|listed| matches_listed(listed, &name))
    }
}

/// The host name without its port, and whether it is an IP address. Empty if the header is not valid.
fn split_host_name(host: &str) -> (&str, bool) {
    let is_port = |rest: &str| {
        let port = rest.strip_prefix(':').unwrap_or(rest);
        (rest.is_empty() || rest.len() > port.len()) && port.bytes().all(|byte| byte.is_ascii_digit())
    };
    if let Some((address, rest)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (address, is_port(rest) && address.parse::<Ipv6Addr>().is_ok());
    }
    match host.split_at(host.find(':').unwrap_or(host.len())) {
        (name, port) if is_port(port) => (name, name.parse::<IpAddr>().is_ok()),
        _ => ("", false),
    }
}

fn has_plain_characters(name: &str) -> bool {
    name.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
}

/// Names without a dot resolve in the DNS search domains of the client, those below `svc` inside of a cluster.
fn is_internal(name: &str) -> bool {
    let inside = [".localhost", ".svc", ".svc.cluster.local"];
    has_plain_characters(name)
        && !name.is_empty()
        && (!name.contains('.') || inside.iter().any(|end| name.ends_with(end)))
}

fn matches_listed(listed: &str, name: &str) -> bool {
    match listed.strip_prefix('.') {
        Some(domain) => name == domain || name.ends_with(listed),
        None => name == listed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_its_names() {
        let hosts = Hosts::parse("shop.example, .example.org").unwrap();
        for host in [
            "localhost:8080",
            "LOCALHOST",
            "a.localhost",
            "127.0.0.1",
            "10.0.0.7:30080",
            "[::1]:80",
            "[fd00::7]",
            "app",
            "app.shop.svc",
            "app.shop.svc.cluster.local.:80",
            "shop.example",
            "Shop.Example.:443",
            "example.org",
            "a.b.example.org",
        ] {
            assert!(hosts.allows(host), "{host}");
        }
        for host in [
            "",
            ":80",
            "evil.example",
            "evil.shop.example",
            "badexample.org",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "evil.svc.example",
            "[evil.example]",
            "[::1",
            "127.0.0.1@evil.example",
            "127.0.0.1:80@evil.example",
            "localhost:80.evil.example",
            "[::1]evil.example",
            "[::1].evil.example:80",
        ] {
            assert!(!hosts.allows(host), "{host}");
        }
        assert_eq!(Hosts::parse("a.example https://b"), Err("https://b".to_owned()));
    }
}
