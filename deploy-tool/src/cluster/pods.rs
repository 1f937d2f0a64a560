//! Edge: what pods say of themselves: logs, health, readiness. All through the API server.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, Pod, Service};
use kube::Api;
use kube::api::{ListParams, LogParams};

use super::Cluster;
use crate::failure::Outcome;
use crate::rollout::Evidence;

/// A pod that does not answer quickly has nothing to say.
pub(super) const ANSWER_LIMIT: Duration = Duration::from_secs(3);
/// How many of the last lines of a log are shown.
const LOG_LINES: i64 = 10;

/// What is wanted of each pod of a namespace; the rest of it is forgotten page by page.
///
/// # Errors
/// When the server does not answer.
pub async fn reduced<T>(cluster: &Cluster, namespace: &str, wanted: impl Fn(Pod) -> Option<T>) -> Outcome<Vec<T>> {
    let what = format!("cannot list the pods of namespace `{namespace}`");
    let api = Api::namespaced(cluster.client.clone(), namespace);
    super::list::reduced(cluster, &api, &ListParams::default(), &what, wanted).await
}

/// The pods of all namespaces.
///
/// # Errors
/// When the server does not answer.
pub async fn all_pods(cluster: &Cluster) -> Outcome<Vec<Pod>> {
    list(cluster, Api::all(cluster.client.clone()), "cannot list the pods").await
}

/// The Services of a namespace.
///
/// # Errors
/// When the server does not answer.
pub async fn services(cluster: &Cluster, namespace: &str) -> Outcome<Vec<Service>> {
    let what = format!("cannot list the services of namespace `{namespace}`");
    list(cluster, Api::namespaced(cluster.client.clone(), namespace), &what).await
}

/// The nodes.
///
/// # Errors
/// When the server does not answer.
pub async fn nodes(cluster: &Cluster) -> Outcome<Vec<Node>> {
    list(cluster, Api::all(cluster.client.clone()), "cannot list the nodes").await
}

/// The first of the nodes; of a thousand, one is as good as another to reach a node port.
///
/// # Errors
/// When the server does not answer.
pub async fn first_node(cluster: &Cluster) -> Outcome<Option<Node>> {
    let api: Api<Node> = Api::all(cluster.client.clone());
    let one = ListParams::default().limit(1);
    let page = cluster.call("cannot list the nodes", api.list(&one)).await?;
    Ok(page.items.into_iter().next())
}

async fn list<K>(cluster: &Cluster, api: Api<K>, what: &str) -> Outcome<Vec<K>>
where
    K: Clone + std::fmt::Debug + serde::de::DeserializeOwned,
{
    super::list::all(cluster, &api, &ListParams::default(), what).await
}

/// What a pod answers to a GET, if it answers well. `address` is `port/path`.
pub async fn get(cluster: &Cluster, namespace: &str, pod: &str, address: &str) -> Option<String> {
    let request = proxied(namespace, pod, address)?;
    cluster
        .attempt(ANSWER_LIMIT, cluster.pods_client.request_text(request))
        .await
}

/// What shows more of a problem, as lines for people; nothing when it cannot be had.
pub async fn evidence(cluster: &Cluster, evidence: &Evidence) -> String {
    match evidence {
        Evidence::Logs {
            namespace,
            pod,
            container,
        } => {
            let api: Api<Pod> = Api::namespaced(cluster.client.clone(), namespace);
            // The container that has just ended; when it is gone already, the one that ended before.
            for previous in [false, true] {
                let parameters = LogParams {
                    container: Some(container.clone()),
                    tail_lines: Some(LOG_LINES),
                    previous,
                    ..LogParams::default()
                };
                let text = cluster
                    .attempt(ANSWER_LIMIT, api.logs(pod, &parameters))
                    .await
                    .unwrap_or_default();
                if !text.trim().is_empty() && !text.starts_with("unable to retrieve container logs") {
                    return text;
                }
            }
            "(it has logged nothing)".to_owned()
        }
        Evidence::Readiness {
            namespace,
            pod,
            address,
        } => {
            let path = address.trim_start_matches(|character: char| character.is_ascii_digit());
            match answer(cluster, namespace, pod, address).await {
                Some((status, body)) => format!("GET {path} answers {status}: {body}"),
                None => format!("GET {path} is not answered"),
            }
        }
    }
}

/// Status and body, whatever the status is.
async fn answer(cluster: &Cluster, namespace: &str, pod: &str, address: &str) -> Option<(http::StatusCode, String)> {
    let request = proxied(namespace, pod, address)?.map(kube::client::Body::from);
    let response = cluster.attempt(ANSWER_LIMIT, cluster.pods_client.send(request)).await?;
    let status = response.status();
    let body = tokio::time::timeout(ANSWER_LIMIT, response.into_body().collect_bytes())
        .await
        .ok()?
        .ok()?;
    Some((status, String::from_utf8_lossy(&body).into_owned()))
}

/// <https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/#manually-constructing-apiserver-proxy-urls>
fn proxied(namespace: &str, pod: &str, address: &str) -> Option<http::Request<Vec<u8>>> {
    let (port, path) = address.split_once('/')?;
    let url = format!("/api/v1/namespaces/{namespace}/pods/{pod}:{port}/proxy/{path}");
    http::Request::get(url).body(Vec::new()).ok()
}
