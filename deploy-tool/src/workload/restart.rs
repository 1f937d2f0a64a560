//! Edge: what makes a workload's controller replace its pods.

use jiff::Timestamp;
use kube::api::{DynamicObject, Patch, PatchParams};
use serde_json::json;

use crate::workload::Workload;
use crate::workload::list as workloads;
use cluster::Cluster;
use diagnostics::Result;
use releases::FIELD_MANAGER;

/// The annotation of the pods' template that kubectl uses for it, too.
const ANNOTATION: &str = "kubectl.kubernetes.io/restartedAt";

/// Annotates the template, with a field manager of its own: later applies neither remove the annotation nor conflict with
/// it. Returns the stored object.
///
/// # Errors
/// When the server refuses.
pub async fn restart(cluster: &Cluster, namespace: &str, workload: &Workload, at: Timestamp) -> Result<DynamicObject> {
    let parameters = PatchParams {
        field_manager: Some(format!("{FIELD_MANAGER}-restart")),
        ..PatchParams::default()
    };
    let annotations = json!({ANNOTATION: at.to_string()});
    let patch = Patch::Merge(json!({"spec": {"template": {"metadata": {"annotations": annotations}}}}));
    let api = workloads::api(cluster, namespace, workload.kind);
    let message = format!("cannot restart {workload}");
    cluster
        .call(&message, api.patch(&workload.name, &parameters, &patch))
        .await
}
