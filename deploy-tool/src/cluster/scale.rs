//! Edge: the scale subresource, and what is needed to decide about it.

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use super::Cluster;
use super::pods::list;
use crate::failure::{Failure, Outcome};
use crate::settings::FIELD_MANAGER;

/// A Deployment that must be there.
///
/// # Errors
/// When it is not, or the server does not answer.
pub async fn deployment(cluster: &Cluster, namespace: &str, name: &str) -> Outcome<Deployment> {
    let what = format!("cannot look up Deployment `{name}` in namespace `{namespace}`");
    let api: Api<Deployment> = Api::namespaced(cluster.client.clone(), namespace);
    cluster.call(&what, api.get_opt(name)).await?.ok_or_else(|| {
        Failure::input(format!(
            "there is no Deployment `{name}` in namespace `{namespace}` of context `{}`",
            cluster.context
        ))
        .next("deploy it first: run `deploy-tool up`; or name another one with --deployment and --namespace")
    })
}

/// The Deployments of a namespace.
///
/// # Errors
/// When the server does not answer.
pub async fn deployments(cluster: &Cluster, namespace: &str) -> Outcome<Vec<Deployment>> {
    let what = format!("cannot list the Deployments of namespace `{namespace}`");
    let api = Api::namespaced(cluster.client.clone(), namespace);
    list(cluster, api, &what).await
}

/// A StatefulSet, or none.
///
/// # Errors
/// When the server does not answer.
pub async fn stateful_set(cluster: &Cluster, namespace: &str, name: &str) -> Outcome<Option<StatefulSet>> {
    let api: Api<StatefulSet> = Api::namespaced(cluster.client.clone(), namespace);
    cluster
        .call(&format!("cannot look up StatefulSet `{name}`"), api.get_opt(name))
        .await
}

/// Sets the number of replicas, and nothing else.
///
/// # Errors
/// When the server refuses.
pub async fn scale(cluster: &Cluster, namespace: &str, name: &str, replicas: i32) -> Outcome<()> {
    let api: Api<Deployment> = Api::namespaced(cluster.client.clone(), namespace);
    let parameters = PatchParams {
        field_manager: Some(format!("{FIELD_MANAGER}-scale")),
        ..PatchParams::default()
    };
    let patch = Patch::Merge(json!({"spec": {"replicas": replicas}}));
    let what = format!("cannot scale Deployment `{name}`");
    cluster
        .call(&what, api.patch_scale(name, &parameters, &patch))
        .await
        .map(|_| ())
}
