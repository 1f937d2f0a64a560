//! Edge: what `node` asks of the cluster and writes to it: labels, cordons, the installer's Jobs.

use std::time::Duration;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::api::node::v1::RuntimeClass;
use kube::api::{DeleteParams, ListParams, LogParams, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use crate::NODE_ENGINE_LABEL;
use crate::node::{CLASS_LABEL, CORDON_ANNOTATION, FinalState};
use crate::{doctor, node_conditions};
use cluster::{Cluster, await_condition, list};
use diagnostics::code::node::INSTALLER;
use diagnostics::{Error, Result};
use host::cleanup::{Cleanup, CleanupGuard};

/// Time limit: a kubelet checks its runtime every few seconds, and reports every ten.
const READY_LIMIT: Duration = Duration::from_secs(90);
/// How often a log is asked for: the installer has just restarted the runtime that the kubelet asks.
const LOG_ATTEMPTS: u32 = 5;
/// Pause before a request that failed is sent again, or a watch that broke is started again.
pub(super) const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// The nodes that have some labels; all, where none are said.
///
/// # Errors
/// When the server does not answer.
pub async fn selected(cluster: &Cluster, selector: Option<&str>) -> Result<Vec<Node>> {
    let parameters = ListParams {
        label_selector: selector.map(str::to_owned),
        ..ListParams::default()
    };
    list::all(
        cluster,
        &Api::all(cluster.client.clone()),
        &parameters,
        "cannot list the nodes",
    )
    .await
}

/// The pods of a node.
///
/// # Errors
/// When the server does not answer.
pub async fn pods(cluster: &Cluster, node: &str) -> Result<Vec<Pod>> {
    let parameters = ListParams::default().fields(&format!("spec.nodeName={node}"));
    let message = format!("cannot list the pods of node `{node}`");
    list::all(cluster, &Api::all(cluster.client.clone()), &parameters, &message).await
}

/// Starts a Job.
///
/// # Errors
/// When the server refuses.
pub async fn start(cluster: &Cluster, namespace: &str, job: &Job) -> Result<Job> {
    let api: Api<Job> = Api::namespaced(cluster.client.clone(), namespace);
    let message = format!("cannot create a Job in namespace `{namespace}`");
    cluster.call(&message, api.create(&PostParams::default(), job)).await
}

/// What a Job's pod has written; nothing, where it was never started.
///
/// # Errors
/// When the server does not answer, or the log of a pod that was started cannot be read.
pub async fn log(cluster: &Cluster, namespace: &str, job: &Job) -> Result<String> {
    let api: Api<Pod> = Api::namespaced(cluster.client.clone(), namespace);
    let message = format!("cannot read the log of Job `{}`", job.name_any());
    let selector = format!("batch.kubernetes.io/job-name={}", job.name_any());
    let pods = list::all(cluster, &api, &ListParams::default().labels(&selector), &message).await?;
    let Some(newest) = pods.iter().max_by_key(|pod| pod.creation_timestamp()) else {
        return Ok(String::new());
    };
    let (name, whole) = (newest.name_any(), LogParams::default());
    let mut attempts = 1;
    loop {
        let log = cluster.answer(&message, api.logs(&name, &whole)).await?;
        let log = log_or_never_started(log, &pods);
        if log.is_ok() || attempts >= LOG_ATTEMPTS {
            return cluster.call(&message, async { log }).await;
        }
        attempts += 1;
        tokio::time::sleep(RETRY_PAUSE).await;
    }
}

/// The empty log of pods that were never started: of these, the kubelet has none to read.
fn log_or_never_started(log: kube::Result<String>, pods: &[Pod]) -> kube::Result<String> {
    match log {
        Err(kube::Error::Api(status)) if matches!(status.code, 400 | 404) && !pods.iter().any(has_started) => {
            Ok(String::new())
        }
        log => log,
    }
}

/// Whether a container of a pod runs, or has run.
fn has_started(pod: &Pod) -> bool {
    let statuses = pod
        .status
        .iter()
        .flat_map(|status| status.container_statuses.iter().flatten());
    let mut states = statuses.flat_map(|status| status.state.iter().chain(&status.last_state));
    states.any(|state| state.running.is_some() || state.terminated.is_some())
}

/// Deletes a Job and its pod.
///
/// # Errors
/// When the server refuses.
pub async fn delete(cluster: &Cluster, namespace: &str, job: &Job) -> Result<()> {
    let api: Api<Job> = Api::namespaced(cluster.client.clone(), namespace);
    let message = format!("cannot delete Job `{}`", job.name_any());
    cluster
        .call(&message, api.delete(&job.name_any(), &DeleteParams::background()))
        .await
        .map(|_| ())
}

/// Creates a RuntimeClass that goes with the value.
///
/// # Errors
/// When the server refuses.
pub async fn runtime_class(
    cluster: &Cluster,
    cleanup: &Cleanup,
    class: &RuntimeClass,
) -> Result<(RuntimeClass, CleanupGuard)> {
    let api: Api<RuntimeClass> = Api::all(cluster.client.clone());
    let made = cluster
        .call(
            "cannot create the probe's RuntimeClass",
            api.create(&PostParams::default(), class),
        )
        .await?;
    let (name, cluster) = (made.name_any(), cluster.clone());
    let removed = cleanup.guard(async move {
        let message = format!("cannot delete RuntimeClass `{name}`");
        cluster
            .call(&message, api.delete(&name, &DeleteParams::default()))
            .await
            .map(|_| ())
    });
    Ok((made, removed))
}

/// Waits until a node is ready and reports the handler, if its runtime reports handlers.
///
/// # Errors
/// When it is not in time.
pub async fn await_ready(cluster: &Cluster, node: &str, handler: &str) -> Result<Node> {
    let api: Api<Node> = Api::all(cluster.watches.clone());
    let is_ready = |node: Option<&Node>| {
        node.is_some_and(|node| {
            node_conditions::nodes_not_ready(std::slice::from_ref(node), None).is_empty()
                && doctor::offers(node, handler) != Some(false)
        })
    };
    let not_ready = || {
        Error::cluster(format!(
            "node `{node}` is not ready with the handler `{handler}` within {} s",
            READY_LIMIT.as_secs()
        ))
        .code(&INSTALLER)
        .hint(format!("`kubectl describe node {node}` says how it is"))
    };
    let mut last_error = None;
    // The API server may be on the node whose runtime has just been restarted: a broken watch is no answer.
    let ready = await_condition(&api, node, is_ready, &mut last_error);
    match tokio::time::timeout(READY_LIMIT, ready).await {
        Ok(Some(node)) => Ok(node),
        Ok(None) | Err(_) => Err(last_error.into_iter().fold(not_ready(), Error::cause)),
    }
}

/// Cordons a node, unless it is cordoned already: then it stays so afterwards.
///
/// # Errors
/// When the server refuses.
pub async fn cordon(cluster: &Cluster, node: &Node) -> Result<()> {
    if node.spec.as_ref().and_then(|spec| spec.unschedulable) == Some(true) {
        return Ok(());
    }
    let patch = json!({"metadata": {"annotations": {CORDON_ANNOTATION: "node"}}, "spec": {"unschedulable": true}});
    change(cluster, &node.name_any(), "cannot cordon", patch)
        .await
        .map(|_| ())
}

/// Lets pods come to a node again, if it was this that kept them away.
///
/// # Errors
/// When the server refuses.
pub async fn uncordon(cluster: &Cluster, node: &str) -> Result<()> {
    let api: Api<Node> = Api::all(cluster.client.clone());
    let now = cluster
        .call(&format!("cannot read node `{node}`"), api.get(node))
        .await?;
    if !now.annotations().contains_key(CORDON_ANNOTATION) {
        return Ok(());
    }
    let patch = json!({"metadata": {"annotations": {CORDON_ANNOTATION: null}}, "spec": {"unschedulable": null}});
    change(cluster, node, "cannot uncordon", patch).await.map(|_| ())
}

/// Labels a node with its engine, so that Wasm pods come; none takes the labels away.
///
/// # Errors
/// When the server refuses.
pub async fn label(cluster: &Cluster, node: &str, engine: Option<&str>) -> Result<()> {
    let (key, value) = CLASS_LABEL;
    let value = engine.map(|_| value);
    change(
        cluster,
        node,
        "cannot label",
        json!({"metadata": {"labels": {NODE_ENGINE_LABEL: engine, key: value}}}),
    )
    .await
    .map(|_| ())
}

/// Leaves a node as it is to be left. Whatever becomes of its labels, it is uncordoned.
///
/// # Errors
/// When the server refuses.
pub async fn apply_final_state(cluster: &Cluster, node: &str, state: FinalState) -> Result<()> {
    let labelled = match &state.label {
        Some(engine) => label(cluster, node, engine.as_deref()).await,
        None => Ok(()),
    };
    if state.uncordon {
        uncordon(cluster, node).await?;
    }
    labelled
}

async fn change(cluster: &Cluster, node: &str, action: &str, patch: Value) -> Result<Node> {
    let api: Api<Node> = Api::all(cluster.client.clone());
    let patch = Patch::Merge(patch);
    cluster
        .call(
            &format!("{action} node `{node}`"),
            api.patch(node, &PatchParams::default(), &patch),
        )
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_pod_that_was_never_started_has_an_empty_log() {
        let pod = |state: Value| -> Pod {
            let status = json!({"containerStatuses": [{"name": "installer", "ready": false, "restartCount": 0,
                "image": "", "imageID": "", "state": state}]});
            serde_json::from_value(json!({"metadata": {"name": "installer"}, "status": status})).unwrap()
        };
        let waiting = pod(json!({"waiting": {"reason": "ImagePullBackOff"}}));
        let running = pod(json!({"running": {}}));
        let ended = pod(json!({"terminated": {"exitCode": 1}}));
        let refused = |code: u16| {
            let status = kube::core::Status {
                code,
                ..kube::core::Status::default()
            };
            Err(kube::Error::Api(Box::new(status)))
        };
        let read = |log: kube::Result<String>, pods: &[&Pod]| {
            let pods: Vec<Pod> = pods.iter().copied().cloned().collect();
            log_or_never_started(log, &pods).ok()
        };
        for (expected, code, pods) in [
            (Some(""), 400, &[&waiting][..]),
            (Some(""), 404, &[&waiting]),
            // The runtime restarts, and the kubelet cannot ask it.
            (None, 502, &[&waiting]),
            (None, 403, &[&waiting]),
            (None, 502, &[&running]),
            (None, 400, &[&running]),
            (None, 404, &[&ended]),
            (None, 400, &[&ended, &waiting]),
        ] {
            assert_eq!(read(refused(code), pods).as_deref(), expected, "{code} {pods:?}");
        }
        assert_eq!(read(Ok("done".into()), &[&ended]).as_deref(), Some("done"));
    }
}
