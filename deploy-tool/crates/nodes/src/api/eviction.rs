//! Edge: evicts the pods of a node.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{ListParams, PostParams};
use kube::runtime::wait::await_condition;
use kube::{Api, ResourceExt};
use serde_json::Value;

use super::node::RETRY_PAUSE;
use crate::node::eviction;
use cluster::Cluster;
use cluster::client::explain;
use diagnostics::code::node::DRAIN;
use diagnostics::{Error, Result};

/// Interval of the attempts while a PodDisruptionBudget does not allow an eviction: the server answers 429.
/// <https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/>
const EVICTION_PAUSE: Duration = Duration::from_secs(2);

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
                let now = cluster.call(&message, api.list(&named(&name))).await?;
                if now.items.iter().all(|now| now.uid() != pod.uid()) {
                    return Ok(());
                }
                tokio::time::sleep(EVICTION_PAUSE).await;
            }
            Err(error) => return Err(Error::cluster(message).code(&DRAIN).cause(explain(&error))),
        }
    }
    await_gone(&api, pod).await;
    Ok(())
}

/// Waits until a pod is gone, without a limit: the caller sets the deadline. Lists it where the watch breaks.
async fn await_gone(api: &Api<Pod>, pod: &Pod) {
    let name = pod.name_any();
    let is_gone = |now: Option<&Pod>| now.is_none_or(|now| now.uid() != pod.uid());
    while await_condition(api.clone(), &name, is_gone).await.is_err() {
        let found = api.list(&named(&name)).await;
        if found.is_ok_and(|found| is_gone(found.items.first())) {
            return;
        }
        tokio::time::sleep(RETRY_PAUSE).await;
    }
}

/// Selects one object by its name, for whom the user may list and not get.
fn named(name: &str) -> ListParams {
    ListParams::default().fields(&format!("metadata.name={name}"))
}
