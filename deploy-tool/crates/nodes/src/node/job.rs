//! The installer's Job: one pod, once, on one node.

use std::time::Duration;

use k8s_openapi::api::batch::v1::Job;
use serde_json::json;

use node_protocol::{Arguments, Verb};

use super::choose::Chosen;

/// Whatever becomes of this run, the Job is deleted so many seconds after its end.
const KEPT_SECONDS: u32 = 600;

/// All that an installer waits for on a node has a limit, and together they are less than this.
const WORK: Duration = Duration::from_secs(15 * 60);
/// A change is not cut off in the middle: it comes to its end, or back to its beginning.
const GRACE_SECONDS: u64 = WORK.as_secs();
/// The usual one.
const SHORT_GRACE_SECONDS: u64 = 30;

/// How long a Job may take, its image included, for which `limit` is left.
pub fn job_deadline(verb: Verb, limit: Duration) -> Duration {
    if verb.is_read_only() { limit } else { limit + WORK }
}

/// The Job of the installer on a node. It sets `nodeName`, as the scheduler does not use a cordoned node.
///
/// `is_loaded`: the image was loaded into the node and must not be pulled.
///
/// # Errors
/// Never: a test makes one.
pub fn job(
    verb: Verb,
    on: &Chosen<'_>,
    handler: &str,
    image: &str,
    is_loaded: bool,
    limit: Duration,
) -> Result<Job, serde_json::Error> {
    let arguments = Arguments {
        verb,
        runtime: on.runtime,
        handler: handler.to_owned(),
    };
    let is_read_only = verb.is_read_only();
    let mut mount = json!({"name": "node", "mountPath": "/host", "readOnly": is_read_only});
    if is_read_only {
        mount["recursiveReadOnly"] = json!("IfPossible");
    }
    let labels = json!({"app.kubernetes.io/managed-by": "deploy-tool", "app.kubernetes.io/name": "node-installer"});
    serde_json::from_value(json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"generateName": format!("node-{}-", verb), "labels": labels},
        "spec": {
            // A second try would begin where the first has stopped: it is for the next run to decide that.
            "backoffLimit": 0,
            "activeDeadlineSeconds": job_deadline(verb, limit).as_secs(),
            "ttlSecondsAfterFinished": KEPT_SECONDS,
            "template": {"metadata": {"labels": labels}, "spec": {
                "nodeName": on.name(),
                "restartPolicy": "Never",
                // Neither evicted for another pod nor for want of memory, in the middle.
                "priorityClassName": "system-node-critical",
                "terminationGracePeriodSeconds": if is_read_only { SHORT_GRACE_SECONDS } else { GRACE_SECONDS },
                "tolerations": [{"operator": "Exists"}],
                "automountServiceAccountToken": false,
                "enableServiceLinks": false,
                // Where the pods' network is broken, this is needed all the same.
                "hostNetwork": true,
                // systemd answers to processes that it can see.
                "hostPID": true,
                // Root in there must be root of the node.
                "hostUsers": true,
                "volumes": [{"name": "node", "hostPath": {"path": "/"}}],
                "containers": [{
                    "name": "installer", "image": image, "imagePullPolicy": if is_loaded { "Never" } else { "IfNotPresent" },
                    "args": arguments.words(),
                    "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}},
                    "securityContext": {"privileged": true},
                    "volumeMounts": [mount],
                }],
            }},
        },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::Node;
    use node_protocol::Runtime;

    #[test]
    fn it_runs_once_on_its_node_whatever_is_cordoned_or_tainted() {
        let node: Node = serde_json::from_value(json!({"metadata": {"name": "one"}})).unwrap();
        let chosen = Chosen {
            node: &node,
            runtime: Runtime::Containerd,
        };
        let job = |verb, is_loaded| {
            let limit = Duration::from_secs(300);
            serde_json::to_value(job(verb, &chosen, "crun", "i:1", is_loaded, limit).unwrap()).unwrap()
        };
        let install = job(Verb::Install, true);
        let pod = &install["spec"]["template"]["spec"];
        assert_eq!(
            (&pod["nodeName"], &pod["tolerations"][0]["operator"]),
            (&json!("one"), &json!("Exists"))
        );
        let container = &pod["containers"][0];
        assert_eq!(
            container["args"],
            json!(["install", "--runtime", "containerd", "--handler", "crun"])
        );
        assert_eq!(install["spec"]["backoffLimit"], 0);
        assert_eq!(container["imagePullPolicy"], "Never");
        assert_eq!(
            job(Verb::Install, false)["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"],
            "IfNotPresent"
        );
        // It is not the first to go, and is not ended in the middle.
        assert_eq!(pod["priorityClassName"], "system-node-critical");
        assert_eq!(
            container["resources"]["requests"],
            json!({"cpu": "50m", "memory": "64Mi"})
        );
        assert_eq!(install["spec"]["activeDeadlineSeconds"], 300 + 900);
        assert_eq!(pod["terminationGracePeriodSeconds"], 900);
    }

    #[test]
    fn who_only_looks_cannot_write() {
        let node: Node = serde_json::from_value(json!({"metadata": {"name": "one"}})).unwrap();
        let chosen = Chosen {
            node: &node,
            runtime: Runtime::Containerd,
        };
        for (verb, is_read_only) in [
            (Verb::Check, true),
            (Verb::Status, true),
            (Verb::Install, false),
            (Verb::Undo, false),
            (Verb::Remove, false),
        ] {
            let job = job(verb, &chosen, "crun", "i:1", true, Duration::from_secs(1)).unwrap();
            let job = serde_json::to_value(job).unwrap();
            let mount = &job["spec"]["template"]["spec"]["containers"][0]["volumeMounts"][0];
            assert_eq!(mount["readOnly"], is_read_only, "{verb}");
            assert_eq!(mount.get("recursiveReadOnly").is_some(), is_read_only, "{verb}");
        }
    }
}
