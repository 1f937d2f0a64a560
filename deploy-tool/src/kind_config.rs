//! Pure: kind's configuration with another port on this host, and what is known of the nodes' image.

use serde_json::{Value, json};

use crate::settings::NODE_ENGINE_LABEL;
use crate::yaml::{self, YamlError};

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

/// The configuration as kind is to have it (JSON is YAML too), and the ports of this host that it takes. All nodes come from
/// one image: they are labelled with the engine that is in it, where it is ours.
///
/// # Errors
/// When it is no YAML, or has no port that could be replaced.
pub fn prepared(
    text: &str,
    http_port: Option<u16>,
    engine: Option<&str>,
) -> Result<(String, Vec<u16>), KindConfigError> {
    let mut configuration: Value = yaml::one(text)?;
    let mut nodes: Vec<&mut Value> = configuration
        .get_mut("nodes")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
        .collect();
    if let Some(engine) = engine {
        for node in nodes.iter_mut().filter_map(|node| node.as_object_mut()) {
            let labels = node.entry("labels").or_insert_with(|| json!({}));
            // What is no list of labels, kind refuses in its own words.
            if let Some(labels) = labels.as_object_mut() {
                labels.insert(NODE_ENGINE_LABEL.to_owned(), engine.into());
            }
        }
    }
    let mappings = nodes
        .into_iter()
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
    Ok((configuration.to_string(), taken))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMITTED: &str = include_str!("../../kind-config.yaml");

    #[test]
    fn the_committed_configuration_takes_8080_or_the_port_asked_for() {
        let (text, ports) = prepared(COMMITTED, None, None).unwrap();
        assert_eq!(ports, [8080]);
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["nodes"][0]["extraPortMappings"][0]["listenAddress"], "127.0.0.1");
        let (text, ports) = prepared(COMMITTED, Some(9000), None).unwrap();
        assert_eq!(ports, [9000]);
        assert!(text.contains(r#""hostPort":9000"#) && text.contains(r#""containerPort":30080"#));
    }

    #[test]
    fn nodes_are_labelled_with_the_engine_of_their_image() {
        let (text, _) = prepared(COMMITTED, None, Some("crun-1-wasmedge-2-r3")).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            value["nodes"][0]["labels"],
            json!({"wasm-engine": "crun-1-wasmedge-2-r3"})
        );
        let both = json!({"runtime": "crun-wasm", "wasm-engine": "crun-1-wasmedge-2-r3"});
        assert_eq!(value["nodes"][1]["labels"], both);
        assert!(!prepared(COMMITTED, None, None).unwrap().0.contains("wasm-engine"));
    }

    #[test]
    fn there_must_be_a_port_to_replace() {
        assert_eq!(
            prepared("kind: Cluster\nnodes: []\n", Some(1), None),
            Err(KindConfigError::NoPort)
        );
        assert!(prepared("kind: Cluster\nnodes: []\n", None, None).is_ok());
        assert!(matches!(prepared("kind: [", None, None), Err(KindConfigError::Yaml(_))));
    }
}
