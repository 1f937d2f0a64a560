//! Which nodes, and whether they can be asked at all.

use k8s_openapi::api::core::v1::Node;
use node_protocol::Runtime;

use crate::doctor;
use diagnostics::code::node::UNFIT;
use diagnostics::{Error, Result};
use oci_artifacts::registry::Reference;

/// A node to be acted on.
#[derive(Clone, Debug)]
pub struct Chosen<'n> {
    /// The node.
    pub node: &'n Node,
    /// Its container runtime.
    pub runtime: Runtime,
}

impl Chosen<'_> {
    /// The node's name.
    pub fn name(&self) -> &str {
        doctor::name(self.node)
    }
}

/// Reads a handler's name: a DNS label, <https://kubernetes.io/docs/concepts/containers/runtime-class/>.
pub fn handler(text: &str) -> Result<String, String> {
    let fits = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-';
    if !text.is_empty() && text.len() < 64 && text.chars().all(fits) && !text.starts_with('-') && !text.ends_with('-') {
        Ok(text.to_owned())
    } else {
        Err("write a name of lower-case letters, digits and dashes".to_owned())
    }
}

/// Reads the name of the installer's image, which runs as root on the nodes: by a digest, so that it is the same on each.
pub fn image(text: &str) -> Result<String, String> {
    let reference = Reference::parse(text)?;
    if reference.name.starts_with("sha256:") {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "name it by its digest, which `docker push` prints: {}@sha256:…; behind a tag may be another one on each node",
            text.rsplit_once(':').map_or(text, |(name, _)| name)
        ))
    }
}

/// The nodes that are named, or all of a list that was selected.
///
/// # Errors
/// When one is not there, none is left, or one is of a kind that no engine is made for.
pub fn choose<'n>(names: &[String], nodes: &'n [Node]) -> Result<Vec<Chosen<'n>>> {
    if let Some(unknown) = names
        .iter()
        .find(|name| nodes.iter().all(|node| doctor::name(node) != *name))
    {
        let known: Vec<&str> = nodes.iter().map(doctor::name).collect();
        return Err(
            Error::input(format!("there is no node `{unknown}` among those selected"))
                .cause(format!("these are there: {}", known.join(", "))),
        );
    }
    let is_wanted = |node: &&Node| names.is_empty() || names.iter().any(|name| name == doctor::name(node));
    let judged = nodes.iter().filter(is_wanted).map(|node| (node, runtime(node)));
    let (mut chosen, mut unfit) = (Vec::new(), Vec::new());
    for (node, runtime) in judged {
        match runtime {
            Ok(runtime) => chosen.push(Chosen { node, runtime }),
            Err(reason) => unfit.push(format!("{}: {reason}", doctor::name(node))),
        }
    }
    if !unfit.is_empty() {
        let failure = Error::cluster("not every node can take the engine; nothing was touched").code(&UNFIT);
        return Err(unfit
            .iter()
            .fold(failure, Error::cause)
            .hint("name the nodes that can, or select them by a label"));
    }
    Ok(chosen)
}

fn runtime(node: &Node) -> Result<Runtime, String> {
    let info = node.status.as_ref().and_then(|status| status.node_info.as_ref());
    let info = info.ok_or("its kubelet has not said what it is yet")?;
    if (info.operating_system.as_str(), info.architecture.as_str()) != ("linux", "amd64") {
        return Err(format!(
            "it is {}/{}, and the engine is made for linux/amd64",
            info.operating_system, info.architecture
        ));
    }
    if has_ipv6_alone(node) {
        return Err(
            "its pods have IPv6 addresses alone, and the resolver of Wasm guests knows IPv4 alone: none would find a Service"
                .to_owned(),
        );
    }
    match info.container_runtime_version.split_once("://") {
        Some(("containerd", _)) => Ok(Runtime::Containerd),
        Some(("cri-o", _)) => Ok(Runtime::Crio),
        _ => Err(format!(
            "its runtime is {}, and only containerd and CRI-O hand modules to crun",
            info.container_runtime_version
        )),
    }
}

/// By the pods' networks, where the node has some from Kubernetes, and else by its own addresses.
fn has_ipv6_alone(node: &Node) -> bool {
    let networks = node.spec.iter().flat_map(|spec| spec.pod_cidrs.iter().flatten());
    let networks: Vec<&str> = networks.map(String::as_str).collect();
    let addresses = node.status.iter().flat_map(|status| status.addresses.iter().flatten());
    let internal = addresses.filter(|address| address.type_ == "InternalIP");
    let known = if networks.is_empty() {
        internal.map(|address| address.address.as_str()).collect()
    } else {
        networks
    };
    !known.is_empty() && known.iter().all(|address| address.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn node(name: &str, platform: &str, runtime: &str) -> Node {
        let (system, architecture) = platform.split_once('/').unwrap();
        serde_json::from_value(json!({"metadata": {"name": name}, "status": {"nodeInfo": {
            "operatingSystem": system, "architecture": architecture, "containerRuntimeVersion": runtime,
            "bootID": "", "kernelVersion": "", "kubeProxyVersion": "", "kubeletVersion": "", "machineID": "",
            "osImage": "", "systemUUID": "",
        }}}))
        .unwrap()
    }

    #[test]
    fn named_nodes_are_taken_or_the_reason_is_told() {
        let nodes = [
            node("one", "linux/amd64", "containerd://2.3.7"),
            node("two", "linux/amd64", "cri-o://1.30.4"),
            node("arm", "linux/arm64", "containerd://2.3.7"),
            node("windows", "windows/amd64", "containerd://2.3.7"),
            node("docker", "linux/amd64", "docker://27.0"),
        ];
        let names = |names: &[&str]| -> Vec<String> { names.iter().map(|name| (*name).to_owned()).collect() };
        let chosen = choose(&names(&["two", "one"]), &nodes).unwrap();
        let chosen: Vec<_> = chosen.iter().map(|node| (node.name(), node.runtime)).collect();
        assert_eq!(chosen, [("one", Runtime::Containerd), ("two", Runtime::Crio)]);
        let failure = choose(&[], &nodes).unwrap_err();
        assert_eq!(failure.number(), Some(&UNFIT));
        let text = failure.to_string();
        for reason in [
            "arm: it is linux/arm64",
            "windows: it is windows/amd64",
            "docker: its runtime is docker://27.0",
        ] {
            assert!(text.contains(reason), "{reason}:\n{text}");
        }
        assert!(!text.contains("one: "), "{text}");
        assert!(
            choose(&names(&["none"]), &nodes)
                .unwrap_err()
                .to_string()
                .contains("no node `none`")
        );
    }

    #[test]
    fn a_node_of_ipv6_alone_is_refused_beforehand() {
        for (networks, addresses, expected) in [
            (json!(["10.0.0.0/24"]), json!(["fd00::1"]), true),
            (json!(["fd00:1::/64", "10.0.0.0/24"]), json!(["fd00::1"]), true),
            (json!(["fd00:1::/64"]), json!(["172.18.0.2"]), false),
            (Value::Null, json!(["172.18.0.2", "fd00::1"]), true),
            (Value::Null, json!(["fd00::1"]), false),
            (Value::Null, json!([]), true),
        ] {
            let mut single = node("one", "linux/amd64", "containerd://2.3.7");
            single.spec = serde_json::from_value(json!({"podCIDRs": networks})).unwrap();
            let addresses = addresses.as_array().unwrap().iter();
            let addresses: Vec<Value> = addresses
                .map(|address| json!({"type": "InternalIP", "address": address}))
                .collect();
            single.status.as_mut().unwrap().addresses = serde_json::from_value(json!(addresses)).unwrap();
            let chosen = choose(&[], std::slice::from_ref(&single)).map(|chosen| chosen.len());
            assert_eq!(chosen.is_ok(), expected, "{networks} {addresses:?}");
            if let Err(failure) = chosen {
                assert!(
                    failure.to_string().contains("one: its pods have IPv6 addresses alone"),
                    "{failure}"
                );
            }
        }
    }

    #[test]
    fn the_installers_image_is_the_same_on_each_node() {
        let exact = format!("registry.example/node-installer@sha256:{}", "0".repeat(64));
        assert_eq!(image(&exact), Ok(exact));
        let refusal = image("registry.example:5000/node-installer:1").unwrap_err();
        assert!(
            refusal.contains("registry.example:5000/node-installer@sha256:…"),
            "{refusal}"
        );
        for wrong in ["", "registry.example/x", "registry.example/x@sha256:0"] {
            assert!(image(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn handlers_are_dns_labels() {
        assert_eq!(handler("crun-wasm"), Ok("crun-wasm".to_owned()));
        for wrong in ["", "Crun", "a.b", "-a", "a-", "a b"] {
            assert!(handler(wrong).is_err(), "{wrong}");
        }
    }
}
