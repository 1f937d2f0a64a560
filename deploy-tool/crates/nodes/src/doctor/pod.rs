//! The probe's pod: four containers of one tiny guest, each for something else that is to be found out.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Pod;
use serde_json::json;

use oci_artifacts::image::{VARIANT, VARIANT_ANNOTATION};

/// Finds the probes' pods.
pub const SELECTOR: &str = "app.kubernetes.io/managed-by=deploy-tool,app.kubernetes.io/name=doctor-probe";
/// The kubelet ends the pod after so many seconds, whatever becomes of this run. A node may have to pull the image first.
pub const LIFETIME: u32 = 120;
/// What every cluster has: the API server's own Service.
pub const TARGET: &str = "kubernetes.default.svc:443";
/// The environment variable that the guest passes on, and its value.
pub const VARIABLE: (&str, &str) = ("PROBE", "an environment variable");
/// What the container `end` ends with.
pub const EXIT_CODE: i32 = 7;

/// The container with a module with native code, which prints its environment and network.
pub const LOOK: &str = "look";
/// The same guest, interpreted.
pub const PLAIN: &str = "plain";
/// Ends with [`EXIT_CODE`].
pub const END: &str = "end";
/// Runs until the kubelet sends it SIGTERM, which it does as soon as the others have ended.
/// <https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/>
pub const STAY: &str = "stay";

/// What a probe is made of.
#[derive(Clone, Copy, Debug)]
pub struct Probe<'a> {
    /// The RuntimeClass.
    pub runtime_class: &'a str,
    /// The image compiled ahead of time.
    pub image: &'a str,
    /// The image without native code.
    pub plain_image: &'a str,
    /// The only node that it may run on.
    pub node: &'a str,
}

/// Its pod: bounded in time, and within what Pod Security calls `restricted`.
///
/// # Errors
/// Never: a test makes one.
pub fn probe(probe: Probe<'_>) -> Result<Pod, serde_json::Error> {
    let container = |name: &str, image: &str, arguments: &[&str]| {
        json!({
            "name": name, "image": image, "args": arguments, "imagePullPolicy": "IfNotPresent",
            "env": [{"name": VARIABLE.0, "value": VARIABLE.1}],
            "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "128Mi"}},
            "securityContext": {
                "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]},
            },
        })
    };
    let mut stay = container(STAY, probe.plain_image, &["stay"]);
    stay["restartPolicy"] = json!("Always");
    serde_json::from_value(json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "generateName": "doctor-probe-",
            "labels": {"app.kubernetes.io/managed-by": "deploy-tool", "app.kubernetes.io/name": "doctor-probe"},
            "annotations": {VARIANT_ANNOTATION: VARIANT},
        },
        "spec": {
            "runtimeClassName": probe.runtime_class,
            "restartPolicy": "Never",
            "activeDeadlineSeconds": LIFETIME,
            "terminationGracePeriodSeconds": 2,
            "automountServiceAccountToken": false,
            "enableServiceLinks": false,
            "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
            // By its name: the label kubernetes.io/hostname may be another one.
            "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [probe.node]}]},
            ]}}},
            "initContainers": [stay],
            "containers": [
                container(LOOK, probe.image, &["look", TARGET]),
                container(PLAIN, probe.plain_image, &["look", TARGET]),
                container(END, probe.plain_image, &["end", &EXIT_CODE.to_string()]),
            ],
        },
    }))
}

/// Whether a probe is left over from an interrupted run.
pub fn is_left_over(pod: &Pod, now: Timestamp) -> bool {
    let created = pod.metadata.creation_timestamp.as_ref();
    let longest = SignedDuration::from_secs(2 * i64::from(LIFETIME));
    created.is_some_and(|created| now.duration_since(created.0) > longest)
}
