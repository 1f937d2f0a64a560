//! Edge: reads logs and health of pods, through the API server.

use std::time::Duration;

use http_body_util::BodyExt;
use k8s_openapi::api::core::v1::{Node, Pod, Service};
use k8s_openapi::api::storage::v1::StorageClass;
use kube::api::{ListParams, LogParams};
use kube::{Api, ResourceExt};
use serde_json::Value;

use crate::Cluster;
use crate::client::explain;
use diagnostics::Result;
use rollout::{ContainerLog, Evidence};

/// Time limit of a request to a pod.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(3);
/// More nodes than these are not looked through for images.
const MOST_NODES: u32 = 50;
/// How many of the last lines of a log are shown.
const LOG_LINES: i64 = 10;
/// How much of these lines: one may be endless.
const LOG_BYTES: i64 = 64 << 10;
/// The kubelet's message for a log that it cannot find.
const LOG_GONE: &str = "unable to retrieve container logs";
/// How much of an answer.
const MOST_BYTES: usize = 64 << 10;

/// Lists the pods of a namespace, and keeps only the result of `wanted` for each.
///
/// # Errors
/// When the server does not answer.
pub async fn extract<T>(cluster: &Cluster, namespace: &str, wanted: impl Fn(Pod) -> Option<T>) -> Result<Vec<T>> {
    let message = format!("cannot list the pods of namespace `{namespace}`");
    let api = Api::namespaced(cluster.client.clone(), namespace);
    crate::list::extract(cluster, &api, &ListParams::default(), &message, wanted).await
}

/// The pods of all namespaces.
///
/// # Errors
/// When the server does not answer.
pub async fn all_pods(cluster: &Cluster) -> Result<Vec<Pod>> {
    list(cluster, Api::all(cluster.client.clone()), "cannot list the pods").await
}

/// The Services of a namespace.
///
/// # Errors
/// When the server does not answer.
pub async fn services(cluster: &Cluster, namespace: &str) -> Result<Vec<Service>> {
    let message = format!("cannot list the services of namespace `{namespace}`");
    list(cluster, Api::namespaced(cluster.client.clone(), namespace), &message).await
}

/// The nodes.
///
/// # Errors
/// When the server does not answer.
pub async fn nodes(cluster: &Cluster) -> Result<Vec<Node>> {
    list(cluster, Api::all(cluster.client.clone()), "cannot list the nodes").await
}

/// The nodes, if they are so few that they come at once; else, or when the user may not look, none.
///
/// # Errors
/// When the server does not answer, or refuses for another reason.
pub async fn few_nodes(cluster: &Cluster) -> Result<Vec<Node>> {
    let api: Api<Node> = Api::all(cluster.client.clone());
    let few = ListParams::default().limit(MOST_NODES);
    let found = cluster.call_if_allowed("cannot list the nodes", api.list(&few)).await?;
    let complete = found.filter(|page| page.metadata.continue_.as_deref().is_none_or(str::is_empty));
    Ok(complete.map_or_else(Vec::new, |page| page.items))
}

/// The first of the nodes; of a thousand, one is as good as another to reach a node port.
///
/// # Errors
/// When the server does not answer.
pub async fn first_node(cluster: &Cluster) -> Result<Option<Node>> {
    let api: Api<Node> = Api::all(cluster.client.clone());
    let first_page = ListParams::default().limit(1);
    let page = cluster.call("cannot list the nodes", api.list(&first_page)).await?;
    Ok(page.items.into_iter().next())
}

async fn list<K>(cluster: &Cluster, api: Api<K>, message: &str) -> Result<Vec<K>>
where
    K: Clone + std::fmt::Debug + serde::de::DeserializeOwned,
{
    crate::list::all(cluster, &api, &ListParams::default(), message).await
}

/// What a pod answers to a GET, if it answers well. `address` is `port/path`.
pub async fn get(cluster: &Cluster, namespace: &str, pod: &str, address: &str) -> Option<String> {
    let (status, body) = answer(cluster, proxied(namespace, pod, false, address)).await?;
    status.is_success().then_some(body)
}

/// What shows more of a problem, as lines for people.
pub async fn evidence(cluster: &Cluster, evidence: &Evidence) -> String {
    match evidence {
        Evidence::Logs(log) => match last_lines(cluster, log).await {
            Ok(lines) if lines.is_empty() => "(it has logged nothing)".to_owned(),
            Ok(lines) => lines,
            Err(reason) => format!("its log cannot be read: {reason}"),
        },
        Evidence::Answer {
            namespace,
            pod,
            is_https,
            address,
        } => {
            let path = address.trim_start_matches(|character: char| character.is_ascii_digit());
            match answer(cluster, proxied(namespace, pod, *is_https, address)).await {
                Some((status, body)) => format!("GET {path} answers {status}: {body}"),
                None => format!("GET {path} is not answered"),
            }
        }
        Evidence::Memory {
            namespace,
            pod,
            container,
            node,
        } => match memory(cluster, node, namespace, pod, container).await {
            Some(bytes) => format!("the node says that it uses {} MiB at this moment", bytes >> 20),
            None => format!("node `{node}` has no figure of what it used"),
        },
        Evidence::StorageClasses => storage_classes(cluster).await,
    }
}

/// The last lines of a container's log; empty where it has logged nothing. The error says why it cannot be read.
///
/// # Errors
/// When the server does not answer in time, or refuses, or the container's log is gone.
pub async fn last_lines(cluster: &Cluster, log: &ContainerLog) -> Result<String, String> {
    let api: Api<Pod> = Api::namespaced(cluster.client.clone(), &log.namespace);
    let mut unreadable = None;
    // The log of the last container; if that was deleted already, the one before it.
    for previous in [false, true] {
        let parameters = LogParams {
            container: Some(log.container.clone()),
            tail_lines: Some(LOG_LINES),
            previous,
            limit_bytes: Some(LOG_BYTES),
            ..LogParams::default()
        };
        let answer = tokio::time::timeout(ANSWER_LIMIT, api.logs(&log.pod, &parameters)).await;
        let answer = answer.map_err(|_| format!("no answer within {} s", ANSWER_LIMIT.as_secs()));
        match answer.and_then(read_log) {
            Ok(text) if text.trim().is_empty() => {}
            Ok(text) => return Ok(text),
            Err(reason) => unreadable = Some(reason),
        }
    }
    unreadable.map_or(Ok(String::new()), Err)
}

/// The text of a log, or why it cannot be read. A container that was never started has an empty one.
fn read_log(answer: kube::Result<String>) -> Result<String, String> {
    match answer {
        // How the kubelet says that the container has been deleted, or that its runtime does not answer.
        Ok(text) if text.starts_with(LOG_GONE) => Err(text),
        Ok(text) => Ok(text),
        Err(kube::Error::Api(status)) if status.code == 400 && !status.message.contains(LOG_GONE) => Ok(String::new()),
        Err(error) => Err(explain(&error)),
    }
}

/// The bytes that the kubelet counts for a container that runs.
/// <https://kubernetes.io/docs/reference/instrumentation/node-metrics/#summary-api-source>
async fn memory(cluster: &Cluster, node: &str, namespace: &str, pod: &str, container: &str) -> Option<u64> {
    let request = http::Request::get(format!("/api/v1/nodes/{node}/proxy/stats/summary"));
    let summary = cluster.client.request::<Value>(request.body(Vec::new()).ok()?);
    let summary = cluster.attempt(ANSWER_LIMIT, summary).await?;
    let of_pod = |entry: &&Value| entry["podRef"]["namespace"] == namespace && entry["podRef"]["name"] == pod;
    let pod = summary["pods"].as_array()?.iter().find(of_pod)?;
    let mut containers = pod["containers"].as_array()?.iter();
    containers.find(|entry| entry["name"] == container)?["memory"]["workingSetBytes"].as_u64()
}

/// One line: the classes, and which one is the default.
async fn storage_classes(cluster: &Cluster) -> String {
    let api: Api<StorageClass> = Api::all(cluster.client.clone());
    let Some(classes) = cluster.attempt(ANSWER_LIMIT, api.list(&ListParams::default())).await else {
        return String::new();
    };
    let name = |class: &StorageClass| {
        let annotation = class.annotations().get("storageclass.kubernetes.io/is-default-class");
        let default = annotation.is_some_and(|value| value == "true");
        format!("{}{}", class.name_any(), if default { " (the default)" } else { "" })
    };
    let names: Vec<String> = classes.items.iter().map(name).collect();
    format!(
        "the cluster's StorageClasses: {}",
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        }
    )
}

/// Status and body, whatever the status is.
async fn answer(cluster: &Cluster, request: Option<http::Request<Vec<u8>>>) -> Option<(http::StatusCode, String)> {
    let request = request?.map(kube::client::Body::from);
    let response = cluster.attempt(ANSWER_LIMIT, cluster.pods_client.send(request)).await?;
    let status = response.status();
    let body = tokio::time::timeout(ANSWER_LIMIT, first_bytes(response.into_body()));
    let body = body.await.ok()?.ok()?;
    Some((status, String::from_utf8_lossy(&body).into_owned()))
}

/// The start of a body, which may be endless.
async fn first_bytes(mut body: kube::client::Body) -> kube::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame?.into_data() else { continue };
        bytes.extend_from_slice(&piece[..piece.len().min(MOST_BYTES - bytes.len())]);
        if bytes.len() == MOST_BYTES {
            break;
        }
    }
    Ok(bytes)
}

/// <https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/#manually-constructing-apiserver-proxy-urls>
fn proxied(namespace: &str, pod: &str, is_https: bool, address: &str) -> Option<http::Request<Vec<u8>>> {
    let (port, path) = address.split_once('/')?;
    let scheme = if is_https { "https:" } else { "" };
    let url = format!("/api/v1/namespaces/{namespace}/pods/{scheme}{pod}:{port}/proxy/{path}");
    http::Request::get(url).body(Vec::new()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_cannot_be_read_is_not_an_empty_one() {
        let refused = |code: u16, message: &str| {
            let status = kube::core::Status {
                code,
                message: message.to_owned(),
                ..kube::core::Status::default()
            };
            Err(kube::Error::Api(Box::new(status)))
        };
        let gone = "unable to retrieve container logs for containerd://1";
        for (expected, answer) in [
            (Ok(""), Ok(String::new())),
            (Ok("a word"), Ok("a word".to_owned())),
            (Err(gone), Ok(gone.to_owned())),
            (Err(gone), refused(400, gone)),
            (
                Ok(""),
                refused(
                    400,
                    "container \"app\" in pod \"a\" is waiting to start: ContainerCreating",
                ),
            ),
            (Err("pods \"a\" is forbidden"), refused(403, "pods \"a\" is forbidden")),
            (Err("pods \"a\" not found"), refused(404, "pods \"a\" not found")),
            (Err("bad gateway"), refused(502, "bad gateway")),
        ] {
            let read = read_log(answer);
            assert_eq!(read.as_deref().map_err(String::as_str), expected);
        }
    }

    #[test]
    fn a_probe_with_https_is_asked_by_https() {
        let url = |is_https: bool| proxied("n", "a", is_https, "8443/healthz").unwrap().uri().to_string();
        assert_eq!(url(false), "/api/v1/namespaces/n/pods/a:8443/proxy/healthz");
        assert_eq!(url(true), "/api/v1/namespaces/n/pods/https:a:8443/proxy/healthz");
    }
}
