//! Edge: lists the workloads of all kinds.

use futures::future::{join_all, try_join_all};
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{Pod, Service};
use kube::Api;
use kube::api::{DynamicObject, ListParams};
use kube::core::ApiResource;

use crate::workload::{Kind, WorkloadInfo};
use cluster::{Cluster, list};
use diagnostics::Result;
use diagnostics::code::apply::PERMISSION_MISSING;

/// Where the objects of a kind are.
pub fn api(cluster: &Cluster, namespace: &str, kind: Kind) -> Api<DynamicObject> {
    let resource = match kind {
        Kind::Deployment => ApiResource::erase::<Deployment>(&()),
        Kind::StatefulSet => ApiResource::erase::<StatefulSet>(&()),
        Kind::DaemonSet => ApiResource::erase::<DaemonSet>(&()),
        Kind::Job => ApiResource::erase::<Job>(&()),
        Kind::CronJob => ApiResource::erase::<CronJob>(&()),
        Kind::Service => ApiResource::erase::<Service>(&()),
        Kind::Pod => ApiResource::erase::<Pod>(&()),
    };
    Api::namespaced_with(cluster.client.clone(), namespace, &resource)
}

/// What a namespace has of some kinds, as far as this user may see it.
///
/// # Errors
/// When the server does not answer, or this user may see none of the kinds.
pub async fn visible(cluster: &Cluster, namespace: &str, kinds: &[Kind]) -> Result<Vec<WorkloadInfo>> {
    let (mut found, mut refused, mut answered) = (Vec::new(), None, false);
    for list in join_all(
        kinds
            .iter()
            .map(|kind| all(cluster, namespace, std::slice::from_ref(kind))),
    )
    .await
    {
        match list {
            Ok(list) => {
                answered = true;
                found.extend(list);
            }
            Err(failure) if failure.number() == Some(&PERMISSION_MISSING) => refused = refused.or(Some(failure)),
            Err(failure) => return Err(failure),
        }
    }
    match refused {
        Some(failure) if !answered => Err(failure),
        _ => Ok(found),
    }
}

/// What a namespace has of some kinds.
///
/// # Errors
/// When the server does not answer.
pub async fn all(cluster: &Cluster, namespace: &str, kinds: &[Kind]) -> Result<Vec<WorkloadInfo>> {
    let lists = kinds.iter().map(async |kind| {
        let api = api(cluster, namespace, *kind);
        let message = format!("cannot list the {kind}s of namespace `{namespace}`");
        list::extract(cluster, &api, &ListParams::default(), &message, |object| {
            Some(WorkloadInfo::from_object(*kind, &object))
        })
        .await
    });
    Ok(try_join_all(lists).await?.concat())
}
