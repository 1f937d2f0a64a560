//! Edge: reads and writes the scale subresource and the bounds of autoscalers.

use std::collections::BTreeSet;

use futures::future::join_all;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{ListParams, Patch, PatchParams};
use serde_json::json;

use crate::connection_budget::mounted_config_maps;
use crate::scaling::{Change, ScalingState};
use crate::workload::Workload;
use crate::workload::list as workloads;
use cluster::pods::ANSWER_LIMIT;
use cluster::{Cluster, list};
use diagnostics::Result;
use releases::FIELD_MANAGER;

/// What a namespace has that matters for scaling.
///
/// # Errors
/// When the server does not answer.
pub async fn read_state(cluster: &Cluster, namespace: &str) -> Result<ScalingState> {
    let client = &cluster.client;
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    let stateful_sets: Api<StatefulSet> = Api::namespaced(client.clone(), namespace);
    let autoscalers: Api<HorizontalPodAutoscaler> = Api::namespaced(client.clone(), namespace);
    let all = ListParams::default();
    let message = |kind: &str| format!("cannot list the {kind} of namespace `{namespace}`");
    let (deployments_message, sets_message, autoscalers_message) = (
        message("Deployments"),
        message("StatefulSets"),
        message("HorizontalPodAutoscalers"),
    );
    let (deployments, stateful_sets, autoscalers) = tokio::try_join!(
        list::all(cluster, &deployments, &all, &deployments_message),
        list::all(cluster, &stateful_sets, &all, &sets_message),
        list::all(cluster, &autoscalers, &all, &autoscalers_message),
    )?;
    let config_maps: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let names: BTreeSet<String> = stateful_sets.iter().flat_map(mounted_config_maps).collect();
    let config_maps = names
        .iter()
        .map(|name| cluster.attempt(ANSWER_LIMIT, config_maps.get(name)));
    let config_maps = join_all(config_maps).await.into_iter().flatten().collect();
    Ok(ScalingState {
        deployments,
        stateful_sets,
        autoscalers,
        config_maps,
    })
}

/// Whether a change is made, or the server is only asked whether it would accept it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// Nothing is stored.
    DryRun,
    /// It is.
    Now,
}

/// Sets the bounds of the autoscaler and the number of replicas, as far as they change, and nothing else.
///
/// # Errors
/// When the server refuses.
pub async fn change(cluster: &Cluster, namespace: &str, change: &Change, write: Write) -> Result<()> {
    let parameters = PatchParams {
        field_manager: Some(format!("{FIELD_MANAGER}-scale")),
        dry_run: write == Write::DryRun,
        ..PatchParams::default()
    };
    if let Some(edit) = change.edit() {
        let api: Api<HorizontalPodAutoscaler> = Api::namespaced(cluster.client.clone(), namespace);
        let bounds = json!({"spec": {"minReplicas": edit.after.minimum, "maxReplicas": edit.after.maximum}});
        let message = format!("cannot change HorizontalPodAutoscaler `{}`", edit.name);
        cluster
            .call(&message, api.patch(&edit.name, &parameters, &Patch::Merge(bounds)))
            .await?;
    }
    if let Some(replicas) = change.count() {
        let api = workloads::api(cluster, namespace, change.workload.kind);
        let patch = Patch::Merge(json!({"spec": {"replicas": replicas}}));
        let message = format!("cannot scale {}", change.workload);
        cluster
            .call(&message, api.patch_scale(&change.workload.name, &parameters, &patch))
            .await?;
    }
    Ok(())
}

/// How many replicas of a workload are ready now, and how many it is to have; none when that cannot be read.
pub async fn ready(cluster: &Cluster, namespace: &str, workload: &Workload) -> Option<(i32, i32)> {
    let api = workloads::api(cluster, namespace, workload.kind);
    let found = cluster.attempt(ANSWER_LIMIT, api.get(&workload.name)).await?;
    let count = |pointer: &str| i32::try_from(found.data.pointer(pointer)?.as_i64()?).ok();
    Some((count("/status/readyReplicas").unwrap_or(0), count("/spec/replicas")?))
}
