//! Pure: reads and changes the host port in kind's configuration, and describes the image of its nodes.

use serde_json::{Value, json};

use crate::NODE_ENGINE_LABEL;
use yaml::{self, YamlError};

/// A configuration that cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KindConfigError {
    /// No YAML.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// There is nothing to change.
    #[error("no node has `extraPortMappings`, so there is no port to replace by --http-port")]
    NoPort,
}

/// The configuration as kind is to have it, and the ports of this host that it takes.
///
/// # Errors
/// When it is no YAML, or has no port that could be replaced.
pub fn prepare(text: &str, http_port: Option<u16>) -> Result<(Value, Vec<u16>), KindConfigError> {
    let mut configuration: Value = yaml::parse_document(text)?;
    let mappings = nodes(&mut configuration)
        .filter_map(|node| node.get_mut("extraPortMappings")?.as_array_mut())
        .flatten();
    let mut ports: Vec<&mut Value> = mappings.filter_map(|mapping| mapping.get_mut("hostPort")).collect();
    match (http_port, ports.first_mut()) {
        (Some(port), Some(first)) => **first = port.into(),
        (Some(_), None) => return Err(KindConfigError::NoPort),
        (None, _) => {}
    }
    let taken = ports
        .iter()
        .filter_map(|port| u16::try_from(port.as_u64()?).ok())
        .collect();
    Ok((configuration, taken))
}

/// A port of this host, and the one of a node that it leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortMapping {
    /// This host's.
    pub host: u16,
    /// The node's.
    pub node: u16,
}

/// The port in a configuration that --http-port replaces; none where Docker chooses one.
pub fn http_port(configuration: &Value) -> Option<PortMapping> {
    let nodes = configuration.get("nodes")?.as_array()?.iter();
    let mappings = nodes.filter_map(|node| node.get("extraPortMappings")?.as_array());
    let first = mappings.flatten().find(|mapping| mapping.get("hostPort").is_some())?;
    let port = |name: &str| u16::try_from(first.get(name)?.as_u64()?).ok().filter(|port| *port != 0);
    Some(PortMapping {
        host: port("hostPort")?,
        node: port("containerPort")?,
    })
}

/// Labels all nodes with the engine of the image that they come from.
pub fn label(configuration: &mut Value, engine: &str) {
    for node in nodes(configuration).filter_map(Value::as_object_mut) {
        let labels = node.entry("labels").or_insert_with(|| json!({}));
        // kind itself reports labels of another type.
        if let Some(labels) = labels.as_object_mut() {
            labels.insert(NODE_ENGINE_LABEL.to_owned(), engine.into());
        }
    }
}

fn nodes(configuration: &mut Value) -> impl Iterator<Item = &mut Value> {
    let nodes = configuration.get_mut("nodes").and_then(Value::as_array_mut);
    nodes.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMITTED: &str = include_str!("../../../../kind-config.yaml");

    #[test]
    fn the_committed_configuration_takes_8080_or_the_port_asked_for() {
        let (value, ports) = prepare(COMMITTED, None).unwrap();
        assert_eq!(ports, [8080]);
        assert_eq!(value["nodes"][0]["extraPortMappings"][0]["listenAddress"], "127.0.0.1");
        let (value, ports) = prepare(COMMITTED, Some(9000)).unwrap();
        assert_eq!(ports, [9000]);
        let text = value.to_string();
        assert!(text.contains(r#""hostPort":9000"#) && text.contains(r#""containerPort":30080"#));
    }

    #[test]
    fn the_port_that_is_replaced_is_the_one_that_is_read() {
        let (value, _) = prepare(COMMITTED, Some(9000)).unwrap();
        assert_eq!(
            http_port(&value),
            Some(PortMapping {
                host: 9000,
                node: 30080
            })
        );
        let chosen_by_docker = json!({"containerPort": 30080, "hostPort": 0});
        for mappings in [json!([]), json!([{"containerPort": 30080}]), json!([chosen_by_docker])] {
            assert_eq!(http_port(&json!({"nodes": [{"extraPortMappings": mappings}]})), None);
        }
        assert_eq!(http_port(&json!({})), None);
    }

    #[test]
    fn nodes_are_labelled_with_the_engine_of_their_image() {
        let (mut value, _) = prepare(COMMITTED, None).unwrap();
        label(&mut value, "crun-1-wasmedge-2-r3");
        assert_eq!(
            value["nodes"][0]["labels"],
            json!({"wasm-engine": "crun-1-wasmedge-2-r3"})
        );
        let both = json!({"runtime": "crun-wasm", "wasm-engine": "crun-1-wasmedge-2-r3"});
        assert_eq!(value["nodes"][1]["labels"], both);
        let mut odd = json!({"nodes": [{"labels": []}, 7]});
        label(&mut odd, "any");
        assert_eq!(odd, json!({"nodes": [{"labels": []}, 7]}));
    }

    #[test]
    fn there_must_be_a_port_to_replace() {
        assert_eq!(
            prepare("kind: Cluster\nnodes: []\n", Some(1)),
            Err(KindConfigError::NoPort)
        );
        assert!(prepare("kind: Cluster\nnodes: []\n", None).is_ok());
        assert!(matches!(prepare("kind: [", None), Err(KindConfigError::Yaml(_))));
    }
}
