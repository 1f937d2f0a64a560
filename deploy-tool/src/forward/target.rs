//! From the arguments to a port of a Service.

use std::str::FromStr;

use k8s_openapi::api::core::v1::{Service, ServicePort};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::ResourceExt;

use crate::settings::TRY_ANNOTATION;
use diagnostics::code;
use diagnostics::{Error, Result};

/// `LOCAL` or `LOCAL:REMOTE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ports {
    /// The port of this host; 0 is a free one.
    pub local: u16,
    /// The Service's port, by number or name.
    pub remote: Option<String>,
}

impl FromStr for Ports {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (local, remote) = match text.split_once(':') {
            Some((local, remote)) => (local, Some(remote.to_owned())),
            None => (text, None),
        };
        let local = local.parse().ok().filter(|_| remote.as_deref() != Some(""));
        let local = local.ok_or("write LOCAL or LOCAL:REMOTE, such as 8081 or 8081:http; 0 is any free port")?;
        Ok(Self { local, remote })
    }
}

/// How a Service's pods are reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceTarget {
    /// The Service.
    pub service: String,
    /// The labels of its pods.
    pub selector: String,
    /// The pods' port, by number or name.
    pub pod_port: IntOrString,
    /// The scheme of its URL.
    pub scheme: &'static str,
}

/// The Service that is meant: the one of that name; else the only one, or the only one for people.
///
/// # Errors
/// When there is none, or several.
pub fn service<'a>(services: &'a [Service], name: Option<&str>, place: &str) -> Result<&'a Service> {
    let names = || {
        services
            .iter()
            .map(ResourceExt::name_any)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let unclear = |message: String| {
        let known = if services.is_empty() {
            "it has none".to_owned()
        } else {
            format!("it has: {}", names())
        };
        Error::input(message).code(&code::scale::NO_SUCH_SERVICE).cause(known)
    };
    if let Some(name) = name {
        let found = services.iter().find(|service| service.name_any() == name);
        return found.ok_or_else(|| unclear(format!("there is no Service `{name}` in {place}")));
    }
    let mut for_people = services
        .iter()
        .filter(|service| service.annotations().contains_key(TRY_ANNOTATION));
    match (services, for_people.next(), for_people.next()) {
        ([only], ..) | (_, Some(only), None) => Ok(only),
        ([], ..) => Err(unclear(format!("there is no Service in {place}"))),
        _ => Err(unclear(format!("it is not clear which Service of {place} is meant"))
            .hint("name one: `deploy-tool open SERVICE`")),
    }
}

/// The way to a Service's pods through one of its ports: the named one, else the one called http, else the first.
///
/// # Errors
/// When the Service has no such port, or no pods of its own.
pub fn find_target(service: &Service, remote: Option<&str>) -> Result<ServiceTarget> {
    let name = service.name_any();
    let refused = |message: String| Error::input(message).code(&code::scale::NO_SUCH_PORT);
    let spec = service.spec.clone().unwrap_or_default();
    let selector: Vec<String> = spec
        .selector
        .iter()
        .flatten()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    if selector.is_empty() {
        return Err(refused(format!("Service `{name}` selects no pods"))
            .cause("it stands for something outside the cluster, or its endpoints are kept by hand")
            .hint("name a Service with a selector"));
    }
    // What follows speaks of TCP only: the API server forwards nothing else.
    let ports: Vec<ServicePort> = spec.ports.into_iter().flatten().filter(is_tcp).collect();
    let is = |port: &ServicePort, wanted: &str| port.name.as_deref() == Some(wanted) || port.port.to_string() == wanted;
    let port = match remote {
        Some(wanted) => ports.iter().find(|port| is(port, wanted)),
        None => ports.iter().find(|port| is(port, "http")).or(ports.first()),
    };
    let Some(port) = port else {
        let wanted = remote.map(|wanted| format!(" `{wanted}`")).unwrap_or_default();
        let known = ports.iter().map(|port| match &port.name {
            Some(name) => format!("{} ({name})", port.port),
            None => port.port.to_string(),
        });
        return Err(refused(format!("Service `{name}` has no TCP port{wanted}"))
            .cause(format!("it has: {}", known.collect::<Vec<_>>().join(", "))));
    };
    Ok(ServiceTarget {
        service: name,
        selector: selector.join(","),
        pod_port: port.target_port.clone().unwrap_or(IntOrString::Int(port.port)),
        scheme: scheme(port),
    })
}

fn is_tcp(port: &ServicePort) -> bool {
    port.protocol.as_deref().is_none_or(|protocol| protocol == "TCP")
}

/// By the port's appProtocol, its name, its number.
/// <https://kubernetes.io/docs/concepts/services-networking/service/#application-protocol>
fn scheme(port: &ServicePort) -> &'static str {
    let protocol = port
        .app_protocol
        .as_deref()
        .or(port.name.as_deref())
        .unwrap_or_default();
    match (protocol, port.port) {
        (protocol, _) if protocol.contains("https") => "https",
        (protocol, _) if protocol.contains("http") => "http",
        ("", 443 | 8443) => "https",
        ("", 80 | 3000 | 8000 | 8080) => "http",
        _ => "tcp",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn named(name: &str, annotations: &Value, ports: &Value) -> Service {
        serde_json::from_value(json!({"metadata": {"name": name, "annotations": annotations},
            "spec": {"selector": {"app": name, "tier": "web"}, "ports": ports}}))
        .unwrap()
    }

    #[test]
    fn ports_are_read() {
        let read = |text: &str| text.parse::<Ports>().map(|ports| (ports.local, ports.remote));
        assert_eq!(read("8081"), Ok((8081, None)));
        assert_eq!(read("0:http"), Ok((0, Some("http".into()))));
        for wrong in ["", ":80", "8081:", "http", "70000", "-1"] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_named_the_only_or_the_one_for_people() {
        let plain = |name| named(name, &json!({}), &json!([]));
        let app = named("app", &json!({"deploy-tool.dev/try": "curl {url}"}), &json!([]));
        let chosen = |services: &[Service], name| service(services, name, "n").map(ResourceExt::name_any);
        assert_eq!(chosen(&[plain("a")], None).unwrap(), "a");
        assert_eq!(chosen(&[plain("a"), app, plain("b")], None).unwrap(), "app");
        assert_eq!(chosen(&[plain("a"), plain("b")], Some("b")).unwrap(), "b");
        for (services, name) in [
            (vec![], None),
            (vec![plain("a"), plain("b")], None),
            (vec![plain("a")], Some("x")),
        ] {
            let failure = chosen(&services, name).unwrap_err();
            assert_eq!(failure.number().unwrap().number, 507, "{failure}");
        }
    }

    #[test]
    fn the_named_port_or_http_or_the_first() {
        let ports = json!([{"name": "metrics", "port": 9000}, {"name": "http", "port": 80, "targetPort": "web"},
            {"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "db", "port": 3306, "targetPort": 33060}]);
        let service = named("app", &json!({}), &ports);
        let found = |remote| find_target(&service, remote).map(|target| (target.pod_port, target.scheme));
        assert_eq!(found(None).unwrap(), (IntOrString::String("web".into()), "http"));
        assert_eq!(found(Some("9000")).unwrap(), (IntOrString::Int(9000), "tcp"));
        assert_eq!(found(Some("db")).unwrap(), (IntOrString::Int(33060), "tcp"));
        let failure = found(Some("dns")).unwrap_err().to_string();
        assert!(failure.contains("9000 (metrics), 80 (http), 3306 (db)"), "{failure}");
        assert_eq!(find_target(&service, None).unwrap().selector, "app=app,tier=web");
        let outside: Service =
            serde_json::from_value(json!({"metadata": {"name": "x"}, "spec": {"ports": ports}})).unwrap();
        assert!(
            find_target(&outside, None)
                .unwrap_err()
                .to_string()
                .contains("selects no pods")
        );
    }
}
