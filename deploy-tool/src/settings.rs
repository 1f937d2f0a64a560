//! Fixed names, limits and durations; and the reading of them from text. Nothing here does I/O.

use std::time::Duration;

/// The nodes' image, made by scripts/images.
pub const DEFAULT_NODE_IMAGE: &str = "localhost/wasm-node:v1.36";
/// The Deployment that `scale` acts on.
pub const DEFAULT_DEPLOYMENT: &str = "app";
/// The image that `build` builds.
pub const DEFAULT_IMAGE: &str = "app";
/// Annotation of a Service with lines to print after `up`, in which `{url}` stands for its address: such a Service is for people.
pub const TRY_ANNOTATION: &str = "deploy-tool.dev/try";
/// The image that `doctor` runs on the nodes.
pub const PROBE_IMAGE: &str = "probe";
/// The image of the installer that `node` runs on the nodes of kind clusters: `scripts/images installer` makes it.
pub const INSTALLER_IMAGE: &str = "localhost/wasm-node-installer:trixie";
/// The RuntimeClass that `doctor` looks at, of manifests/runtimeclass.yaml.
pub const DEFAULT_RUNTIME_CLASS: &str = "crun-wasm";
/// More replicas than this are a typing error: a cluster of the supported size has at most 150,000 pods on 5,000 nodes,
/// <https://kubernetes.io/docs/setup/best-practices/cluster-large/>, and each replica opens connections to one database.
pub const MOST_REPLICAS: i64 = 1_000;
/// The minor versions of Kubernetes that it has been run with.
pub const KUBERNETES_VERSIONS: &[&str] = &["1.35", "1.36"];
/// Label of node images that have the engine of oci/node/engine: its name.
pub const IMAGE_ENGINE_LABEL: &str = "deploy-tool.engine";
/// Reads the name of a kind cluster. <https://github.com/kubernetes-sigs/kind/blob/main/pkg/cluster/internal/create/create.go>
pub fn cluster_name(text: &str) -> Result<String, String> {
    let of_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
    if !text.is_empty() && text.bytes().all(of_name) {
        Ok(text.to_owned())
    } else {
        Err("lower-case letters, digits, points and hyphens only".to_owned())
    }
}

/// Reads `90s`, `5m`, `1h30m`: more than nothing, at most a day.
pub fn duration(text: &str) -> Result<Duration, String> {
    let rule = "write a duration such as 90s, 5m or 1h30m, between 1s and 24h";
    let span: jiff::SignedDuration = text.parse().map_err(|_| rule.to_owned())?;
    match Duration::try_from(span) {
        Ok(duration) if (1..=86_400).contains(&duration.as_secs()) => Ok(duration),
        _ => Err(rule.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use oci_artifacts::wasm::ENGINE_VERSION;

    use super::*;

    #[test]
    fn names_of_clusters_are_those_that_kind_takes() {
        assert_eq!(cluster_name("wasm-demo.2"), Ok("wasm-demo.2".to_owned()));
        for wrong in ["", "X Y", "a/b", "Demo"] {
            assert!(cluster_name(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn reads_durations() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(duration("1h30m"), Ok(Duration::from_secs(5400)));
        for wrong in ["", "5", "-3s", "0s", "200h", "soon"] {
            assert!(duration(wrong).is_err(), "{wrong:?}");
        }
    }

    /// Whose digests were not known where their lines were written: by the tag of an exact version until they are.
    const WITHOUT_DIGEST: [&str; 2] = [
        "hub_daprd=docker.io/daprio/daprd:1.16.0",
        "hub_dapr=docker.io/daprio/dapr:1.16.0",
    ];

    #[test]
    fn images_of_docker_hub_are_named_by_their_digest() {
        let pins = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../oci/versions")).unwrap();
        let images: Vec<&str> = pins.lines().filter(|line| line.starts_with("hub_")).collect();
        assert!(images.len() >= 4, "{images:?}");
        for image in images.into_iter().filter(|image| !WITHOUT_DIGEST.contains(image)) {
            let (name, digest) = image.split_once("@sha256:").unwrap_or((image, ""));
            let is_hexadecimal = digest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            assert!(digest.len() == 64 && is_hexadecimal, "{image} names no digest");
            assert!(
                name.rsplit('/').next().is_some_and(|last| last.contains(':')),
                "{image} names no tag"
            );
        }
    }

    #[test]
    fn the_versions_are_those_that_the_images_are_made_with() {
        let pins = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../oci/versions")).unwrap();
        let pin = |name: &str| pins.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        assert_eq!(pin("wasmedge_version"), Some(ENGINE_VERSION));
        let kubernetes = pin("kubernetes_version").unwrap();
        let minor = |version: &str| kubernetes.starts_with(&format!("v{version}."));
        assert!(KUBERNETES_VERSIONS.iter().any(|version| minor(version)), "{kubernetes}");
    }

    /// An update of the Go module has to update the pin as well: it is used to build the node where Docker Hub is unreachable.
    #[test]
    fn the_go_modules_of_a_node_are_of_the_versions_that_are_pinned() {
        let read =
            |path: &str| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap();
        let pins = read("oci/versions");
        let required = read("oci/offline/kindest-node/go/go.mod");
        for (pin, module) in [
            ("kubernetes_version", "k8s.io/kubernetes"),
            ("etcd_version", "go.etcd.io/etcd/server/v3"),
            ("containerd_version", "github.com/containerd/containerd/v2"),
            ("coredns_version", "github.com/coredns/coredns"),
            (
                "local_path_provisioner_version",
                "github.com/rancher/local-path-provisioner",
            ),
        ] {
            let version = pins.lines().find_map(|line| line.strip_prefix(pin)?.strip_prefix('='));
            let line = format!("{module} {}", version.unwrap());
            let names = |found: &str| {
                found
                    .trim()
                    .trim_start_matches("require ")
                    .trim_end_matches(" // indirect")
                    == line
            };
            assert!(
                required.lines().any(names),
                "go.mod does not require `{line}`, which oci/versions pins"
            );
        }
    }
}
