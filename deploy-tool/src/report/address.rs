//! Pure: where a service can be reached.

use k8s_openapi::api::core::v1::{Node, Service};
use kube::ResourceExt;

use crate::settings::TRY_ANNOTATION;

/// The Service that can be reached from outside, and its node port. Of several, the one for people.
pub fn node_port(services: &[Service]) -> Option<(&Service, i32)> {
    let for_people = services
        .iter()
        .filter(|service| service.annotations().contains_key(TRY_ANNOTATION));
    for_people.chain(services).find_map(|service| {
        let ports = service.spec.as_ref()?.ports.as_ref()?;
        Some((service, ports.iter().find_map(|port| port.node_port)?))
    })
}

/// The URL of a port of this host.
pub fn host_url(address: &str) -> Option<String> {
    let (host, port) = address.rsplit_once(':')?;
    let host = if matches!(host, "0.0.0.0" | "127.0.0.1" | "[::]" | "[::1]") {
        "localhost"
    } else {
        host
    };
    Some(format!("http://{host}:{port}"))
}

/// The URL of a node port on a node.
pub fn node_url(node: &Node, port: i32) -> Option<String> {
    let addresses = node.status.as_ref()?.addresses.as_ref()?;
    let of_kind = |kind: &str| addresses.iter().find(|address| address.type_ == kind);
    of_kind("ExternalIP").or(of_kind("InternalIP")).map(|address| {
        if address.address.contains(':') {
            format!("http://[{}]:{port}", address.address)
        } else {
            format!("http://{}:{port}", address.address)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_services_the_one_for_people_is_shown() {
        let service = |name: &str, annotations: serde_json::Value, port: serde_json::Value| -> Service {
            let metadata = serde_json::json!({"name": name, "annotations": annotations});
            let spec = serde_json::json!({"ports": [{"port": 80, "nodePort": port}]});
            serde_json::from_value(serde_json::json!({"metadata": metadata, "spec": spec})).unwrap()
        };
        let none = serde_json::json!({});
        let for_people = serde_json::json!({TRY_ANNOTATION: "curl {url}"});
        let mut services = vec![
            service("inside", for_people.clone(), serde_json::Value::Null),
            service("api", none, serde_json::json!(30081)),
        ];
        let shown = |services: &[Service]| node_port(services).map(|(service, port)| (service.name_any(), port));
        assert_eq!(shown(&services), Some(("api".to_owned(), 30081)));
        services.push(service("page", for_people, serde_json::json!(30083)));
        assert_eq!(shown(&services), Some(("page".to_owned(), 30083)));
        assert_eq!(shown(&services[..1]), None);
    }

    #[test]
    fn addresses_become_urls() {
        assert_eq!(host_url("127.0.0.1:8080").as_deref(), Some("http://localhost:8080"));
        assert_eq!(host_url("[::]:80").as_deref(), Some("http://localhost:80"));
        assert_eq!(host_url("10.0.0.5:80").as_deref(), Some("http://10.0.0.5:80"));
        let node = |address: &str| -> Node {
            let status = serde_json::json!({"addresses": [{"type": "InternalIP", "address": address}]});
            serde_json::from_value(serde_json::json!({"metadata": {}, "status": status})).unwrap()
        };
        assert_eq!(node_url(&node("10.0.0.5"), 80).as_deref(), Some("http://10.0.0.5:80"));
        assert_eq!(node_url(&node("fd00::2"), 80).as_deref(), Some("http://[fd00::2]:80"));
    }
}
