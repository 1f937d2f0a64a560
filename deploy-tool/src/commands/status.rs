//! `deploy-tool status`: what runs where, and how.

use futures::future::join_all;

use crate::cli::StatusArguments;
use crate::cluster::{Cluster, pods};
use crate::failure::Outcome;
use crate::printer::Printer;
use crate::report::{self, SCHEMA, Status};
use crate::{kind, manifest, settings};

/// Runs the command.
///
/// # Errors
/// When the cluster does not answer.
pub async fn run(printer: &Printer, arguments: StatusArguments) -> Outcome<()> {
    let StatusArguments { place } = arguments;
    let release = manifest::release_of(&place)?;
    let cluster = Cluster::connect(&place.context).await?;
    let status = status(&cluster, &release.namespace).await?;
    printer.data(&match printer.json() {
        false => report::table(&status),
        true => serde_json::to_string_pretty(&status).unwrap_or_default(),
    });
    Ok(())
}

/// Asks the cluster and each Wasm pod.
///
/// # Errors
/// When the cluster does not answer.
pub async fn status(cluster: &Cluster, namespace: &str) -> Outcome<Status> {
    let found = pods::pods(cluster, namespace).await?;
    let modes = join_all(found.iter().map(async |pod| {
        let address = report::health_address(pod)?;
        let name = pod.metadata.name.as_deref()?;
        report::mode(&pods::get(cluster, namespace, name, &address).await?)
    }));
    let mut pods: Vec<_> = found
        .iter()
        .zip(modes.await)
        .map(|(pod, mode)| report::pod_status(pod, mode))
        .collect();
    pods.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(Status {
        schema: SCHEMA,
        context: cluster.context.clone(),
        namespace: namespace.to_owned(),
        url: url(cluster, namespace).await?,
        ready: !pods.is_empty() && pods.iter().all(|pod| pod.ready),
        pods,
    })
}

/// Where the service can be reached from this host: through a port that kind maps, or on a node.
async fn url(cluster: &Cluster, namespace: &str) -> Outcome<Option<String>> {
    let services = pods::services(cluster, namespace).await?;
    let Some((_, port)) = report::node_port(&services) else {
        return Ok(None);
    };
    if let Some(name) = settings::kind_cluster(&cluster.context) {
        for node in kind::nodes(name).await? {
            if let Some(address) = kind::host_address(&node.name, port).await? {
                return Ok(report::host_url(&address));
            }
        }
    }
    Ok(report::node_url(&pods::nodes(cluster).await?, port))
}
