//! Edge: makes controllers retry early during the wait for a rollout.

use std::collections::{BTreeMap, BTreeSet};

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
use terminal::detail;

/// Any change of a controller's object makes it look again.
const RETRIED_ANNOTATION: &str = "deploy-tool.dev/retried";

/// Makes controllers retry now that would wait for minutes because of their back-off, as the cause may be fixed. Returns
/// whether there were any. A user may deploy without the right to do this: the controllers then retry later, by themselves.
pub async fn trigger_retries(cluster: &Cluster, targets: &[Target], watch: &Watch, since: Timestamp) -> bool {
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
        let parameters = PatchParams::default();
        let patched = cluster.call(&message, api.patch_metadata(&name, &parameters, &patch));
        if let Err(failure) = patched.await {
            detail(&failure.to_string());
        }
        is_any = true;
    }
    is_any
}

/// Broken pods that are deleted, so that their controllers make new ones.
#[derive(Debug, Default)]
pub struct BrokenPods {
    deleted: BTreeSet<String>,
    /// Those that could not be deleted, each with the reason. They may still become ready.
    kept: BTreeMap<String, String>,
}

impl BrokenPods {
    /// Deletes the broken pods of some targets, each once.
    pub async fn delete(&mut self, cluster: &Cluster, targets: &[Target], watch: &Watch, since: Timestamp) {
        for pod in targets
            .iter()
            .flat_map(|target| rollout::pods_to_replace(target, &watch.objects, since))
        {
            let uid = pod.uid().unwrap_or_default();
            if self.kept.contains_key(&uid) {
                continue;
            }
            let name = pod.name_any();
            match delete(cluster, pod).await {
                Ok(true) => _ = self.deleted.insert(name),
                Ok(false) => {}
                Err(failure) => {
                    let reason = format!("{}: {}", failure.message(), failure.causes().join(": "));
                    self.kept.insert(uid, reason);
                }
            }
        }
    }

    /// The names of those that were deleted.
    pub fn deleted(&self) -> Vec<&str> {
        self.deleted.iter().map(String::as_str).collect()
    }

    /// Adds to the failure of a rollout why broken pods are still there.
    pub fn explain(&self, failure: Error) -> Error {
        self.kept.values().fold(failure, Error::cause)
    }
}

/// Deletes a pod; returns false when it was deleted or changed in between.
async fn delete(cluster: &Cluster, pod: &Pod) -> Result<bool> {
    let name = pod.name_any();
    let api: Api<Pod> = Api::namespaced(cluster.client.clone(), &pod.namespace().unwrap_or_default());
    let preconditions = Preconditions {
        uid: pod.uid(),
        resource_version: None,
    };
    let parameters = DeleteParams::default().preconditions(preconditions);
    let message = format!("cannot delete the broken pod `{name}`");
    match cluster.answer(&message, api.delete(&name, &parameters)).await? {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 404 || status.code == 409 => Ok(false),
        Err(error) => Err(Error::cluster(message).cause(explain(&error))),
    }
}
