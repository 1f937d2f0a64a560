//! 0308 and 0319 to 0324: pods that are not let in, find no node or get no volume.

use serde_json::{Value, json};

use super::{Provocation, deployment, fail_early};

fn with_volume(name: &'static str, volume: Value) -> Value {
    let mut source = json!({"name": "data"});
    super::merge(&mut source, volume);
    let container = json!({"volumeMounts": [{"name": "data", "mountPath": "/data"}]});
    deployment(name, container, json!({"spec": {"volumes": [source]}}))
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn pods_without_a_node_or_a_volume() {
    let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "no-such-class"},
        "spec": {"storageClassName": "nowhere", "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Mi"}}}});
    let provocations = vec![
        Provocation {
            name: "large",
            code: "DT0319",
            sentences: &[
                "fits on none of 3 nodes",
                "| 2 nodes: Insufficient cpu",
                "| 1 node: had untolerated taint",
            ],
            objects: vec![deployment(
                "large",
                json!({"resources": {"requests": {"cpu": "500"}}}),
                json!({}),
            )],
            event: None,
        },
        Provocation {
            name: "unlabelled",
            code: "DT0319",
            sentences: &["2 nodes: didn't match Pod's node affinity/selector", "kubectl label"],
            objects: vec![deployment(
                "unlabelled",
                json!({}),
                json!({"spec": {"nodeSelector": {"nobody": "has"}}}),
            )],
            event: None,
        },
        Provocation {
            name: "claim",
            code: "DT0320",
            sentences: &[
                "\"nowhere\" not found",
                "the cluster's StorageClasses: standard (the default)",
            ],
            objects: vec![
                claim,
                with_volume(
                    "claim",
                    json!({"persistentVolumeClaim": {"claimName": "no-such-class"}}),
                ),
            ],
            event: None,
        },
        Provocation {
            name: "path",
            code: "DT0321",
            sentences: &["/nowhere is not a directory", "correct the volume"],
            objects: vec![with_volume(
                "path",
                json!({"hostPath": {"path": "/nowhere", "type": "Directory"}}),
            )],
            event: Some("FailedMount"),
        },
    ];
    fail_early("failures-pods", &[], provocations);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn pods_that_are_not_let_in() {
    let secure = |name: &'static str, container: Value, pod: Value| {
        let mut main =
            json!({"securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}});
        super::merge(&mut main, container);
        let mut all = json!({"spec": {"securityContext": {"runAsNonRoot": true, "runAsUser": 1000,
            "seccompProfile": {"type": "RuntimeDefault"}}}});
        super::merge(&mut all, pod);
        deployment(name, main, all)
    };
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "little"},
        "spec": {"hard": {"limits.cpu": "10m"}}});
    let limits = json!({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "little"},
        "spec": {"limits": [{"type": "Container", "max": {"memory": "1Gi"}, "default": {"cpu": "1m"}}]}});
    let provocations = vec![
        Provocation {
            name: "class",
            code: "DT0308",
            sentences: &["RuntimeClass \"not-there\" not found", "kubectl get runtimeclasses"],
            objects: vec![secure(
                "class",
                json!({}),
                json!({"spec": {"runtimeClassName": "not-there"}}),
            )],
            event: Some("FailedCreate"),
        },
        Provocation {
            name: "insecure",
            code: "DT0323",
            sentences: &[
                "Pod Security level restricted:latest",
                "| allowPrivilegeEscalation != false",
            ],
            objects: vec![deployment("insecure", json!({}), json!({}))],
            event: Some("FailedCreate"),
        },
        Provocation {
            name: "large",
            code: "DT0324",
            sentences: &["maximum memory usage per Container is 1Gi, but limit is 2Gi"],
            objects: vec![
                limits,
                secure("large", json!({"resources": {"limits": {"memory": "2Gi"}}}), json!({})),
            ],
            event: Some("FailedCreate"),
        },
    ];
    fail_early(
        "failures-admission",
        &[("pod-security.kubernetes.io/enforce", "restricted")],
        provocations,
    );
    let greedy = Provocation {
        name: "greedy",
        code: "DT0322",
        sentences: &[
            "exceeded quota: little",
            "requested: limits.cpu=1",
            "describe resourcequota",
        ],
        objects: vec![
            quota,
            deployment("greedy", json!({"resources": {"limits": {"cpu": "1"}}}), json!({})),
        ],
        event: Some("FailedCreate"),
    };
    fail_early("failures-quota", &[], vec![greedy]);
}
