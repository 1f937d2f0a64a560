//! Slow, late, tight, or not at the first attempt: all of these come up.

use serde_json::json;

use super::{Case, deployment, job, shell};

/// Longer than the half minute after which it was a failure once.
#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_service_that_is_ready_after_35_seconds() {
    let probe =
        json!({"readinessProbe": {"initialDelaySeconds": 35, "periodSeconds": 2, "exec": {"command": ["true"]}}});
    let case = Case::new("verdicts-slow", &[deployment("slow", 1, probe, json!([]))]);
    let output = case.run(&["apply", "--rollback-on-failure"]).success();
    assert!(
        output.stderr.contains("ready: Deployment `slow`: 1 of 1 ready"),
        "{}",
        output.stderr
    );
    // Nobody says that it is late before its probe has been asked.
    assert!(!output.stderr.contains("is not ready"), "{}", output.stderr);
}

/// As ingress-nginx and metallb do: a Job of the release makes the Secret that a Deployment of it mounts.
#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_secret_that_comes_late() {
    let mount = json!({"volumeMounts": [{"name": "cert", "mountPath": "/cert"}]});
    let volume = json!([{"name": "cert", "secret": {"secretName": "made-late"}}]);
    let case = Case::new(
        "verdicts-late",
        &[
            deployment("needs", 1, mount, volume),
            job("admission", json!({}), "sleep 15"),
        ],
    );
    // The Secret comes when the Job has ended: no image of the nodes could make it.
    let made = std::thread::scope(|scope| {
        let late = scope.spawn(|| {
            let namespace = format!("namespace/{}", case.namespace.name);
            crate::harness::kubectl(&["wait", "--for=create", &namespace, "--timeout=120s"]).success();
            case.kubectl(&["wait", "--for=create", "job/admission", "--timeout=120s"])
                .success();
            case.kubectl(&["wait", "--for=condition=Complete", "job/admission", "--timeout=300s"])
                .success();
            case.kubectl(&["create", "secret", "generic", "made-late", "--from-literal=a=b"])
        });
        let output = case.run(&["apply"]).success();
        let message = "Secret `made-late`, which is not there; Job `admission` may still make it";
        assert!(output.stderr.contains(message), "{}", output.stderr);
        late.join().unwrap()
    });
    made.success();
}

/// Ends three times, as a service that waits for its database by ending.
#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_container_that_runs_from_its_fourth_start_on() {
    let script = r#"echo x >>/s/n; [ "$(wc -l </s/n)" -gt 3 ] && exec sleep infinity; echo "no database yet"; exit 1"#;
    let mut container = shell(script);
    container["volumeMounts"] = json!([{"name": "s", "mountPath": "/s"}]);
    let volume = json!([{"name": "s", "emptyDir": {}}]);
    let case = Case::new("verdicts-crash", &[deployment("crash", 1, container, volume)]);
    let output = case.run(&["apply", "--rollback-on-failure"]).success();
    assert!(
        output.stderr.contains("has ended 3 times, last with exit code 1"),
        "{}",
        output.stderr
    );
}

/// The quota has room for the pods of one revision: the new ones come as the old ones go, one of four at a time.
#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_quota_that_frees_itself() {
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": {"pods": "4"}}});
    let web = |seconds: &str| {
        let mut web = deployment("web", 4, json!({"command": ["sleep", seconds]}), json!([]));
        web["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = json!(4);
        web
    };
    let case = Case::new("verdicts-quota", &[quota.clone(), web("infinity")]);
    case.run(&["apply"]).success();
    case.write(&[quota, web("99999")]);
    let output = case.run(&["apply", "--rollback-on-failure"]).success();
    assert!(output.stderr.contains("exceeded quota: q"), "{}", output.stderr);
}
