//! Pure: whether the way to an API server goes through a proxy, as Go's programs decide it, `kubectl` among them.
//!
//! <https://pkg.go.dev/golang.org/x/net/http/httpproxy>

use std::net::IpAddr;

use http::Uri;
use ipnet::IpNet;

/// The variables that matter. Of each name the upper-case one wins, and an empty one is as good as none.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    https_proxy: Option<(String, String)>,
    http_proxy: Option<(String, String)>,
    no_proxy: String,
}

/// A proxy, and who named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// Where it is.
    pub url: Uri,
    /// Who named it: a variable, or the kubeconfig.
    pub origin: String,
}

impl Environment {
    /// Reads the variables.
    pub fn new(variable: impl Fn(&str) -> Option<String>) -> Self {
        let find = |name: &str| {
            [name.to_uppercase(), name.to_owned()]
                .into_iter()
                .find_map(|name| Some((variable(&name).filter(|value| !value.trim().is_empty())?, name)))
        };
        Self {
            https_proxy: find("https_proxy"),
            http_proxy: find("http_proxy"),
            no_proxy: find("no_proxy").map(|(list, _)| list).unwrap_or_default(),
        }
    }

    /// The proxy for a server: that of the kubeconfig always, that of the environment unless the server is on this host or in
    /// NO_PROXY.
    ///
    /// # Errors
    /// When it is not a URL: with its source and value.
    pub fn proxy(&self, server: &Uri, of_kubeconfig: Option<&str>) -> Result<Option<Proxy>, String> {
        let of_kubeconfig = of_kubeconfig.filter(|url| !url.trim().is_empty());
        let (url, origin) = match (of_kubeconfig, server.scheme_str()) {
            (Some(url), _) => (url, "proxy-url of the kubeconfig"),
            (None, _) if self.is_direct(server) => return Ok(None),
            (None, Some("http")) => match &self.http_proxy {
                Some((url, name)) => (url.as_str(), name.as_str()),
                None => return Ok(None),
            },
            (None, _) => match &self.https_proxy {
                Some((url, name)) => (url.as_str(), name.as_str()),
                None => return Ok(None),
            },
        };
        let url = url.trim();
        let with_scheme = if url.contains("://") {
            url.to_owned()
        } else {
            format!("http://{url}")
        };
        match with_scheme.parse::<Uri>() {
            Ok(parsed) if parsed.host().is_some_and(|host| !host.is_empty()) => Ok(Some(Proxy {
                url: parsed,
                origin: origin.to_owned(),
            })),
            _ => Err(format!(
                "{origin} names `{}`, which is not a URL of a proxy",
                without_login(url)
            )),
        }
    }

    fn is_direct(&self, server: &Uri) -> bool {
        let host = server.host().unwrap_or_default().trim_end_matches('.').to_lowercase();
        let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        if host == "localhost" || address.is_some_and(|address| address.to_canonical().is_loopback()) {
            return true;
        }
        let port = server.port_u16().unwrap_or(match server.scheme_str() {
            Some("http") => 80,
            _ => 443,
        });
        let entries = self.no_proxy.split([',', ' ', '\t', '\n']);
        entries
            .map(|entry| entry.trim().to_lowercase())
            .filter(|entry| !entry.is_empty())
            .any(|entry| matches(&entry, &host, address, port))
    }
}

impl Proxy {
    /// Its URL as it may be shown: without a password.
    pub fn shown(&self) -> String {
        without_login(self.url.to_string().trim_end_matches('/'))
    }
}

/// One entry of the list: `*`, a network, or an address or name, with or without a port.
fn matches(entry: &str, host: &str, address: Option<IpAddr>, port: u16) -> bool {
    if entry == "*" {
        return true;
    }
    if let Ok(network) = entry.parse::<IpNet>() {
        return address.is_some_and(|address| network.contains(&address.to_canonical()) || network.contains(&address));
    }
    let bare = entry.trim_matches(['[', ']']);
    let (name, wanted) = match (bare.parse::<IpAddr>(), entry.rsplit_once(':')) {
        (Err(_), Some((name, port))) => (name.trim_matches(['[', ']']), port.parse().ok()),
        _ => (bare, None),
    };
    if wanted.is_some_and(|wanted: u16| wanted != port) {
        return false;
    }
    if let Ok(wanted) = name.parse::<IpAddr>() {
        return address.is_some_and(|address| address.to_canonical() == wanted.to_canonical());
    }
    // `.svc` and `*.svc` match subdomains, `svc` the domain itself as well.
    let name = name.trim_end_matches('.');
    match name.strip_prefix("*.").or(name.strip_prefix('.')) {
        Some(domain) => is_below(host, domain),
        None => host == name || is_below(host, name),
    }
}

fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain)
        .is_some_and(|start| !domain.is_empty() && start.ends_with('.'))
}

fn without_login(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (scheme, rest));
    let rest = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    match scheme {
        "" => rest.to_owned(),
        scheme => format!("{scheme}://{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: &str = "http://user:secret@proxy.example:3128";

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::new(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    fn is_direct(no_proxy: &str, server: &str) -> bool {
        let environment = environment(&[("HTTPS_PROXY", PROXY), ("NO_PROXY", no_proxy)]);
        environment.proxy(&server.parse().unwrap(), None).unwrap().is_none()
    }

    #[test]
    fn this_host_is_never_reached_through_a_proxy() {
        for server in [
            "https://127.0.0.1:6443",
            "https://127.9.9.9",
            "https://localhost:1",
            "https://LOCALHOST",
            "https://[::1]:6443",
        ] {
            assert!(is_direct("", server), "{server}");
        }
        assert!(!is_direct("", "https://192.0.2.7:6443"));
        assert!(!is_direct("", "https://localhost.example"));
    }

    #[test]
    fn every_spelling_of_the_list() {
        let cases = [
            ("127.0.0.1,localhost,.svc,10.0.0.0/8", "https://10.1.2.3:6443", true),
            ("127.0.0.1,localhost,.svc,10.0.0.0/8", "https://11.1.2.3:6443", false),
            ("10.1.2.3,", "https://10.1.2.3:6443", true),
            (",,10.1.2.3", "https://10.1.2.3", true),
            ("a, 10.0.0.0/8 ", "https://10.1.2.3", true),
            ("a 10.1.2.3", "https://10.1.2.3", true),
            ("10.1.2.3:6443", "https://10.1.2.3:6443", true),
            ("10.1.2.3:6443", "https://10.1.2.3", false),
            ("*", "https://api.example", true),
            ("a,*", "https://api.example", true),
            ("example", "https://api.example", true),
            ("api.example", "https://api.example", true),
            ("API.Example", "https://api.EXAMPLE", true),
            ("api.example:443", "https://api.example", true),
            ("api.example:80", "https://api.example", false),
            (".example", "https://api.example", true),
            ("*.example", "https://api.example", true),
            (".example", "https://example", false),
            ("*.example", "https://notexample", false),
            ("example", "https://notexample", false),
            (".svc", "https://kubernetes.default.svc", true),
            ("example.", "https://api.example", true),
            ("2001:db8::1", "https://[2001:db8::1]:6443", true),
            ("[2001:db8::1]:6443", "https://[2001:db8::1]:6443", true),
            ("[2001:db8::1]", "https://[2001:db8::1]:6443", true),
            ("2001:db8::/32", "https://[2001:db8::1]:6443", true),
            ("2001:db8::/32", "https://[2001:db9::1]:6443", false),
            ("http://api.example", "https://api.example", false),
            ("", "https://api.example", false),
        ];
        for (list, server, direct) in cases {
            assert_eq!(is_direct(list, server), direct, "NO_PROXY={list} {server}");
        }
    }

    #[test]
    fn who_names_the_proxy() {
        let server: Uri = "https://192.0.2.7:6443".parse().unwrap();
        let both = [("https_proxy", "lower:1"), ("HTTPS_PROXY", PROXY), ("no_proxy", "*")];
        assert_eq!(environment(&both).proxy(&server, None), Ok(None));
        let found = environment(&both[..2]).proxy(&server, None).unwrap().unwrap();
        assert_eq!(
            (found.shown().as_str(), found.origin.as_str()),
            ("http://proxy.example:3128", "HTTPS_PROXY")
        );
        let found = environment(&both[..1]).proxy(&server, None).unwrap().unwrap();
        assert_eq!(
            (found.shown().as_str(), found.origin.as_str()),
            ("http://lower:1", "https_proxy")
        );
        // One in the kubeconfig is meant for this cluster.
        let found = environment(&both)
            .proxy(&server, Some("http://own:1"))
            .unwrap()
            .unwrap();
        assert_eq!(found.shown(), "http://own:1");
        assert_eq!(environment(&both).proxy(&server, Some("")), Ok(None));
        let plain: Uri = "http://192.0.2.7".parse().unwrap();
        assert_eq!(environment(&both[..2]).proxy(&plain, None), Ok(None));
        assert!(
            environment(&[("HTTP_PROXY", PROXY)])
                .proxy(&plain, None)
                .unwrap()
                .is_some()
        );
        let wrong = environment(&[("HTTPS_PROXY", "http://a:secret@")])
            .proxy(&server, None)
            .unwrap_err();
        assert!(
            wrong.starts_with("HTTPS_PROXY names") && !wrong.contains("secret"),
            "{wrong}"
        );
    }
}
