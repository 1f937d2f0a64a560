//! Pure: whether images are on the nodes already, by what the kubelets report.
//!
//! A kubelet names the fifty largest images of its node, and takes half a minute to notice a change: it may not know of
//! an image that is there, which costs a closer look, and only for that half minute of one that has just gone.
//! <https://kubernetes.io/docs/reference/command-line-tools-reference/kubelet/>

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Node;

const CONTROL_PLANE_LABEL: &str = "node-role.kubernetes.io/control-plane";

/// How many nodes there are for workloads, if every one of them has all the images.
pub fn everywhere(nodes: &[Node], images: &BTreeSet<String>) -> Option<usize> {
    let is_control_plane = |node: &&Node| {
        let labels = node.metadata.labels.as_ref();
        labels.is_some_and(|labels| labels.contains_key(CONTROL_PLANE_LABEL))
    };
    let workers: Vec<&Node> = nodes.iter().filter(|node| !is_control_plane(node)).collect();
    let nodes = if workers.is_empty() {
        nodes.iter().collect()
    } else {
        workers
    };
    let has_all = |node: &&Node| {
        let reported = node.status.as_ref().and_then(|status| status.images.as_ref());
        let names = reported.into_iter().flatten().filter_map(|image| image.names.as_ref());
        let names: BTreeSet<&String> = names.flatten().collect();
        images.iter().all(|image| names.contains(image))
    };
    (!nodes.is_empty() && nodes.iter().all(has_all)).then_some(nodes.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn node(label: &str, images: &[&str]) -> Node {
        serde_json::from_value(json!({
            "metadata": {"labels": {label: ""}},
            "status": {"images": [{"names": images}]},
        }))
        .unwrap()
    }

    #[test]
    fn images_are_everywhere_when_every_node_for_workloads_has_all() {
        let images = BTreeSet::from(["a:1".to_owned(), "b:2".to_owned()]);
        let (full, part) = (node("x", &["a:1", "c", "b:2"]), node("x", &["a:1"]));
        let control = node(CONTROL_PLANE_LABEL, &[]);
        assert_eq!(
            everywhere(&[full.clone(), full.clone(), control.clone()], &images),
            Some(2)
        );
        assert_eq!(everywhere(&[full.clone(), part], &images), None);
        // Alone, the control plane runs the workloads.
        assert_eq!(everywhere(std::slice::from_ref(&control), &images), None);
        assert_eq!(everywhere(&[control], &BTreeSet::new()), Some(1));
        assert_eq!(everywhere(&[], &images), None);
        assert_eq!(everywhere(&[Node::default()], &images), None);
    }
}
