//! Edge: kind, and the containers that are its nodes. <https://kind.sigs.k8s.io/>

use std::path::Path;

use serde::Deserialize;

use diagnostics::code::image::NODES_AWAY;
use diagnostics::{Error, Result};
use host::cache::Cache;
use host::docker;
use host::process;
use terminal::Progress;

/// A container that is a node of a cluster.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Node {
    /// The container's name, which is the node's too.
    #[serde(rename = "Names")]
    pub name: String,
    #[serde(rename = "State")]
    state: String,
    #[serde(rename = "Labels")]
    labels: String,
}

impl Node {
    /// Whether the container runs.
    pub fn is_running(&self) -> bool {
        self.state == "running"
    }

    /// `control-plane`, `worker`, or something that is no node.
    /// <https://github.com/kubernetes-sigs/kind/blob/main/pkg/cluster/constants/constants.go>
    pub fn role(&self) -> &str {
        self.label("io.x-k8s.kind.role").unwrap_or_default()
    }

    /// A label of the container, or of the image it was made from.
    pub fn label(&self, name: &str) -> Option<&str> {
        let mut values = self.labels.split(',').filter_map(|label| label.split_once('='));
        values.find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

/// The nodes of a cluster, running or not; none when there is no cluster of that name.
///
/// # Errors
/// When Docker cannot be asked, or its answer is of another form.
pub async fn nodes(cluster: &str) -> Result<Vec<Node>> {
    let filter = format!("label=io.x-k8s.kind.cluster={cluster}");
    let arguments = ["ps", "--all", "--filter", &filter, "--format", "{{json .}}"];
    let lines = docker::run(
        &format!("cannot look for the nodes of the cluster `{cluster}`"),
        arguments,
    )
    .await?;
    parse_nodes(&lines).map_err(|error| {
        Error::prerequisite(format!(
            "cannot understand what docker prints about the nodes of the cluster `{cluster}`"
        ))
        .cause(error)
        .hint("compare it with Docker's own: `docker ps --all --format '{{json .}}'`; the `docker` in PATH may be another program")
    })
}

/// Pure: the nodes of a cluster in the output of `docker ps`, one JSON object a line.
fn parse_nodes(lines: &str) -> Result<Vec<Node>, serde_json::Error> {
    let lines = lines.lines().filter(|line| !line.trim().is_empty());
    let mut nodes: Vec<Node> = lines.map(serde_json::from_str).collect::<Result<_, _>>()?;
    nodes.retain(|node| matches!(node.role(), "control-plane" | "worker"));
    nodes.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(nodes)
}

/// The nodes of a cluster that this host's engine runs. A context of the same form may be that of another host's cluster.
///
/// # Errors
/// When Docker cannot be asked, or has no such nodes: [`NODES_AWAY`].
pub async fn local_nodes(cluster: &str) -> Result<Vec<Node>> {
    let found = match nodes(cluster).await {
        Ok(found) if !found.is_empty() => return Ok(found),
        Ok(_) => Error::prerequisite(format!(
            "this host's Docker engine has no nodes of the cluster `{cluster}`"
        )),
        Err(failure) => failure,
    };
    Err(found.code(&NODES_AWAY))
}

/// Pure: the nodes that pods of a workload can land on. Where there are workers, the control plane is tainted.
pub fn workload_nodes(nodes: &[Node]) -> Vec<&str> {
    let workers: Vec<&str> = nodes
        .iter()
        .filter(|node| node.role() == "worker")
        .map(|node| node.name.as_str())
        .collect();
    if workers.is_empty() {
        nodes.iter().map(|node| node.name.as_str()).collect()
    } else {
        workers
    }
}

/// The images that a node's containerd has, by name.
///
/// # Errors
/// When the node does not answer.
pub async fn images(node: &str) -> Result<Vec<String>> {
    let arguments = ["exec", node, "ctr", "--namespace=k8s.io", "images", "list", "--quiet"];
    let names = docker::run(&format!("cannot list the images of node `{node}`"), arguments).await?;
    Ok(names.lines().map(|name| name.trim().to_owned()).collect())
}

/// Loads an OCI archive into nodes.
///
/// # Errors
/// When kind cannot do it.
pub async fn load_archive(
    cache: &Cache,
    progress: &Progress,
    cluster: &str,
    nodes: &[&str],
    archive: &Path,
) -> Result<()> {
    let archive = archive.display().to_string();
    load(cache, progress, cluster, nodes, &["image-archive", &archive]).await
}

/// Loads an image of the Docker engine into nodes.
///
/// # Errors
/// When kind cannot do it.
pub async fn load_docker_image(
    cache: &Cache,
    progress: &Progress,
    cluster: &str,
    nodes: &[&str],
    image: &str,
) -> Result<()> {
    load(cache, progress, cluster, nodes, &["docker-image", image]).await
}

/// The kind program that scripts/host installs is preferred: it fits the node image, and another version in PATH may not.
fn command(cache: &Cache, arguments: &[&str]) -> Result<tokio::process::Command> {
    let installed = cache.path("bin/kind")?;
    let program = if installed.is_file() {
        installed.display().to_string()
    } else {
        "kind".to_owned()
    };
    Ok(process::command(&program, arguments))
}

async fn load(cache: &Cache, progress: &Progress, cluster: &str, nodes: &[&str], images: &[&str]) -> Result<()> {
    let nodes = nodes.join(",");
    let mut arguments = vec!["load"];
    arguments.extend(images);
    arguments.extend(["--name", cluster, "--nodes", &nodes]);
    process::logged(progress, command(cache, &arguments)?, &cache.log("load"))
        .await?
        .check(|| {
            Error::cluster(format!(
                "cannot load an image into the nodes of the cluster `{cluster}`"
            ))
        })
}

/// Gives an image of a node a second name.
///
/// # Errors
/// When the node does not do it.
pub async fn tag(node: &str, image: &str, name: &str) -> Result<()> {
    let arguments = [
        "exec",
        node,
        "ctr",
        "--namespace=k8s.io",
        "images",
        "tag",
        "--force",
        image,
        name,
    ];
    docker::run(&format!("cannot name an image `{name}` on node `{node}`"), arguments)
        .await
        .map(|_| ())
}

/// Creates a cluster.
///
/// # Errors
/// When kind fails; it removes the incomplete cluster.
pub async fn create(
    cache: &Cache,
    progress: &Progress,
    cluster: &str,
    image: &str,
    configuration: &Path,
) -> Result<()> {
    let configuration = configuration.display().to_string();
    let arguments = [
        "create",
        "cluster",
        "--name",
        cluster,
        "--image",
        image,
        "--config",
        &configuration,
    ];
    let ended = process::logged(progress, command(cache, &arguments)?, &cache.log("kind-create")).await?;
    let log = ended.tail.join("\n");
    let failure = Error::cluster(format!("kind cannot create the cluster `{cluster}`"));
    ended.check(|| {
        if log.contains("port is already allocated") || log.contains("address already in use") {
            failure.hint("a port of this host is in use: choose another with --http-port")
        } else {
            failure
        }
    })
}

/// Deletes a cluster and its entry in the kubeconfig.
///
/// # Errors
/// When kind cannot do it.
pub async fn delete(cache: &Cache, progress: &Progress, cluster: &str) -> Result<()> {
    process::logged(
        progress,
        command(cache, &["delete", "cluster", "--name", cluster])?,
        &cache.log("kind-delete"),
    )
    .await?
    .check(|| Error::cluster(format!("kind cannot delete the cluster `{cluster}`")))
}

/// Puts the context of a running cluster into the kubeconfig, as its creation did.
///
/// # Errors
/// When kind cannot do it.
pub async fn export_kubeconfig(cache: &Cache, progress: &Progress, cluster: &str) -> Result<()> {
    process::logged(
        progress,
        command(cache, &["export", "kubeconfig", "--name", cluster])?,
        &cache.log("kind-export"),
    )
    .await?
    .check(|| {
        Error::cluster(format!(
            "kind cannot put the context of the cluster `{cluster}` into the kubeconfig"
        ))
    })
}

/// Starts the containers of nodes that were stopped, as by a restart of the host.
///
/// # Errors
/// When Docker cannot do it.
pub async fn start(nodes: &[&str]) -> Result<()> {
    let arguments = std::iter::once("start").chain(nodes.iter().copied());
    docker::run("cannot start the cluster's nodes", arguments)
        .await
        .map(|_| ())
}

/// Where on this host a port of a cluster's nodes can be reached, if one of them has it there.
///
/// # Errors
/// When Docker cannot be asked.
pub async fn mapped_address(nodes: &[Node], port: i32) -> Result<Option<String>> {
    for node in nodes {
        if let Some(address) = host_address(&node.name, port).await? {
            return Ok(Some(address));
        }
    }
    Ok(None)
}

async fn host_address(node: &str, port: i32) -> Result<Option<String>> {
    let output = process::capture(process::command("docker", ["port", node, &format!("{port}/tcp")])).await?;
    Ok(output
        .stdout
        .lines()
        .next()
        .filter(|_| output.success)
        .map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, role: &str) -> Node {
        let labels = format!("a=b,io.x-k8s.kind.role={role},io.x-k8s.kind.cluster=c");
        Node {
            name: name.into(),
            state: "running".into(),
            labels,
        }
    }

    #[test]
    fn workloads_land_on_workers_where_there_are_any() {
        let nodes = [
            node("control", "control-plane"),
            node("one", "worker"),
            node("two", "worker"),
        ];
        assert_eq!(workload_nodes(&nodes), ["one", "two"]);
        assert_eq!(workload_nodes(&nodes[..1]), ["control"]);
    }

    #[test]
    fn reads_what_docker_prints() {
        let line = r#"{"Names":"wasm-demo-worker","State":"exited","Labels":"io.x-k8s.kind.role=worker","ID":"1"}"#;
        let other = r#"{"Names":"balancer","State":"running","Labels":"io.x-k8s.kind.role=external-load-balancer"}"#;
        let nodes = parse_nodes(&format!("{line}\n{other}\n\n")).unwrap();
        let [node] = nodes.as_slice() else { panic!("{nodes:?}") };
        assert!(!node.is_running());
        assert_eq!((node.role(), node.label("other")), ("worker", None));
        assert_eq!(parse_nodes("").unwrap(), []);
        // Podman's form. That is not the same as no cluster.
        for line in [
            r#"{"Names":["wasm-demo-worker"],"State":"running","Labels":{}}"#,
            "no JSON",
        ] {
            assert!(parse_nodes(line).is_err(), "{line}");
        }
    }
}
