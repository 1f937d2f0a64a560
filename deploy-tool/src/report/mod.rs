//! Pure: from pods to the table and the JSON of `status`.

mod address;
mod image;
mod object;
mod release;
mod table;
mod workload;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use serde::{Deserialize, Serialize};

pub use address::{host_url, node_port, node_url};
pub use image::image_text;
pub use object::{ObjectStatus, ToObjectStatus};
pub use release::{ReleaseStatus, RevisionStatus, release};
pub use table::table;
pub use workload::{WorkloadStatus, workload, workloads};

use crate::logs::is_transient;
use rollout::is_ready;

/// What `status --output json` prints. Fields are added, never renamed, while `schema` stays the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// `deploy-tool.dev/status/v1`
    pub schema: &'static str,
    /// The kubeconfig's context.
    pub context: String,
    /// The namespace.
    pub namespace: String,
    /// The release; none when the namespace has no such release, or this user may not read its revisions.
    pub release: Option<ReleaseStatus>,
    /// Where the service can be reached from this host, if it can.
    pub url: Option<String>,
    /// Whether there are pods and all of them are ready.
    pub ready: bool,
    /// The workloads that have pods, by name.
    pub workloads: Vec<WorkloadStatus>,
    /// The pods, by name.
    pub pods: Vec<PodStatus>,
    /// Workloads, Services and what else there is, by kind and name.
    pub objects: Vec<ObjectStatus>,
    /// Whether there is such a namespace.
    pub namespace_exists: bool,
}

/// The value of [`Status::schema`].
pub const SCHEMA: &str = "deploy-tool.dev/status/v1";

/// One pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PodStatus {
    /// Its name.
    pub name: String,
    /// Its workload, such as `Deployment/app`; none for a pod without a controller.
    pub workload: Option<String>,
    /// Its node, once it has one.
    pub node: Option<String>,
    /// Its runtime class; none for ordinary containers.
    pub runtime_class: Option<String>,
    /// The execution mode of a Wasm service: `aot`, `interpreter`, or `native`; none for pods that do not report it.
    pub mode: Option<String>,
    /// The image of its first container.
    pub image: String,
    /// The image's digest, as far as the node knows it.
    pub image_digest: Option<String>,
    /// How often its containers were restarted, native sidecars included.
    pub restarts: i32,
    /// Whether it is ready.
    pub ready: bool,
    /// Its phase, a container's reason for waiting, or `Terminating`.
    pub state: String,
    /// When it was made.
    pub created: Option<Timestamp>,
}

impl PodStatus {
    /// Its image as a table shows it.
    fn shown_image(&self) -> String {
        object::short_image(&self.image)
    }
}

#[derive(Deserialize)]
struct Health {
    mode: Option<String>,
}

/// The execution mode in the answer to GET /healthz.
pub fn mode(healthz: &str) -> Option<String> {
    serde_json::from_str::<Health>(healthz).ok()?.mode
}

/// `port/healthz` of a pod that runs Wasm and can be asked.
pub fn health_address(pod: &Pod) -> Option<String> {
    let spec = pod.spec.as_ref()?;
    spec.runtime_class_name.as_ref()?;
    let ports = spec.containers.first()?.ports.as_ref()?;
    let port = ports
        .iter()
        .find(|port| port.name.as_deref() == Some("http"))
        .or(ports.first())?;
    let running = pod.status.as_ref()?.phase.as_deref() == Some("Running");
    running.then(|| format!("{}/healthz", port.container_port))
}

/// The status of one pod.
pub fn pod_status(pod: &Pod, mode: Option<String>) -> PodStatus {
    let spec = pod.spec.as_ref();
    let containers = pod
        .status
        .as_ref()
        .and_then(|status| status.container_statuses.as_ref());
    let image = spec
        .and_then(|spec| spec.containers.first()?.image.clone())
        .unwrap_or_default();
    let stored = containers
        .and_then(|all| all.first())
        .map(|first| first.image_id.as_str())
        .unwrap_or_default();
    PodStatus {
        name: pod.metadata.name.clone().unwrap_or_default(),
        workload: workload(pod),
        node: spec.and_then(|spec| spec.node_name.clone()),
        runtime_class: spec.and_then(|spec| spec.runtime_class_name.clone()),
        mode,
        image_digest: digest(&image).or_else(|| digest(stored)),
        image,
        restarts: rollout::containers(pod)
            .filter(|(is_init, _)| !is_init)
            .map(|(_, container)| container.restart_count)
            .sum(),
        ready: is_ready(pod) && pod.metadata.deletion_timestamp.is_none(),
        state: state(pod),
        created: pod.metadata.creation_timestamp.as_ref().map(|time| time.0),
    }
}

fn state(pod: &Pod) -> String {
    if pod.metadata.deletion_timestamp.is_some() {
        return "Terminating".to_owned();
    }
    let waiting = rollout::containers(pod)
        .filter_map(|(_, container)| container.state.as_ref()?.waiting.as_ref()?.reason.as_deref());
    // Other containers wait for an init container or a sidecar that fails, whose reason is the relevant one.
    let (passing, telling): (Vec<_>, Vec<_>) = waiting.partition(|reason| is_transient(reason));
    let reason = telling.first().or(passing.first()).copied();
    reason
        .or_else(|| pod.status.as_ref()?.phase.as_deref())
        .unwrap_or("Unknown")
        .to_owned()
}

/// The digest in `…@sha256:…`, or in a tag made from one.
fn digest(image: &str) -> Option<String> {
    let offset = image.rfind("sha256")?;
    let digits = image.get(offset + 7..offset + 7 + 64)?;
    digits
        .chars()
        .all(|digit| digit.is_ascii_hexdigit())
        .then(|| format!("sha256:{digits}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const DIGITS: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn pod() -> Pod {
        serde_json::from_value(json!({
            "metadata": {"name": "app-1", "creationTimestamp": "2026-01-02T03:04:05Z"},
            "spec": {"nodeName": "w", "runtimeClassName": "crun-wasm", "containers": [
                {"name": "app", "image": format!("localhost/orders:sha256-{DIGITS}"),
                 "ports": [{"name": "http", "containerPort": 8080}]}]},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}], "containerStatuses": [
                {"name": "app", "image": "x", "imageID": "sha256:ff", "ready": true, "restartCount": 2}]},
        }))
        .unwrap()
    }

    #[test]
    fn a_pod_in_a_row() {
        assert_eq!(health_address(&pod()), Some("8080/healthz".into()));
        let mode = mode(r#"{"version":"0.1.0","build":"wasm","mode":"aot"}"#);
        let status = Status {
            schema: SCHEMA,
            context: "kind-wasm-demo".into(),
            namespace: "orders".into(),
            release: None,
            url: Some("http://localhost:8080".into()),
            ready: true,
            workloads: Vec::new(),
            pods: vec![pod_status(&pod(), mode)],
            objects: Vec::new(),
            namespace_exists: true,
        };
        let now = "2026-01-02T05:10:00Z".parse().unwrap();
        assert_eq!(
            table(&status, now),
            "POD    NODE  RUNTIME    MODE  IMAGE                                 RESTARTS  READY  STATE    AGE\n\
             app-1  w     crun-wasm  aot   localhost/orders:sha256-0123456789ab  2         yes    Running  2h\n\n\
             http://localhost:8080/\n"
        );
        let json = serde_json::to_value(&status).unwrap();
        assert_eq!(
            json["pods"][0],
            json!({"name": "app-1", "workload": null, "node": "w", "runtimeClass": "crun-wasm", "mode": "aot",
                "image": format!("localhost/orders:sha256-{DIGITS}"), "imageDigest": format!("sha256:{DIGITS}"),
                "restarts": 2, "ready": true, "state": "Running", "created": "2026-01-02T03:04:05Z"})
        );
    }

    #[test]
    fn a_pod_that_does_not_run_is_not_asked() {
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "m"}, "spec": {"containers": [{"name": "m", "image": "docker.io/library/mariadb:11.8"}]},
            "status": {"phase": "Pending", "containerStatuses": [{"name": "m", "image": "", "imageID": "", "ready": false,
                "restartCount": 0, "state": {"waiting": {"reason": "ImagePullBackOff"}}}]},
        }))
        .unwrap();
        assert_eq!(health_address(&pod), None);
        let status = pod_status(&pod, None);
        assert_eq!(
            (status.state.as_str(), status.image_digest, status.ready),
            ("ImagePullBackOff", None, false)
        );
    }

    #[test]
    fn a_sidecar_that_does_not_come_up_is_what_the_pod_says() {
        let status = |name: &str, reason: &str, restarts: i32| {
            json!({"name": name, "image": "", "imageID": "", "ready": false, "restartCount": restarts,
                "state": {"waiting": {"reason": reason}}})
        };
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "orders"},
            "spec": {"initContainers": [{"name": "wait"}, {"name": "daprd", "restartPolicy": "Always"}],
                "containers": [{"name": "orders", "image": "orders:1"}]},
            "status": {"phase": "Pending", "containerStatuses": [status("orders", "PodInitializing", 0)],
                "initContainerStatuses": [
                    {"name": "wait", "image": "", "imageID": "", "ready": true, "restartCount": 1,
                        "state": {"terminated": {"exitCode": 0}}},
                    status("daprd", "CrashLoopBackOff", 4)]},
        }))
        .unwrap();
        let status = pod_status(&pod, None);
        assert_eq!(
            (status.state.as_str(), status.restarts, status.image.as_str()),
            ("CrashLoopBackOff", 4, "orders:1")
        );
    }

    #[test]
    fn only_a_whole_digest_is_one() {
        assert_eq!(digest("x@sha256:short"), None);
    }
}
