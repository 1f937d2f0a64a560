//! Pure: whether images are on the nodes already, by `status.images` of the nodes.
//!
//! A kubelet reports the fifty largest images, up to half a minute late. An image may be missing in the report, which only
//! costs an exact check; and for half a minute, one that was just removed may still be in it.
//! <https://kubernetes.io/docs/reference/command-line-tools-reference/kubelet/>

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Node;
use oci_artifacts::registry::{Reference, Repository};

const CONTROL_PLANE_LABEL: &str = "node-role.kubernetes.io/control-plane";

/// How many nodes there are for workloads, if every one of them has all the images.
pub fn count_nodes_with_images(nodes: &[Node], images: &BTreeSet<String>) -> Option<usize> {
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
        let names: BTreeSet<String> = names.flatten().map(|name| full_name(name)).collect();
        images.iter().all(|image| names.contains(&full_name(image)))
    };
    (!nodes.is_empty() && nodes.iter().all(has_all)).then_some(nodes.len())
}

/// The name by which a node knows an image, and Docker too: with its registry, and with a digest or else a tag.
/// <https://kubernetes.io/docs/concepts/containers/images/#image-names>
pub fn full_name(image: &str) -> String {
    let untagged = || {
        let (repository, tag) = Repository::parse(image).ok()?;
        Some(format!("{repository}:{}", tag.as_deref().unwrap_or("latest")))
    };
    let known = Reference::parse(image).ok().map(|reference| reference.to_string());
    known.or_else(untagged).unwrap_or_else(|| image.to_owned())
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
    fn an_image_has_one_name_however_it_is_spelt() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let cases = [
            ("mariadb", "docker.io/library/mariadb:latest"),
            ("mariadb:11.8", "docker.io/library/mariadb:11.8"),
            ("library/mariadb:11.8", "docker.io/library/mariadb:11.8"),
            ("docker.io/mariadb:11.8", "docker.io/library/mariadb:11.8"),
            ("index.docker.io/library/mariadb:11.8", "docker.io/library/mariadb:11.8"),
            ("bitnami/redis:7", "docker.io/bitnami/redis:7"),
            ("quay.io/x/y", "quay.io/x/y:latest"),
            ("localhost/orders:1", "localhost/orders:1"),
            ("localhost:5000/x:1", "localhost:5000/x:1"),
        ];
        for (image, expected) in cases {
            assert_eq!(full_name(image), expected);
            assert_eq!(full_name(expected), expected);
        }
        let pinned = format!("docker.io/library/mariadb@{digest}");
        assert_eq!(full_name(&format!("mariadb:11.8@{digest}")), pinned);
        assert_eq!(full_name(&format!("mariadb@{digest}")), pinned);
        // What no registry has is compared as it is.
        assert_eq!(full_name("Not An Image"), "Not An Image");
    }

    #[test]
    fn a_short_name_is_found_under_its_full_one() {
        let full = node("x", &["docker.io/library/mariadb:11.8"]);
        let image = |name: &str| BTreeSet::from([name.to_owned()]);
        assert_eq!(
            count_nodes_with_images(std::slice::from_ref(&full), &image("mariadb:11.8")),
            Some(1)
        );
        assert_eq!(
            count_nodes_with_images(std::slice::from_ref(&full), &image("quay.io/library/mariadb:11.8")),
            None
        );
    }

    #[test]
    fn images_are_everywhere_when_every_node_for_workloads_has_all() {
        let images = BTreeSet::from(["a:1".to_owned(), "b:2".to_owned()]);
        let (full, part) = (node("x", &["a:1", "c", "b:2"]), node("x", &["a:1"]));
        let control = node(CONTROL_PLANE_LABEL, &[]);
        assert_eq!(
            count_nodes_with_images(&[full.clone(), full.clone(), control.clone()], &images),
            Some(2)
        );
        assert_eq!(count_nodes_with_images(&[full.clone(), part], &images), None);
        // Alone, the control plane runs the workloads.
        assert_eq!(count_nodes_with_images(std::slice::from_ref(&control), &images), None);
        assert_eq!(count_nodes_with_images(&[control], &BTreeSet::new()), Some(1));
        assert_eq!(count_nodes_with_images(&[], &images), None);
        assert_eq!(count_nodes_with_images(&[Node::default()], &images), None);
    }
}
