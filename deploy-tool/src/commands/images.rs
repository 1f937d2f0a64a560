//! The images of a release on the nodes of a kind cluster. Other clusters pull them from a registry.

use std::collections::BTreeSet;

use crate::cluster::{Cluster, pods};
use crate::failure::Outcome;
use crate::presence;
use crate::printer::{Printer, Progress};
use crate::settings;

/// Brings images to the nodes by `load`, which gets the name of the kind cluster and says what it did. Programs that look
/// into each node take longer than all else in a run that changes nothing: they are started only where the API server
/// does not know that every image is there.
///
/// # Errors
/// When the cluster does not answer, or the images cannot be loaded.
pub async fn on_nodes(
    printer: &Printer,
    cluster: &Cluster,
    images: &BTreeSet<String>,
    load: impl AsyncFnOnce(&Progress, &str) -> Outcome<String>,
) -> Outcome<()> {
    let Some(name) = settings::kind_cluster(&cluster.context).filter(|_| !images.is_empty()) else {
        return Ok(());
    };
    let step = async |progress: &Progress| {
        let nodes = pods::few_nodes(cluster).await?;
        progress.outcome(match presence::everywhere(&nodes, images) {
            Some(count) => format!("images on {count} nodes: unchanged"),
            None => load(progress, name).await?,
        });
        Ok(())
    };
    printer.step("images on the nodes", step).await
}
