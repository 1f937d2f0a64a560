//! Containers that do not run.

use super::*;
use diagnostics::code::rollout::*;

#[test]
fn images() {
    let missing = "failed to resolve reference \"registry.example/app:1\": registry.example/app:1: not found";
    clear(
        with_container(waiting("ErrImagePull", missing, 0, json!({})), 1),
        &IMAGE_NOT_FOUND,
        &["registry.example/app:1", "`worker`", "name and tag"],
    );
    let never = || {
        waiting(
            "ErrImageNeverPull",
            "not present with pull policy of Never",
            0,
            json!({}),
        )
    };
    clear(with_container(never(), 1), &IMAGE_NOT_ON_NODE, &["Never"]);
    failed(with_container(never(), 30), &IMAGE_NOT_ON_NODE, &["Never"]);
    failed(
        with_container(
            waiting("InvalidImageName", "couldn't parse image name", 0, json!({})),
            1,
        ),
        &IMAGE_NAME_INVALID,
        &["parse"],
    );
    let private = "pull access denied, repository does not exist or may require authorization: 401 Unauthorized";
    clear(
        with_container(waiting("ErrImagePull", private, 0, json!({})), 1),
        &IMAGE_REFUSED,
        &["imagePullSecrets"],
    );
    // What may pass by itself has to fail more than once.
    let timeout = "failed to do request: dial tcp 192.0.2.1:443: i/o timeout";
    blocked(
        with_container(waiting("ImagePullBackOff", timeout, 0, json!({})), 60),
        &REGISTRY_UNREACHABLE,
        &["i/o timeout"],
    );
    let mut objects = world();
    put(
        &mut objects.pods,
        "app-1",
        pod("app-1", "app-new", waiting("ImagePullBackOff", timeout, 0, json!({}))),
    );
    event(
        &mut objects,
        "app-1",
        "Failed",
        "Failed to pull image \"x\": i/o timeout",
        30,
        3,
    );
    clear(app(&objects, 30), &REGISTRY_UNREACHABLE, &["i/o timeout"]);
}

#[test]
fn local_images_cannot_be_pulled() {
    let mut objects = world();
    let mut pod = pod(
        "app-1",
        "app-new",
        waiting(
            "ErrImagePull",
            "dial tcp [::1]:443: connect: connection refused",
            0,
            json!({}),
        ),
    );
    pod["spec"]["containers"][0]["image"] = json!("localhost/orders:sha256-1");
    put(&mut objects.pods, "app-1", pod);
    clear(
        app(&objects, 1),
        &IMAGE_NOT_ON_NODE,
        &["localhost/orders:sha256-1", "kind load docker-image NAME"],
    );
}

#[test]
fn one_early_end_is_nothing_and_three_are_a_crash_loop() {
    let back_off = |restarts, last| with_container(waiting("CrashLoopBackOff", "back-off 10s", restarts, last), 20);
    let once = with_container(json!({"state": ended(1, "Error")}), 1);
    blocked(once, &CRASH_LOOP, &["has ended once"]);
    blocked(back_off(1, ended(1, "Error")), &CRASH_LOOP, &["has ended 2 times"]);
    let problem = clear(
        back_off(2, ended(1, "Error")),
        &CRASH_LOOP,
        &["`app` of pod `app-1`", "3 times", "exit code 1"],
    );
    assert_eq!(
        problem.evidence,
        [Evidence::Logs(ContainerLog {
            namespace: "n".into(),
            pod: "app-1".into(),
            container: "app".into()
        })]
    );
    // Stock crun tells 0 whatever the guest's exit code is.
    clear(
        back_off(2, ended(0, "Completed")),
        &CRASH_LOOP,
        &["exit code 0 (Completed)", "a service must not end"],
    );
    // It runs again, and may be fine now.
    let running = json!({"state": {"running": {"startedAt": APPLIED}}, "restartCount": 1, "lastState": ended(1, "Error"),
        "started": true});
    in_progress(with_container(running, 20), "runs after 1 restarts, but is not ready");
}

#[test]
fn out_of_memory() {
    blocked(
        with_container(json!({"state": ended(137, "OOMKilled")}), 1),
        &OUT_OF_MEMORY,
        &["more memory"],
    );
    let again = json!({"state": ended(137, "OOMKilled"), "restartCount": 1});
    clear(
        with_container(again, 2),
        &OUT_OF_MEMORY,
        &["limit of 6Mi", "2 times", "limits.memory"],
    );
}

#[test]
fn missing_keys_of_a_secret() {
    let container = || {
        waiting(
            "CreateContainerConfigError",
            "couldn't find key NOPE in Secret n/db",
            0,
            json!({}),
        )
    };
    blocked(with_container(container(), 4), &CONFIGURATION_MISSING, &["NOPE"]);
    clear(
        with_container(container(), 5),
        &CONFIGURATION_MISSING,
        &["`NOPE`", "Secret `db`", "add the key"],
    );
}

/// Seen on a busy machine, in the first seconds of a Secret.
#[test]
fn a_kubelet_that_has_not_heard_of_a_secret_in_time_asks_again() {
    let message = "failed to sync secret cache: timed out waiting for the condition";
    let container = waiting("CreateContainerConfigError", message, 0, json!({}));
    in_progress(with_container(container, 60), "failed to sync secret cache");
}

/// A sidecar runs beside the others: it may not end, not even well.
#[test]
fn sidecars_that_end_are_no_init_containers_that_are_over() {
    let with = |policy: Value| {
        let mut objects = world();
        let mut pod = pod(
            "app-1",
            "app-new",
            json!({"state": {"waiting": {"reason": "PodInitializing"}}}),
        );
        pod["spec"]["initContainers"] = json!([{"name": "proxy", "image": "proxy:1", "restartPolicy": policy}]);
        pod["status"]["initContainerStatuses"] = json!([{"name": "proxy", "ready": false, "restartCount": 2, "image": "",
            "imageID": "", "state": ended(0, "Completed")}]);
        put(&mut objects.pods, "app-1", pod);
        app(&objects, 20)
    };
    clear(
        with(json!("Always")),
        &CRASH_LOOP,
        &["container `proxy`", "has ended 3 times"],
    );
    in_progress(with(Value::Null), "is starting");
}

#[test]
fn restarts_of_long_ago_do_not_count() {
    // A node that was started again: the container had run for hours.
    let long = json!({"terminated": {"exitCode": 255, "reason": "Unknown",
        "startedAt": at(-7200).to_string(), "finishedAt": at(-10).to_string()}});
    let back = with_container(json!({"state": long, "restartCount": 7}), 1);
    blocked(back, &CRASH_LOOP, &["has ended once", "exit code 255"]);
    let short = json!({"terminated": {"exitCode": 1, "reason": "Error",
        "startedAt": at(1).to_string(), "finishedAt": at(2).to_string()}});
    let again = with_container(json!({"state": short, "restartCount": 7}), 3);
    clear(again, &CRASH_LOOP, &["has ended 8 times"]);
}
