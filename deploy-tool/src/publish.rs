//! Brings images to the nodes of a kind cluster, by exact reference; what is there already is left alone.
//!
//! Clusters that are not kind's pull from a registry: nothing is done for them here.

use std::collections::BTreeSet;

use futures::future::try_join_all;

use crate::cache::Cache;
use crate::commands::build::Built;
use crate::failure::Outcome;
use crate::printer::Progress;
use crate::{docker, kind};

/// Loads built images, and local stand-ins for images of registries. Returns what it did, for people.
///
/// # Errors
/// When a node or Docker does not do it.
pub async fn to_kind(
    cache: &Cache,
    progress: &Progress,
    cluster: &str,
    built: &[Built],
    others: &BTreeSet<String>,
) -> Outcome<String> {
    let all = kind::nodes(cluster).await?;
    let nodes = kind::workload_nodes(&all);
    let present = try_join_all(nodes.iter().map(|node| kind::images(node))).await?;
    let lacking = |image: &str| -> Vec<&str> {
        let lacks = nodes
            .iter()
            .zip(&present)
            .filter(|(_, images)| !images.iter().any(|name| name == image));
        lacks.map(|(node, _)| *node).collect()
    };
    let mut loaded = Vec::new();
    for image in built {
        let nodes = lacking(&image.reference);
        if !nodes.is_empty() {
            progress.activity(&image.reference);
            kind::load_archive(cache, progress, cluster, &nodes, &image.archive).await?;
            loaded.push(image.name.clone());
        }
    }
    for image in others {
        let nodes = lacking(image);
        let Some(local) = stand_in(image).filter(|_| !nodes.is_empty()) else {
            continue;
        };
        // Without a local one, the nodes pull it from its registry.
        if docker::image(&local).await?.is_none() {
            continue;
        }
        progress.activity(&format!("{image} from {local}"));
        kind::load_docker_image(cache, progress, cluster, &nodes, &local).await?;
        try_join_all(nodes.iter().map(|node| kind::tag(node, &local, image))).await?;
        loaded.push(image.clone());
    }
    let count = nodes.len();
    Ok(if loaded.is_empty() {
        format!("images on {count} nodes: unchanged")
    } else {
        format!("images on {count} nodes: loaded {}", loaded.join(", "))
    })
}

/// The local image that scripts/images makes for one of a registry: `docker.io/library/mariadb:11.8` is
/// `localhost/wasm-mariadb:11.8`.
fn stand_in(image: &str) -> Option<String> {
    let (path, tag) = image.rsplit_once(':').filter(|(_, tag)| !tag.contains('/'))?;
    let name = path.rsplit('/').next().filter(|name| !name.is_empty())?;
    (!path.contains('@')).then(|| format!("localhost/wasm-{name}:{tag}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stand_ins_have_the_name_and_tag_of_the_image() {
        let cases = [
            ("docker.io/library/mariadb:11.8", Some("localhost/wasm-mariadb:11.8")),
            ("mariadb:11.8", Some("localhost/wasm-mariadb:11.8")),
            ("localhost:5000/x/redis:7", Some("localhost/wasm-redis:7")),
            ("localhost:5000/redis", None),
            ("mariadb@sha256:00", None),
        ];
        for (image, expected) in cases {
            assert_eq!(stand_in(image).as_deref(), expected, "{image}");
        }
    }
}
