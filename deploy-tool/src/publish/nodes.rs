//! Loads images into the nodes of a kind cluster, by exact reference, where they are missing.
//!
//! Other clusters pull from a registry: nothing is done for them here.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use futures::future::try_join_all;

use crate::built::Built;
use diagnostics::code;
use diagnostics::{Error, Result};
use host::cache::Cache;
use host::docker;
use nodes::kind;
use nodes::kind::Node;
use nodes::node_images::full_name;
use oci_artifacts::image::ENGINE_LABEL;
use oci_artifacts::image::store;
use terminal::Progress;

/// Who publishes the images of Docker Hub that scripts/images has or makes: the official ones, and Dapr.
const PUBLISHERS: [&str; 2] = ["docker.io/library/", "docker.io/daprio/"];
/// Images that are built here are of no registry.
const LOCAL_REGISTRY: &str = "localhost/";

/// Loads built images, and local stand-ins for images of registries. Returns a message.
///
/// # Errors
/// When a node or Docker fails.
pub async fn to_kind(
    cache: &Cache,
    progress: &Progress,
    cluster: &str,
    built: &[Built],
    others: &BTreeSet<String>,
) -> Result<String> {
    let all = kind::local_nodes(cluster).await?;
    refuse_other_engine(&all, built)?;
    let nodes = kind::workload_nodes(&all);
    let present = try_join_all(nodes.iter().map(|node| kind::images(node))).await?;
    let lacking = |image: &str| -> Vec<&str> {
        let lacks = nodes
            .iter()
            .zip(&present)
            .filter(|(_, images)| !images.iter().any(|name| full_name(name) == full_name(image)));
        lacks.map(|(node, _)| *node).collect()
    };
    let mut loaded = Vec::new();
    for image in built {
        let nodes = lacking(&image.reference);
        if !nodes.is_empty() {
            progress.activity(&image.reference);
            load(cache, progress, cluster, &nodes, &image.layout).await?;
            loaded.push(image.name.clone());
        }
    }
    for image in others {
        let nodes = lacking(image);
        let Some(local) = local_counterpart(image).filter(|_| !nodes.is_empty()) else {
            continue;
        };
        // Without a local one, the nodes pull it from its registry.
        if docker::image(&local).await?.is_none() {
            continue;
        }
        progress.activity(&format!("{image} from {local}"));
        kind::load_docker_image(cache, progress, cluster, &nodes, &local).await?;
        let name = full_name(image);
        try_join_all(nodes.iter().map(|node| kind::tag(node, &local, &name))).await?;
        loaded.push(image.clone());
    }
    let count = nodes.len();
    Ok(if loaded.is_empty() {
        format!("images on {count} nodes: unchanged")
    } else {
        format!("images on {count} nodes: loaded {}", loaded.join(", "))
    })
}

/// Loads images of an earlier revision again that were built here and are no longer on every node, from the layouts in the
/// cache. Returns a message.
///
/// # Errors
/// When an image is neither on the nodes nor in the cache; then nothing is loaded.
pub async fn reload_into_kind(
    cache: &Cache,
    progress: &Progress,
    cluster: &str,
    images: &BTreeSet<String>,
) -> Result<String> {
    let (built, others): (BTreeSet<String>, BTreeSet<String>) = images
        .iter()
        .cloned()
        .partition(|image| image.starts_with(LOCAL_REGISTRY));
    let all = kind::local_nodes(cluster).await?;
    let nodes = kind::workload_nodes(&all);
    let present = try_join_all(nodes.iter().map(|node| kind::images(node))).await?;
    let has = |images: &Vec<String>, image: &str| images.iter().any(|name| full_name(name) == full_name(image));
    let is_everywhere = |image: &String| present.iter().all(|images| has(images, image));
    let mut to_load = Vec::new();
    for image in built.iter().filter(|image| !is_everywhere(image)) {
        let layout = layout(cache, image).ok_or_else(|| missing_image(cache, image))?;
        to_load.push((image, layout));
    }
    for (image, layout) in &to_load {
        progress.activity(image);
        load(cache, progress, cluster, &nodes, layout).await?;
    }
    let rest = to_kind(cache, progress, cluster, &[], &others).await?;
    let titles: Vec<&str> = to_load.iter().map(|(image, _)| image.as_str()).collect();
    Ok(if titles.is_empty() {
        rest
    } else {
        format!("images on {} nodes: loaded again {}", nodes.len(), titles.join(", "))
    })
}

/// kind takes archives.
async fn load(cache: &Cache, progress: &Progress, cluster: &str, nodes: &[&str], layout: &Path) -> Result<()> {
    let scratch = cache.scratch("load")?;
    let archive = scratch.path.join("image.tar");
    store::write_archive(&archive, &store::read(layout)?)?;
    kind::load_archive(cache, progress, cluster, nodes, &archive).await
}

/// The layout of an image that was built here: its tag is made from its digest.
pub fn layout(cache: &Cache, image: &str) -> Option<PathBuf> {
    let (_, tag) = image.rsplit_once(':')?;
    let ending = format!("-{tag}");
    let entries = std::fs::read_dir(images(cache))
        .into_iter()
        .flatten()
        .filter_map(Result::ok);
    let mut layouts = entries.map(|entry| entry.path()).filter(|path| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.ends_with(&ending))
    });
    layouts.next()
}

fn images(cache: &Cache) -> PathBuf {
    cache.folder().join("images")
}

fn missing_image(cache: &Cache, image: &str) -> Error {
    Error::prerequisite(format!("the image {image} is gone"))
        .code(&code::release::IMAGE_GONE)
        .cause(format!(
            "neither every node nor the cache `{}` has it; nothing was changed",
            images(cache).display()
        ))
        .hint("check that revision's source out and run `deploy-tool up`: the same source gives the same image")
}

/// Code that was compiled by another version of the engine is ignored without a word, and the module interpreted.
fn refuse_other_engine(nodes: &[Node], built: &[Built]) -> Result<()> {
    for (node, image) in nodes
        .iter()
        .flat_map(|node| built.iter().map(move |image| (node, image)))
    {
        let (Some(engine), Some(compiler)) = (node.label(ENGINE_LABEL), image.engine.as_deref()) else {
            continue;
        };
        if engine == compiler {
            continue;
        }
        return Err(
            Error::prerequisite("the nodes have another version of the engine than the builder")
                .cause(format!(
                    "node `{}` has WasmEdge {engine}, the image of {} is compiled by {}: the node would interpret it",
                    node.name, image.name, compiler
                ))
                .code(&code::image::NOT_ON_HOST)
                .hint("make both images again, then recreate the cluster: `deploy-tool cluster down` and `deploy-tool cluster up`"),
        );
    }
    Ok(())
}

/// The local image that scripts/images makes for one of Docker Hub: `docker.io/library/mariadb:11.8` is
/// `localhost/wasm-mariadb:11.8`. An image of any other registry is only ever that registry's.
fn local_counterpart(image: &str) -> Option<String> {
    let full = full_name(image);
    let name = PUBLISHERS.iter().find_map(|publisher| full.strip_prefix(publisher))?;
    let (name, tag) = name.split_once(':')?;
    (!name.contains('@')).then(|| format!("localhost/wasm-{name}:{tag}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_of_another_engine_are_refused() {
        let node = |engine: &str| -> Node {
            let labels = format!("io.x-k8s.kind.role=worker{engine}");
            serde_json::from_value(serde_json::json!({"Names": "w", "State": "running", "Labels": labels})).unwrap()
        };
        let built = Built {
            name: "app".into(),
            engine: Some("0.14.1".into()),
            ..Built::default()
        };
        let built = [built];
        refuse_other_engine(&[node(",deploy-tool.wasmedge=0.14.1")], &built).unwrap();
        // A node image without the label is accepted.
        refuse_other_engine(&[node("")], &built).unwrap();
        let failure = refuse_other_engine(&[node(",deploy-tool.wasmedge=0.16.0")], &built)
            .unwrap_err()
            .to_string();
        assert!(
            failure.contains("WasmEdge 0.16.0") && failure.contains("by 0.14.1"),
            "{failure}"
        );
    }

    #[test]
    fn the_layout_of_an_image_is_found_by_its_digest() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path()).unwrap();
        let path = cache.path("images/app-sha256-ab").unwrap();
        std::fs::write(&path, "").unwrap();
        assert_eq!(layout(&cache, "localhost/orders:sha256-ab"), Some(path));
        assert_eq!(layout(&cache, "localhost/orders:sha256-cd"), None);
        let failure = missing_image(&cache, "localhost/orders:sha256-cd");
        assert_eq!(failure.number(), Some(&code::release::IMAGE_GONE));
    }

    #[test]
    fn stand_ins_have_the_name_and_tag_of_the_image() {
        let cases = [
            ("docker.io/library/mariadb:11.8", Some("localhost/wasm-mariadb:11.8")),
            ("mariadb:11.8", Some("localhost/wasm-mariadb:11.8")),
            ("mariadb", Some("localhost/wasm-mariadb:latest")),
            ("docker.io/daprio/daprd:1.16.0", Some("localhost/wasm-daprd:1.16.0")),
            ("daprio/daprd:1.16.0", Some("localhost/wasm-daprd:1.16.0")),
            ("localhost:5000/x/redis:7", None),
            ("registry.example/library/mariadb:11.8", None),
            ("quay.io/mariadb:11.8", None),
            ("bitnami/mariadb:11.8", None),
            ("localhost:5000/redis", None),
            (
                "mariadb@sha256:0000000000000000000000000000000000000000000000000000000000000000",
                None,
            ),
        ];
        for (image, expected) in cases {
            assert_eq!(local_counterpart(image).as_deref(), expected, "{image}");
        }
    }
}
