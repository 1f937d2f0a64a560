//! What is no failure, and is said all the same; and what is being deleted.

use serde_json::json;

use super::{Case, FAILED, UNDECIDED};

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_load_balancer_that_nobody_makes_and_an_autoscaler_of_nothing() {
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "front"},
        "spec": {"type": "LoadBalancer", "selector": {"app": "x"}, "ports": [{"port": 80}]}});
    let autoscaler = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "orphan"}, "spec": {"minReplicas": 1, "maxReplicas": 2,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "nobody"}}});
    let case = Case::new("verdicts-notes", &[service, autoscaler]);
    let output = case.run(&["apply", "--timeout", "3m"]).success();
    for part in [
        "Service `front`: without an address: no controller of load balancers has taken it",
        "HorizontalPodAutoscaler `orphan`: scales nothing",
    ] {
        assert!(
            output.stderr.contains(part),
            "`{part}` is missing in:\n{}",
            output.stderr
        );
    }
}

/// It is not there as soon as its finalizer is off: it is made again, and nothing says that nothing is to be done.
#[test]
#[ignore = "needs a cluster, see main.rs"]
fn what_is_being_deleted_is_made_again() {
    let going = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "going", "finalizers": ["case.example.com/hold"]}, "data": {"key": "value"}});
    let case = Case::new("verdicts-going", &[going]);
    case.run(&["apply"]).success();
    case.kubectl(&["delete", "configmap", "going", "--wait=false"])
        .success();
    let output = case.run(&["plan", "--exit-code"]);
    assert_eq!(output.code, 10, "{}", output.stderr);
    assert!(
        output
            .stdout
            .contains("is being deleted (held by case.example.com/hold): made again once it is gone"),
        "{}",
        output.stdout
    );
    let held = [
        "error DT0325:",
        "held by case.example.com/hold",
        "patch configmap going",
    ];
    case.run(&["apply", "--timeout", "5s"]).failure(UNDECIDED, &held);
    case.run(&["apply", "--fail-fast"]).failure(FAILED, &held);
    std::thread::scope(|scope| {
        let freed = scope.spawn(|| {
            let patch = r#"--patch={"metadata":{"finalizers":null}}"#;
            case.kubectl(&["patch", "configmap", "going", "--type=merge", patch])
        });
        case.run(&["apply"]).success();
        freed.join().unwrap().success();
    });
    // The new one, with its finalizer: the namespace could not go.
    let uid = [
        "get",
        "configmap",
        "going",
        "--output=jsonpath={.metadata.deletionTimestamp}",
    ];
    assert_eq!(case.kubectl(&uid).success().stdout, "", "it is another one");
    let patch = r#"--patch={"metadata":{"finalizers":null}}"#;
    case.kubectl(&["patch", "configmap", "going", "--type=merge", patch])
        .success();
    // And a whole namespace.
    crate::harness::kubectl(&["delete", "namespace", &case.namespace.name, "--wait=false"]).success();
    case.run(&["apply"]).success();
    let phase = [
        "get",
        "namespace",
        &case.namespace.name,
        "--output=jsonpath={.status.phase}",
    ];
    assert_eq!(crate::harness::kubectl(&phase).success().stdout, "Active");
    case.kubectl(&["patch", "configmap", "going", "--type=merge", patch])
        .success();
}
