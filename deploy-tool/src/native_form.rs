//! Pure: which form of native code the nodes allow.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Node;
use k8s_openapi::api::node::v1::RuntimeClass;

use nodes::NODE_ENGINE_LABEL;
use oci_artifacts::wasm::ENGINE_VERSION;
use releases::manifest::Object;
use wasm_build::native_form::NativeForm;

/// The form for the pods of these objects: a shared object where every node that they may be scheduled to has the engine for
/// it. Also returns the reason.
pub fn for_nodes(objects: &[Object], live: &[RuntimeClass], nodes: &[Node]) -> (NativeForm, String) {
    match engine(objects, live, nodes) {
        Ok(engine) => (
            NativeForm::SharedObject,
            format!("native code as shared objects: every node that Wasm pods may land on has {engine}"),
        ),
        Err(reason) => (
            NativeForm::Section,
            format!("native code in a section of the modules: {reason}"),
        ),
    }
}

/// The engine of all nodes, or why it is not known to be the right one.
fn engine(objects: &[Object], live: &[RuntimeClass], nodes: &[Node]) -> Result<String, String> {
    if nodes.is_empty() {
        return Err("the nodes are not known: they are many, or this user may not list them".to_owned());
    }
    let mut found = None;
    let classes = objects.iter().flat_map(|object| {
        let classes = object.runtime_classes_of_placeholders().into_iter();
        classes.map(move |class| (object, class))
    });
    for (object, class) in classes {
        let Some(class) = class else {
            return Err(format!("{} has pods that name no RuntimeClass", object.title()));
        };
        let selector = selector(class, objects, live).ok_or_else(|| format!("there is no RuntimeClass `{class}`"))?;
        let mut matching = nodes.iter().filter(|node| has_labels(node, &selector)).peekable();
        if matching.peek().is_none() {
            return Err(format!("no node is for the RuntimeClass `{class}`"));
        }
        for node in matching {
            found = Some(engine_of(node)?);
        }
    }
    found.ok_or_else(|| "no pod runs an image that is built here".to_owned())
}

/// The labels that a RuntimeClass asks nodes for, as it will be or as it is.
/// <https://kubernetes.io/docs/concepts/containers/runtime-class/#scheduling>
fn selector(name: &str, objects: &[Object], live: &[RuntimeClass]) -> Option<BTreeMap<String, String>> {
    let written = objects
        .iter()
        .find(|object| object.kind() == "RuntimeClass" && object.name() == name)
        .and_then(|object| serde_json::from_value(serde_json::to_value(&object.value).ok()?).ok());
    let existing = live.iter().find(|class| class.metadata.name.as_deref() == Some(name));
    let class: RuntimeClass = written.or_else(|| existing.cloned())?;
    Some(
        class
            .scheduling
            .and_then(|scheduling| scheduling.node_selector)
            .unwrap_or_default(),
    )
}

fn has_labels(node: &Node, selector: &BTreeMap<String, String>) -> bool {
    let labels = node.metadata.labels.as_ref();
    let has = |(key, value): (&String, &String)| labels.is_some_and(|labels| labels.get(key) == Some(value));
    selector.iter().all(has)
}

/// The engine that a node is labelled with, if it runs what the builder makes. The builder's processor is x86-64.
fn engine_of(node: &Node) -> Result<String, String> {
    let name = node.metadata.name.as_deref().unwrap_or_default();
    let info = node.status.as_ref().and_then(|status| status.node_info.as_ref());
    let architecture = info.map_or("?", |info| &info.architecture);
    if architecture != "amd64" {
        return Err(format!("node `{name}` is of {architecture}"));
    }
    let label = node
        .metadata
        .labels
        .as_ref()
        .and_then(|labels| labels.get(NODE_ENGINE_LABEL));
    let engine = label.ok_or_else(|| format!("node `{name}` has no label {NODE_ENGINE_LABEL}"))?;
    if engine.contains(&format!("-wasmedge-{ENGINE_VERSION}-")) {
        Ok(engine.clone())
    } else {
        Err(format!(
            "node `{name}` has {engine}, and the builder has WasmEdge {ENGINE_VERSION}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use releases::manifest::parse;
    use serde_json::json;

    const MANIFESTS: &str = "
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: {name: crun-wasm}
handler: crun
scheduling: {nodeSelector: {runtime: crun-wasm}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec: {template: {spec: {runtimeClassName: crun-wasm, containers: [{name: app, image: 'deploy-tool://app'}]}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: mariadb}
spec: {template: {spec: {containers: [{name: mariadb, image: 'mariadb:11.8'}]}}}
";

    fn node(name: &str, architecture: &str, labels: serde_json::Value) -> Node {
        serde_json::from_value(json!({"metadata": {"name": name, "labels": labels},
            "status": {"nodeInfo": {"architecture": architecture, "bootID": "", "containerRuntimeVersion": "",
                "kernelVersion": "", "kubeProxyVersion": "", "kubeletVersion": "", "machineID": "",
                "operatingSystem": "linux", "osImage": "", "systemUUID": ""}}}))
        .unwrap()
    }

    fn chosen(manifests: &str, nodes: &[Node]) -> (NativeForm, String) {
        for_nodes(&parse("test", manifests).unwrap(), &[], nodes)
    }

    fn labels(engine: &str) -> serde_json::Value {
        json!({"runtime": "crun-wasm", "wasm-engine": engine})
    }

    const ENGINE: &str = "crun-1.21-wasmedge-0.14.1-r3";

    #[test]
    fn a_shared_object_where_every_node_of_the_class_has_the_engine() {
        let control_plane = node("control-plane", "amd64", json!({}));
        let worker = node("worker", "amd64", labels(ENGINE));
        let (form, why) = chosen(MANIFESTS, &[control_plane, worker]);
        assert_eq!(form, NativeForm::SharedObject);
        assert!(why.ends_with(ENGINE), "{why}");
    }

    #[test]
    fn a_section_where_one_node_is_not_known_to_have_it() {
        let good = || node("good", "amd64", labels(ENGINE));
        let cases = [
            (node("arm", "arm64", labels(ENGINE)), "node `arm` is of arm64"),
            (
                node("stock", "amd64", json!({"runtime": "crun-wasm"})),
                "node `stock` has no label wasm-engine",
            ),
            (
                node("new", "amd64", labels("crun-1.21-wasmedge-0.14.10-r1")),
                "node `new` has crun-1.21-wasmedge-0.14.10-r1",
            ),
        ];
        for (unsuitable, expected) in cases {
            let (form, why) = chosen(MANIFESTS, &[good(), unsuitable]);
            assert_eq!(form, NativeForm::Section);
            assert!(why.contains(expected), "{why}");
        }
        for (manifests, nodes, expected) in [
            (MANIFESTS.to_owned(), vec![], "the nodes are not known"),
            (
                MANIFESTS.to_owned(),
                vec![node("n", "amd64", json!({}))],
                "no node is for",
            ),
            (
                MANIFESTS.replace("runtimeClassName: crun-wasm, ", ""),
                vec![good()],
                "name no RuntimeClass",
            ),
            (
                MANIFESTS.replace("runtimeClassName: crun-wasm", "runtimeClassName: other"),
                vec![good()],
                "there is no RuntimeClass `other`",
            ),
            (
                MANIFESTS.replace("deploy-tool://app", "localhost/app:1"),
                vec![good()],
                "no pod runs an image",
            ),
        ] {
            let (form, why) = chosen(&manifests, &nodes);
            assert_eq!(form, NativeForm::Section);
            assert!(why.contains(expected), "{why}");
        }
    }

    #[test]
    fn a_runtime_class_that_is_not_written_is_looked_up() {
        let without = &MANIFESTS[MANIFESTS.find("---").unwrap()..];
        let class: RuntimeClass =
            serde_json::from_value(json!({"metadata": {"name": "crun-wasm"}, "handler": "crun"})).unwrap();
        let objects = parse("test", without).unwrap();
        let (form, _) = for_nodes(&objects, &[class], &[node("any", "amd64", labels(ENGINE))]);
        assert_eq!(form, NativeForm::SharedObject);
    }
}
