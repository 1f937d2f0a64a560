//! Where a run takes place: one node, and the runtimes on it.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Node;

use crate::arguments::BenchArguments;
use crate::node;
use bench::benchmark::pods::address;
use bench::benchmark::{Machine, node as script};
use cluster::context::kind_cluster;
use cluster::{Cluster, pods};
use diagnostics::{Error, Result};
use host::docker;
use nodes::api::doctor as doctor_api;
use nodes::doctor;
use nodes::doctor::Verdict;

/// One node of a kind cluster.
pub struct BenchNode {
    /// The kind cluster.
    pub kind: String,
    /// The node's name, and that of its container.
    pub node: String,
    /// Its address, as this host reaches it.
    pub address: String,
    /// By RuntimeClass, the program that containerd runs.
    pub runtimes: BTreeMap<String, String>,
    /// What it is.
    pub machine: Machine,
}

/// Finds the node.
///
/// # Errors
/// When there is none that runs all RuntimeClasses, or the cluster is not kind's.
pub async fn find(cluster: &Cluster, arguments: &BenchArguments) -> Result<BenchNode> {
    let Some(kind) = kind_cluster(&cluster.context) else {
        return Err(Error::input("only clusters of kind are measured")
            .cause(format!(
                "context `{}` is not a kind cluster's: memory, processor time and starts are measured inside the node",
                cluster.context
            ))
            .hint("name one with --context"));
    };
    let (classes, nodes) = futures::try_join!(doctor_api::runtime_classes(cluster), pods::nodes(cluster))?;
    let mut handlers = BTreeMap::new();
    for name in &arguments.runtime_classes {
        let class = classes.iter().find(|class| class.metadata.name.as_ref() == Some(name));
        let others: Vec<String> = classes.iter().filter_map(|class| class.metadata.name.clone()).collect();
        let class = class.ok_or_else(|| healthy(doctor::missing(name, &others)))?;
        handlers.insert(name.clone(), class);
    }
    let first = handlers[&arguments.runtime_classes[0]];
    let wanted: Vec<String> = arguments.node.iter().cloned().collect();
    let (verdict, candidates) = doctor::candidates(first, &nodes, &wanted);
    let Some(found) = candidates.first() else {
        return Err(healthy(verdict));
    };
    let name = doctor::name(found);
    let what = format!("cannot ask node `{name}` for its runtimes");
    let configuration = docker::run(&what, ["exec", name, "containerd", "config", "dump"]).await?;
    let mut runtimes = BTreeMap::new();
    for (class, object) in handlers {
        let runtime = script::runtime(&configuration, &object.handler).ok_or_else(|| {
            Error::cluster(format!("node `{name}` has no runtime for RuntimeClass `{class}`"))
                .cause(format!(
                    "its containerd has no handler `{}` with a BinaryName",
                    object.handler
                ))
                .hint("`deploy-tool doctor` says what is missing")
        })?;
        runtimes.insert(class, runtime);
    }
    let programs: Vec<&str> = runtimes.values().map(String::as_str).collect();
    let described = node::run(
        name,
        &format!("cannot describe node `{name}`"),
        script::MACHINE,
        &programs,
    )
    .await?;
    let address = address(found)
        .ok_or_else(|| Error::cluster(format!("node `{name}` has no address")))?
        .to_owned();
    Ok(BenchNode {
        kind: kind.to_owned(),
        node: name.to_owned(),
        address,
        runtimes,
        machine: described_by(found, script::machine(&described)),
    })
}

/// What Kubernetes says of a node, beside what the node says of itself.
fn described_by(node: &Node, machine: Machine) -> Machine {
    let info = node
        .status
        .as_ref()
        .and_then(|status| status.node_info.clone())
        .unwrap_or_default();
    Machine {
        kernel: info.kernel_version,
        kubernetes: info.kubelet_version,
        container_runtime: info.container_runtime_version,
        deploy_tool: env!("CARGO_PKG_VERSION").to_owned(),
        ..machine
    }
}

/// What is broken, as `doctor` says it.
fn healthy(verdict: Verdict) -> Error {
    match verdict {
        Verdict::Broken(failure) => failure,
        Verdict::Healthy(sentence) | Verdict::Skipped(sentence) => Error::cluster(sentence),
    }
}
