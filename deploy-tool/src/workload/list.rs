//! Edge: what runs pods, whatever its kind is.

use futures::future::try_join_all;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{DynamicObject, ListParams};
use kube::core::ApiResource;

use crate::workload::{Kind, Standing};
use cluster::{Cluster, list};
use diagnostics::Outcome;

/// Where the objects of a kind are.
pub fn api(cluster: &Cluster, namespace: &str, kind: Kind) -> Api<DynamicObject> {
    let resource = match kind {
        Kind::Deployment => ApiResource::erase::<Deployment>(&()),
        Kind::StatefulSet => ApiResource::erase::<StatefulSet>(&()),
        Kind::DaemonSet => ApiResource::erase::<DaemonSet>(&()),
        Kind::Job => ApiResource::erase::<Job>(&()),
        Kind::Pod => ApiResource::erase::<Pod>(&()),
    };
    Api::namespaced_with(cluster.client.clone(), namespace, &resource)
}

/// What a namespace has of some kinds.
///
/// # Errors
/// When the server does not answer.
pub async fn all(cluster: &Cluster, namespace: &str, kinds: &[Kind]) -> Outcome<Vec<Standing>> {
    let lists = kinds.iter().map(async |kind| {
        let api = api(cluster, namespace, *kind);
        let what = format!("cannot list the {kind:?}s of namespace `{namespace}`");
        list::reduced(cluster, &api, &ListParams::default(), &what, |object| {
            Some(Standing::of(*kind, &object))
        })
        .await
    });
    Ok(try_join_all(lists).await?.concat())
}
