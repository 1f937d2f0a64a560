//! Edge: what `node` asks of the cluster and writes to it: labels, cordons, evictions, the installer's Jobs.

use std::time::Duration;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::api::node::v1::RuntimeClass;
use kube::api::{DeleteParams, ListParams, LogParams, Patch, PatchParams, PostParams};
use kube::runtime::wait::await_condition;
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use crate::NODE_ENGINE_LABEL;
use crate::node::{CLASS_LABEL, CORDON_ANNOTATION, FinalState, eviction};
use crate::{doctor, node_conditions as readiness};
use cluster::client::explain;
use cluster::{Cluster, list};
use diagnostics::code::node::{DRAIN, INSTALLER};
use diagnostics::{Error, Result};
use host::cleanup::{Cleanup, CleanupGuard};

/// Time limit: a kubelet checks its runtime every few seconds, and reports every ten.
const READY_LIMIT: Duration = Duration::from_secs(90);
/// Interval of the attempts while a PodDisruptionBudget does not allow an eviction: the server answers 429.
/// <https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/>
const EVICTION_PAUSE: Duration = Duration::from_secs(2);

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

/// What a Job's pod has written; nothing, where it has not come so far.
///
/// # Errors
/// When the server does not answer.
pub async fn log(cluster: &Cluster, namespace: &str, job: &Job) -> Result<String> {
    let api: Api<Pod> = Api::namespaced(cluster.client.clone(), namespace);
    let message = format!("cannot read the log of Job `{}`", job.name_any());
    let selector = format!("batch.kubernetes.io/job-name={}", job.name_any());
    let pods = list::all(cluster, &api, &ListParams::default().labels(&selector), &message).await?;
    match pods.first() {
        Some(pod) => Ok(cluster
            .answer(&message, api.logs(&pod.name_any(), &LogParams::default()))
            .await?
            .unwrap_or_default()),
        None => Ok(String::new()),
    }
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
            readiness::nodes_not_ready(std::slice::from_ref(node), None).is_empty()
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
    match tokio::time::timeout(READY_LIMIT, await_condition(api, node, is_ready)).await {
        Ok(Ok(Some(node))) => Ok(node),
        Ok(Ok(None)) | Err(_) => Err(not_ready()),
        Ok(Err(error)) => Err(not_ready().cause(error)),
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

/// Evicts pods and waits until they are gone. PodDisruptionBudgets are respected, and may delay it.
///
/// # Errors
/// When a pod stays longer than the limit.
pub async fn evict(cluster: &Cluster, pods: &[Pod], limit: Duration) -> Result<()> {
    let evicted = futures::future::try_join_all(pods.iter().map(|pod| evict_one(cluster, pod)));
    match tokio::time::timeout(limit, evicted).await {
        Ok(done) => done.map(|_| ()),
        Err(_) => {
            let names: Vec<String> = pods
                .iter()
                .map(|pod| format!("{}/{}", pod.namespace().unwrap_or_default(), pod.name_any()))
                .collect();
            Err(
                Error::cluster(format!("not all pods are gone within {} s", limit.as_secs()))
                    .code(&DRAIN)
                    .cause(format!("these were to be evicted: {}", names.join(", ")))
                    .hint("`kubectl get pdb -A` shows the PodDisruptionBudgets; wait longer with --timeout"),
            )
        }
    }
}

async fn evict_one(cluster: &Cluster, pod: &Pod) -> Result<()> {
    let namespace = pod.namespace().unwrap_or_default();
    let api: Api<Pod> = Api::namespaced(cluster.client.clone(), &namespace);
    // A client that tries again by itself would not return while a PodDisruptionBudget refuses (429).
    let evictions: Api<Pod> = Api::namespaced(cluster.pods_client.clone(), &namespace);
    let (name, message) = (pod.name_any(), format!("cannot evict pod `{}`", pod.name_any()));
    let body = eviction(pod).map_err(|error| Error::cluster(message.clone()).cause(error))?;
    let parameters = PostParams::default();
    loop {
        let request = evictions.create_subresource::<_, Value>("eviction", &name, &parameters, &body);
        match cluster.answer(&message, request).await? {
            Ok(_) => break,
            Err(kube::Error::Api(status)) if status.code == 404 => return Ok(()),
            Err(kube::Error::Api(status)) if matches!(status.code, 409 | 429) => {
                // A pod of a StatefulSet may have been created again with the same name.
                let named = ListParams::default().fields(&format!("metadata.name={name}"));
                let now = cluster.call(&message, api.list(&named)).await?;
                if now.items.iter().all(|now| now.uid() != pod.uid()) {
                    return Ok(());
                }
                tokio::time::sleep(EVICTION_PAUSE).await;
            }
            Err(error) => return Err(Error::cluster(message).code(&DRAIN).cause(explain(&error))),
        }
    }
    let is_gone = |now: Option<&Pod>| now.is_none_or(|now| now.uid() != pod.uid());
    await_condition(api, &name, is_gone)
        .await
        .map(|_| ())
        .map_err(|error| Error::cluster(message).cause(error))
}
