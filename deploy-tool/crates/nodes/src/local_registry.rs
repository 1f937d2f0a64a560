//! Edge: connects the nodes of a kind cluster to a registry in a container on this host.
//!
//! An image has the same name on the host and on the nodes: `localhost:PORT/…`, with the published port of the container.
//! On the nodes, a hosts.toml of containerd maps that to the container. <https://kind.sigs.k8s.io/docs/user/local-registry/>,
//! <https://github.com/containerd/containerd/blob/main/docs/hosts.md>

use std::path::Path;

use crate::kind::Node;
use diagnostics::{Error, Result};
use host::cache::Cache;
use host::docker;

/// The network of kind's nodes.
const NETWORK: &str = "kind";
/// The folder that the nodes' containerd looks into, see oci/node/registry-hosts.toml.
const FOLDER: &str = "/etc/containerd/certs.d";

/// Lets nodes pull from the registry in a container. `authority` are the CA certificates of the registry; without
/// them, it is reached by plain HTTP. Returns the name that images get: `localhost:5001`.
///
/// # Errors
/// When there is no such container, it publishes no port, or a node cannot be configured.
pub async fn join(cache: &Cache, nodes: &[Node], container: &str, authority: Option<&Path>) -> Result<String> {
    let message = format!("cannot let the nodes pull from the registry in the container `{container}`");
    let networks = "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}";
    let joined = docker::run(&message, ["inspect", "--format", networks, container]).await?;
    if !joined.split_whitespace().any(|network| network == NETWORK) {
        docker::run(&message, ["network", "connect", NETWORK, container]).await?;
    }
    // After it has joined: a port that Docker chooses is another one then.
    let ports = docker::run(&message, ["port", container]).await?;
    let (inner, outer) = published(&ports).ok_or_else(|| {
        Error::input(&message)
            .cause("it publishes no port on this host")
            .hint("start it with one: docker run --publish 127.0.0.1:5001:5000 …")
    })?;
    // Names stay when the container is started again, addresses do not.
    let name = docker::run(&message, ["inspect", "--format", "{{.Name}}", container]).await?;
    let host = format!("{}:{inner}", name.trim().trim_start_matches('/'));
    let registry = format!("localhost:{outer}");

    let scratch = cache.scratch("registry")?;
    let folder = scratch.path.join(&registry);
    std::fs::create_dir(&folder)
        .map_err(|error| Error::file(format!("cannot make the folder `{}`", folder.display()), &error))?;
    cache.write(
        &folder.join("hosts.toml"),
        hosts(&registry, &host, authority.is_some()).as_bytes(),
    )?;
    if let Some(path) = authority {
        let certificates = std::fs::read(path).map_err(|error| {
            Error::input(format!("the certificates `{}` cannot be read", path.display())).cause(error)
        })?;
        cache.write(&folder.join("ca.crt"), &certificates)?;
    }
    let source = format!("{}/.", scratch.path.display());
    for node in nodes {
        let configuration = docker::run(&message, ["exec", &node.name, "containerd", "config", "dump"]).await?;
        if !configuration.contains(FOLDER) {
            return Err(Error::prerequisite(&message)
                .cause(format!("containerd of node `{}` does not look into {FOLDER}", node.name))
                .hint("recreate the cluster from a node image of this version: `deploy-tool cluster down`, then `deploy-tool cluster up`"));
        }
        docker::run(&message, ["exec", &node.name, "mkdir", "-p", FOLDER]).await?;
        docker::run(&message, ["cp", &source, &format!("{}:{FOLDER}", node.name)]).await?;
    }
    Ok(registry)
}

/// Pure: the first ports in the output of `docker port`, in the container and on the host: `5000/tcp -> 127.0.0.1:5001`.
fn published(ports: &str) -> Option<(u16, u16)> {
    ports.lines().find_map(|line| {
        let (inner, outer) = line.split_once(" -> ")?;
        let inner = inner.strip_suffix("/tcp")?.parse().ok()?;
        Some((inner, outer.rsplit_once(':')?.1.trim().parse().ok()?))
    })
}

/// Pure: where containerd finds a registry.
fn hosts(registry: &str, host: &str, tls: bool) -> String {
    if tls {
        format!("server = \"https://{host}\"\n[host.\"https://{host}\"]\n  ca = \"{FOLDER}/{registry}/ca.crt\"\n")
    } else {
        format!("server = \"http://{host}\"\n[host.\"http://{host}\"]\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_published_port_counts() {
        assert_eq!(
            published("53/udp -> 0.0.0.0:53\n5000/tcp -> 127.0.0.1:5001\n5000/tcp -> [::]:5001\n"),
            Some((5000, 5001))
        );
        assert_eq!(published("5000/tcp -> [::1]:32768\n"), Some((5000, 32768)));
        assert_eq!(published(""), None);
    }

    #[test]
    fn containerd_is_told_where_the_name_leads() {
        let text = hosts("localhost:5001", "registry:5000", true);
        assert!(text.contains("[host.\"https://registry:5000\"]") && text.contains("certs.d/localhost:5001/ca.crt"));
        assert!(!hosts("localhost:5001", "registry:5000", false).contains("ca ="));
    }
}
