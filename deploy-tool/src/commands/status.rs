//! `deploy-tool status`: shows workloads, pods and the execution mode of services.

use futures::{StreamExt, stream};
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{Namespace, Pod, Service};
use k8s_openapi::api::networking::v1::Ingress;
use kube::api::ListParams;
use kube::core::NamespaceResourceScope;
use kube::{Api, Resource};
use serde::de::DeserializeOwned;

use crate::cli::StatusArguments;
use crate::report::{self, ObjectStatus, PodStatus, SCHEMA, Status, ToObjectStatus};
use cluster::context::kind_cluster;
use cluster::{Cluster, list, pods};
use diagnostics::code::apply::PERMISSION_MISSING;
use diagnostics::{Error, Result};
use nodes::kind;
use releases::api::revisions;
use terminal::Printer;

/// How many pods are asked how they run, at most: the answer takes a request to each of them.
const MOST_ASKED: usize = 64;

/// Runs the command.
///
/// # Errors
/// When the cluster does not answer, or this user may see nothing.
pub async fn run(printer: &Printer, arguments: StatusArguments) -> Result<()> {
    let StatusArguments { cluster_arguments } = arguments;
    let release = cluster_arguments.release()?;
    let cluster = Cluster::connect(&cluster_arguments.context).await?;
    let (status, history) = futures::join!(
        status(printer, &cluster, &release.namespace, Extent::Everything),
        revisions::read_history(&cluster, &release)
    );
    let status = status?;
    let release = match history {
        Ok(history) => report::release(&release, &history),
        Err(failure) => {
            printer.warning(&format!(
                "cannot determine the running revision: {}",
                failure.sentence()
            ));
            None
        }
    };
    let status = Status { release, ..status };
    printer.result(&status, report::table(&status, cluster.now()));
    Ok(())
}

/// Asks the cluster, and its Wasm pods how they run. What this user may not see is named, and left out. The release is left
/// to who knows which one is meant.
///
/// # Errors
/// When the cluster does not answer, or this user may not even see the pods and nothing else either.
pub async fn status(printer: &Printer, cluster: &Cluster, namespace: &str, extent: Extent) -> Result<Status> {
    let others = async {
        let mut hidden = Hidden::default();
        let objects = match extent {
            Extent::Everything => list_workloads(cluster, namespace, &mut hidden).await,
            Extent::Pods => Ok(Vec::new()),
        };
        (objects, hidden)
    };
    let (pods, services, (others, mut hidden)) = futures::join!(
        pods::extract(cluster, namespace, pod_row),
        pods::services(cluster, namespace),
        others
    );
    let now = cluster.now();
    let mut objects = hidden.skip_forbidden("workloads", others)?;
    let services = hidden.skip_forbidden("services", services)?;
    if extent == Extent::Everything {
        objects.extend(services.iter().map(|service| service.object_status(now)));
    }
    let pods = hidden.skip_forbidden("pods", pods)?;
    hidden.report_hidden(printer, objects.is_empty() && pods.is_empty())?;
    let mut pods = with_modes(cluster, namespace, pods).await;
    pods.sort_by(|left, right| left.name.cmp(&right.name));
    let is_empty = pods.is_empty() && objects.is_empty();
    Ok(Status {
        schema: SCHEMA,
        context: cluster.context.clone(),
        namespace: namespace.to_owned(),
        release: None,
        url: url(printer, cluster, &services).await?,
        ready: !pods.is_empty() && pods.iter().all(|pod| pod.ready),
        workloads: report::workloads(&pods),
        pods,
        objects,
        namespace_exists: !is_empty || exists(cluster, namespace).await?,
    })
}

/// How much is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The pods, and where they can be reached.
    Pods,
    /// Workloads, Services and what else there is as well.
    Everything,
}

/// The kinds that the user may not list.
#[derive(Default)]
struct Hidden(Vec<(String, Error)>);

impl Hidden {
    /// The result of a list; empty where the user may not list the kind, which is recorded.
    fn skip_forbidden<T>(&mut self, kind: &'static str, found: Result<Vec<T>>) -> Result<Vec<T>> {
        found.or_else(|failure| {
            if failure.number() == Some(&PERMISSION_MISSING) {
                self.0.push((kind.to_owned(), failure));
                Ok(Vec::new())
            } else {
                Err(failure)
            }
        })
    }

    /// Names it. Where nothing at all was found, that is why.
    fn report_hidden(self, printer: &Printer, nothing: bool) -> Result<()> {
        for (kind, failure) in self.0 {
            if nothing && kind == "pods" {
                return Err(failure);
            }
            printer.warning(&format!("the {kind} are not shown: {}", failure.sentence()));
        }
        Ok(())
    }
}

/// Whether there is such a namespace, as far as this user may know.
async fn exists(cluster: &Cluster, namespace: &str) -> Result<bool> {
    let api: Api<Namespace> = Api::all(cluster.client.clone());
    let message = format!("cannot look up the namespace `{namespace}`");
    Ok(match cluster.answer(&message, api.get_metadata(namespace)).await? {
        Err(kube::Error::Api(status)) => status.code != 404,
        _ => true,
    })
}

/// The workloads and what leads to them, by kind. A kind that this user may not list is left out, and named.
async fn list_workloads(cluster: &Cluster, namespace: &str, hidden: &mut Hidden) -> Result<Vec<ObjectStatus>> {
    const KINDS: [&str; 7] = [
        "Deployments",
        "StatefulSets",
        "DaemonSets",
        "Jobs",
        "CronJobs",
        "Ingresses",
        "HorizontalPodAutoscalers",
    ];
    let mut lists = futures::join!(
        objects::<Deployment>(cluster, namespace),
        objects::<StatefulSet>(cluster, namespace),
        objects::<DaemonSet>(cluster, namespace),
        objects::<Job>(cluster, namespace),
        objects::<CronJob>(cluster, namespace),
        objects::<Ingress>(cluster, namespace),
        objects::<HorizontalPodAutoscaler>(cluster, namespace),
    );
    // Jobs of a CronJob are shown by the CronJob.
    if let Ok(jobs) = &mut lists.3 {
        jobs.retain(|(_, of_cron_job)| !of_cron_job);
    }
    let (mut all, mut refused, mut reason) = (Vec::new(), Vec::new(), None);
    let lists = [lists.0, lists.1, lists.2, lists.3, lists.4, lists.5, lists.6];
    let count = lists.len();
    for (kind, list) in KINDS.into_iter().zip(lists) {
        match list {
            Ok(objects) => all.extend(objects.into_iter().map(|(object, _)| object)),
            Err(failure) if failure.number() == Some(&PERMISSION_MISSING) => {
                refused.push(kind);
                reason = reason.or(Some(failure));
            }
            Err(failure) => return Err(failure),
        }
    }
    match reason {
        Some(failure) if refused.len() == count => return Err(failure),
        Some(failure) => hidden.0.push((refused.join(", "), failure)),
        None => {}
    }
    Ok(all)
}

/// The lines of one kind, and whether a CronJob has made the object.
async fn objects<K>(cluster: &Cluster, namespace: &str) -> Result<Vec<(ObjectStatus, bool)>>
where
    K: ToObjectStatus
        + Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + DeserializeOwned,
{
    let api: Api<K> = Api::namespaced(cluster.client.clone(), namespace);
    let message = format!("cannot list the {} of namespace `{namespace}`", K::plural(&()));
    let now = cluster.now();
    let shown = |object: K| {
        let owners = object.meta().owner_references.iter().flatten();
        let of_cron_job = owners.clone().any(|owner| owner.kind == "CronJob");
        Some((object.object_status(now), of_cron_job))
    };
    list::extract(cluster, &api, &ListParams::default(), &message, shown).await
}

/// The row of a pod, and the URL of its execution mode.
fn pod_row(pod: Pod) -> Option<(PodStatus, Option<String>)> {
    Some((report::pod_status(&pod, None), report::health_address(&pod)))
}

/// Reads the execution mode from the pods that report it; from an even sample, where there are many.
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

/// Where the service can be reached from this host: through a port that kind maps, or on a node. What keeps it from being
/// known is said, and no failure.
///
/// # Errors
/// When the cluster does not answer.
pub async fn url(printer: &Printer, cluster: &Cluster, services: &[Service]) -> Result<Option<String>> {
    let Some((_, port)) = report::node_port(services) else {
        return Ok(None);
    };
    if let Some(name) = kind_cluster(&cluster.context) {
        match find_mapped_port(name, port).await {
            Ok(Some(address)) => return Ok(report::host_url(&address)),
            Ok(None) => {}
            Err(failure) => printer.warning(&format!(
                "whether kind maps port {port} to this host is not known: {}",
                failure.sentence()
            )),
        }
    }
    match pods::first_node(cluster).await {
        Ok(node) => Ok(node.and_then(|node| report::node_url(&node, port))),
        Err(failure) if failure.number() == Some(&PERMISSION_MISSING) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// The address of this host that leads to a port of the nodes, if kind has made one.
async fn find_mapped_port(cluster: &str, port: i32) -> Result<Option<String>> {
    kind::mapped_address(&kind::nodes(cluster).await?, port).await
}
