//! The installer's Job: one pod, once, on one node.

use k8s_openapi::api::batch::v1::Job;
use serde_json::json;

use node_protocol::{Arguments, Verb};

use super::choose::Chosen;

/// Whatever becomes of this run, the Job is deleted so many seconds after its end.
const KEPT_SECONDS: u32 = 600;

/// Its Job. It is bound to the node without the scheduler, for which the node may be cordoned.
///
/// # Errors
/// Never: a test makes one.
pub fn job(verb: Verb, on: &Chosen<'_>, handler: &str, image: &str, limit: u64) -> Result<Job, serde_json::Error> {
    let arguments = Arguments {
        verb,
        runtime: on.runtime,
        handler: handler.to_owned(),
    };
    let labels = json!({"app.kubernetes.io/managed-by": "deploy-tool", "app.kubernetes.io/name": "node-installer"});
    serde_json::from_value(json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"generateName": format!("node-{}-", verb), "labels": labels},
        "spec": {
            // A second try would begin where the first has stopped: it is for the next run to decide that.
            "backoffLimit": 0,
            "activeDeadlineSeconds": limit,
            "ttlSecondsAfterFinished": KEPT_SECONDS,
            "template": {"metadata": {"labels": labels}, "spec": {
                "nodeName": on.name(),
                "restartPolicy": "Never",
                "tolerations": [{"operator": "Exists"}],
                "automountServiceAccountToken": false,
                "enableServiceLinks": false,
                // Where the pods' network is broken, this is needed all the same.
                "hostNetwork": true,
                // systemd answers to processes that it can see.
                "hostPID": true,
                "volumes": [{"name": "node", "hostPath": {"path": "/"}}],
                "containers": [{
                    "name": "installer", "image": image, "imagePullPolicy": "IfNotPresent",
                    "args": arguments.words(),
                    "securityContext": {"privileged": true},
                    "volumeMounts": [{"name": "node", "mountPath": "/host"}],
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
        let job = serde_json::to_value(job(Verb::Install, &chosen, "crun", "i:1", 300).unwrap()).unwrap();
        let pod = &job["spec"]["template"]["spec"];
        assert_eq!(
            (&pod["nodeName"], &pod["tolerations"][0]["operator"]),
            (&json!("one"), &json!("Exists"))
        );
        assert_eq!(
            pod["containers"][0]["args"],
            json!(["install", "--runtime", "containerd", "--handler", "crun"])
        );
        assert_eq!(job["spec"]["backoffLimit"], 0);
    }
}
