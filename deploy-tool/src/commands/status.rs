//! `deploy-tool status`: what runs where, and how.

use futures::{StreamExt, stream};
use k8s_openapi::api::core::v1::{Pod, Service};

use crate::cli::StatusArguments;
use crate::report::{self, PodStatus, SCHEMA, Status};
use cluster::context::kind_cluster;
use cluster::{Cluster, pods};
use diagnostics::Outcome;
use nodes::kind;
use releases::api::revisions;
use terminal::Printer;

/// How many pods are asked how they run, at most: the answer takes a request to each of them.
const MOST_ASKED: usize = 64;

/// Runs the command.
///
/// # Errors
/// When the cluster does not answer.
pub async fn run(printer: &Printer, arguments: StatusArguments) -> Outcome<()> {
    let StatusArguments { place } = arguments;
    let release = place.release()?;
    let cluster = Cluster::connect(&place.context).await?;
    let (status, history) = futures::join!(
        status(&cluster, &release.namespace),
        revisions::history(&cluster, &release)
    );
    let release = match history {
        Ok(history) => report::release(&release, &history),
        Err(failure) => {
            printer.warning(&format!("which revision runs cannot be told: {failure}"));
            None
        }
    };
    let status = Status { release, ..status? };
    printer.result(&status, &report::table(&status));
    Ok(())
}

/// Asks the cluster, and its Wasm pods how they run. The release is left to who knows which one is meant.
///
/// # Errors
/// When the cluster does not answer.
pub async fn status(cluster: &Cluster, namespace: &str) -> Outcome<Status> {
    let url = async { url(cluster, &pods::services(cluster, namespace).await?).await };
    let (pods, url) = futures::try_join!(pods::reduced(cluster, namespace, found), url)?;
    let mut pods = with_modes(cluster, namespace, pods).await;
    pods.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(Status {
        schema: SCHEMA,
        context: cluster.context.clone(),
        namespace: namespace.to_owned(),
        release: None,
        url,
        ready: !pods.is_empty() && pods.iter().all(|pod| pod.ready),
        workloads: report::workloads(&pods),
        pods,
    })
}

/// All that is kept of a pod: its row, and where it says how it runs.
fn found(pod: Pod) -> Option<(PodStatus, Option<String>)> {
    Some((report::pod_status(&pod, None), report::health_address(&pod)))
}

/// Asks the pods that can say how they run; where they are many, some of them, spread over all.
async fn with_modes(cluster: &Cluster, namespace: &str, pods: Vec<(PodStatus, Option<String>)>) -> Vec<PodStatus> {
    let wasm = pods.iter().filter(|(_, address)| address.is_some()).count();
    let one_of = wasm.div_ceil(MOST_ASKED).max(1);
    let mut number = 0;
    let rows = pods.into_iter().map(|(row, address)| {
        number += usize::from(address.is_some());
        let address = address.filter(|_| number % one_of == 0);
        async move {
            let Some(address) = address else { return row };
            let answer = pods::get(cluster, namespace, &row.name, &address).await;
            let mode = answer.as_deref().and_then(report::mode);
            PodStatus { mode, ..row }
        }
    });
    stream::iter(rows)
        .buffer_unordered(cluster::PARALLEL_REQUESTS)
        .collect()
        .await
}

/// Where the service can be reached from this host: through a port that kind maps, or on a node.
///
/// # Errors
/// When the cluster or Docker does not answer.
pub async fn url(cluster: &Cluster, services: &[Service]) -> Outcome<Option<String>> {
    let Some((_, port)) = report::node_port(services) else {
        return Ok(None);
    };
    if let Some(name) = kind_cluster(&cluster.context) {
        for node in kind::nodes(name).await? {
            if let Some(address) = kind::host_address(&node.name, port).await? {
                return Ok(report::host_url(&address));
            }
        }
    }
    let node = pods::first_node(cluster).await?;
    Ok(node.and_then(|node| report::node_url(&node, port)))
}
