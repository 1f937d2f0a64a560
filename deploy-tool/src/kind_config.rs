//! Pure: kind's configuration with another port on this host.

use serde_json::Value;

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

/// The configuration as kind is to have it (JSON is YAML too), and the ports of this host that it takes.
///
/// # Errors
/// When it is no YAML, or has no port that could be replaced.
pub fn prepared(text: &str, http_port: Option<u16>) -> Result<(String, Vec<u16>), KindConfigError> {
    let mut configuration: Value = yaml::one(text)?;
    let nodes = configuration
        .get_mut("nodes")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten();
    let mappings = nodes
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
        let (text, ports) = prepared(COMMITTED, None).unwrap();
        assert_eq!(ports, [8080]);
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["nodes"][0]["extraPortMappings"][0]["listenAddress"], "127.0.0.1");
        let (text, ports) = prepared(COMMITTED, Some(9000)).unwrap();
        assert_eq!(ports, [9000]);
        assert!(text.contains(r#""hostPort":9000"#) && text.contains(r#""containerPort":30080"#));
    }

    #[test]
    fn there_must_be_a_port_to_replace() {
        assert_eq!(
            prepared("kind: Cluster\nnodes: []\n", Some(1)),
            Err(KindConfigError::NoPort)
        );
        assert!(prepared("kind: Cluster\nnodes: []\n", None).is_ok());
        assert!(matches!(prepared("kind: [", None), Err(KindConfigError::Yaml(_))));
    }
}
