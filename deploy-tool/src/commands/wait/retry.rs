//! Edge: makes controllers retry early during the wait for a rollout.

use std::collections::BTreeSet;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ApiResource, DeleteParams, DynamicObject, Patch, PatchParams, Preconditions};
use kube::core::GroupVersionKind;
use kube::{Api, ResourceExt};
use serde_json::json;

use cluster::Cluster;
use cluster::client::explain;
use cluster::watch::Watch;
use diagnostics::{Error, Result};
use rollout::{Controller, Target};

/// Any change of a controller's object makes it look again.
const RETRIED_ANNOTATION: &str = "deploy-tool.dev/retried";

/// Makes controllers retry now that would wait for minutes because of their back-off, as the cause may be fixed. Returns
/// whether there were any.
pub async fn trigger_retries(cluster: &Cluster, targets: &[Target], watch: &Watch, since: Timestamp) -> Result<bool> {
    let mut is_any = false;
    for Controller { kind, namespace, name } in targets
        .iter()
        .filter_map(|target| rollout::refused_before(target, &watch.objects, since))
    {
        let group = if kind == "Job" { "batch" } else { "apps" };
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, "v1", kind));
        let api: Api<DynamicObject> = Api::namespaced_with(cluster.client.clone(), &namespace, &resource);
        let patch = Patch::Merge(json!({"metadata": {"annotations": {RETRIED_ANNOTATION: since.to_string()}}}));
        let message = format!("cannot make {kind} `{name}` try again");
        cluster
            .call(&message, api.patch_metadata(&name, &PatchParams::default(), &patch))
            .await?;
        is_any = true;
    }
    Ok(is_any)
}

/// Deletes broken pods, whose controllers make new ones.
pub async fn replace_broken_pods(
    cluster: &Cluster,
    targets: &[Target],
    watch: &Watch,
    since: Timestamp,
    replaced: &mut BTreeSet<String>,
) -> Result<()> {
    for pod in targets
        .iter()
        .flat_map(|target| rollout::pods_to_replace(target, &watch.objects, since))
    {
        let name = pod.name_any();
        let api: Api<Pod> = Api::namespaced(cluster.client.clone(), &pod.namespace().unwrap_or_default());
        let preconditions = Preconditions {
            uid: pod.uid(),
            resource_version: None,
        };
        let parameters = DeleteParams::default().preconditions(preconditions);
        let message = format!("cannot delete the broken pod `{name}`");
        match cluster.answer(&message, api.delete(&name, &parameters)).await? {
            Ok(_) => _ = replaced.insert(name),
            // It was deleted or changed in between.
            Err(kube::Error::Api(status)) if status.code == 404 || status.code == 409 => {}
            Err(error) => return Err(Error::cluster(message).cause(explain(&error))),
        }
    }
    Ok(())
}
