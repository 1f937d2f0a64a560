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
        &["localhost/orders:sha256-1", "make images"],
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
        [Evidence::Logs {
            namespace: "n".into(),
            pod: "app-1".into(),
            container: "app".into()
        }]
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
fn a_module_run_as_a_native_program() {
    let message = "failed to create containerd task: exec container process `/app.wasm`: Exec format error";
    let start_error = |restarts| waiting("RunContainerError", message, restarts, json!({}));
    clear(with_container(start_error(0), 1), &ANNOTATION_LOST, &["native program"]);
    failed(
        with_container(start_error(1), 1),
        &ANNOTATION_LOST,
        &["native program", "module.wasm.image/variant: compat-smart"],
    );
    // Whether the pod has the annotation, its class, the program, and what is wrong.
    let cases = [
        (
            true,
            json!("crun-wasm"),
            "/app",
            &ENTRYPOINT_NOT_WASM,
            "does not end in .wasm",
        ),
        (
            true,
            json!("crun-wasm"),
            "/app.wasm",
            &HANDLER_WITHOUT_WASM,
            "get runtimeclass crun-wasm",
        ),
        (
            true,
            Value::Null,
            "/app.wasm",
            &HANDLER_WITHOUT_WASM,
            "no runtimeClassName",
        ),
        (
            false,
            Value::Null,
            "/app.wasm",
            &ANNOTATION_LOST,
            "and set `runtimeClassName",
        ),
        (false, Value::Null, "/bin/app", &IMAGE_FOR_ANOTHER_PLATFORM, "processor"),
    ];
    for (annotated, class, program, code, part) in cases {
        for words in [
            format!("{{\"msg\":\"exec container process `{program}`: Exec format error\",\"level\":\"error\"}}"),
            format!("exec {program}: exec format error"),
        ] {
            // crun and runc say so on the container's output only.
            let mut ended = ended(1, "Error");
            ended["terminated"]["containerID"] = json!("containerd://1");
            let mut objects = world();
            let mut pod = pod("app-1", "app-new", json!({"state": ended, "restartCount": 1}));
            pod["spec"]["runtimeClassName"] = class.clone();
            if annotated {
                pod["metadata"]["annotations"] = json!({"module.wasm.image/variant": "compat-smart"});
            }
            put(&mut objects.pods, "app-1", pod);
            blocked(app(&objects, 1), &CRASH_LOOP, &["has ended 2 times"]);
            objects.last_words.insert("containerd://1".into(), words);
            failed(app(&objects, 1), code, &[program, part]);
        }
    }
}

/// The kernel takes a shared object for a program without an entry, and jumps to address 0.
#[test]
fn a_shared_object_that_is_run_as_a_native_program_ends_without_a_word() {
    let exited = |code: i32, words: &str, annotated: bool| {
        let mut ended = ended(1, "Error");
        ended["terminated"]["containerID"] = json!("containerd://1");
        ended["terminated"]["exitCode"] = json!(code);
        let mut objects = world();
        let mut pod = pod("app-1", "app-new", json!({"state": ended}));
        pod["spec"]["runtimeClassName"] = json!("crun-wasm");
        if annotated {
            pod["metadata"]["annotations"] = json!({"module.wasm.image/variant": "compat-smart"});
        }
        put(&mut objects.pods, "app-1", pod);
        objects.last_words.insert("containerd://1".into(), words.into());
        app(&objects, 1)
    };
    clear(
        exited(139, NOTHING_LOGGED, false),
        &ANNOTATION_LOST,
        &["segmentation fault", "compat-smart"],
    );
    blocked(exited(139, NOTHING_LOGGED, true), &CRASH_LOOP, &["has ended once"]);
    blocked(exited(139, "a last word", false), &CRASH_LOOP, &["has ended once"]);
    blocked(exited(1, NOTHING_LOGGED, false), &CRASH_LOOP, &["has ended once"]);
}

#[test]
fn a_few_containers_that_ended_at_once_are_asked_for_their_last_words() {
    let mut objects = Objects::default();
    let ended = |code: i32, seconds: i64, number: usize| {
        json!({"terminated": {"exitCode": code, "containerID": format!("containerd://{number}"),
            "startedAt": at(0).to_string(), "finishedAt": at(seconds).to_string()}})
    };
    let mut put_one = |name: &str, container: Value| put(&mut objects.pods, name, pod(name, "app-new", container));
    put_one("well", json!({"state": ended(0, 0, 100)}));
    put_one("long", json!({"state": ended(1, 9, 101)}));
    for number in 0..9 {
        put_one(&format!("app-{number}"), json!({"state": ended(1, 0, number)}));
    }
    let ids = |objects: &Objects| -> Vec<String> { unread_logs(objects).into_iter().map(|(id, _)| id).collect() };
    let read = |objects: &mut Objects| {
        let ids = ids(objects);
        objects
            .last_words
            .extend(ids.iter().map(|id| (id.clone(), String::new())));
        ids.len()
    };
    assert_eq!(read(&mut objects), thresholds::LAST_WORDS);
    assert_eq!(read(&mut objects), 0);
    // The second end decides: of those, too, a handful.
    for number in 0..9 {
        let last = ended(1, 0, 10 + number);
        let container =
            json!({"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": last, "restartCount": 1});
        let name = format!("app-{number}");
        put(&mut objects.pods, &name, pod(&name, "app-new", container));
    }
    assert_eq!(read(&mut objects), thresholds::LAST_WORDS);
    assert_eq!(read(&mut objects), 0);
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

#[test]
fn running_but_not_ready() {
    let container = || json!({"state": {"running": {"startedAt": APPLIED}}, "started": true});
    in_progress(with_container(container(), 10), "is starting");
    in_progress(with_container(container(), 40), "runs, but is not ready");
    let problem = clear(
        with_container(container(), 41),
        &READINESS_PROBE,
        &["not ready", "its probes give it 41 s"],
    );
    let address = "8080/readyz".to_owned();
    assert_eq!(
        problem.evidence,
        [Evidence::Answer {
            namespace: "n".into(),
            pod: "app-1".into(),
            address
        }]
    );
}

#[test]
fn a_startup_probe_has_a_limit_of_its_own() {
    let mut objects = world();
    let running = json!({"state": {"running": {"startedAt": APPLIED}}, "started": false});
    let mut pod = pod("app-1", "app-new", running);
    pod["spec"]["containers"][0]["startupProbe"] = json!({"failureThreshold": 60});
    put(&mut objects.pods, "app-1", pod.clone());
    in_progress(app(&objects, 900), "not ready");
    // Until it is over, readiness is not asked for: its budget begins then at the latest.
    pod["status"]["containerStatuses"][0]["started"] = json!(true);
    put(&mut objects.pods, "app-1", pod);
    in_progress(app(&objects, 640), "not ready");
    clear(app(&objects, 642), &READINESS_PROBE, &["its probes give it 642 s"]);
}

#[test]
fn a_closed_readiness_gate_is_named() {
    let mut objects = world();
    let mut pod = pod(
        "app-1",
        "app-new",
        json!({"ready": true, "state": {"running": {"startedAt": APPLIED}}}),
    );
    pod["status"]["conditions"][1]["status"] = json!("False");
    pod["spec"]["readinessGates"] = json!([{"conditionType": "example.org/balanced"}]);
    put(&mut objects.pods, "app-1", pod);
    blocked(
        app(&objects, 60),
        &READINESS_GATE,
        &["gate example.org/balanced is closed"],
    );
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

#[test]
fn no_such_runtime() {
    let mut objects = world();
    put(
        &mut objects.pods,
        "app-1",
        pod("app-1", "app-new", waiting("ContainerCreating", "", 0, json!({}))),
    );
    in_progress(app(&objects, 1), "is being created");
    event(
        &mut objects,
        "app-1",
        "FailedCreatePodSandBox",
        "Failed to create pod sandbox: plugin not ready",
        1,
        1,
    );
    blocked(
        app(&objects, 1),
        &CONTAINER_NOT_CREATED,
        &["has no sandbox on node `worker` yet: ", "plugin not ready"],
    );
    let message = "Failed to create pod sandbox: rpc error: code = Unknown desc = unable to get OCI runtime for sandbox \"3c\": no runtime for \"nowhere\" is configured";
    event(&mut objects, "app-1", "FailedCreatePodSandBox", message, 2, 1);
    clear(
        app(&objects, 2),
        &RUNTIME_NOT_CONFIGURED,
        &["`nowhere`", "`worker`", "nodeSelector"],
    );
    let message = "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to start sandbox \"3c\": failed to create containerd task: failed to create shim task: OCI runtime create failed: cannot open sd-bus: No such file or directory";
    event(&mut objects, "app-1", "FailedCreatePodSandBox", message, 3, 1);
    clear(
        app(&objects, 3),
        &SYSTEMD_NOT_REACHED,
        &["`worker`", "no D-Bus daemon", "node install worker"],
    );
}

#[test]
fn each_probe_is_told_with_its_own_answer() {
    let container = story::crashed(3, 9, "20s");
    let probes = json!({"livenessProbe": {"httpGet": {"port": 9, "path": "/live"}, "periodSeconds": 1, "failureThreshold": 2},
        "readinessProbe": {"tcpSocket": {"port": 9}, "periodSeconds": 1}});
    let mut objects = story::app_with(container, probes);
    let mut tell =
        |reason: &str, message: &str, seconds: i64| event(&mut objects, "app-1", reason, message, seconds, 3);
    tell("Killing", "Container app failed liveness probe, will be restarted", 9);
    tell("Unhealthy", "Liveness probe failed: Get \"http://192.0.2.1:9/live\"", 9);
    // The readiness probe fails more often, and later.
    tell("Unhealthy", "Readiness probe failed: dial tcp 192.0.2.1:9", 10);
    let diagnosis = clear(app(&objects, 11), &LIVENESS_PROBE, &[":9/live"]);
    assert_eq!(
        diagnosis.lines,
        ["Liveness probe failed: Get \"http://192.0.2.1:9/live\""]
    );
}

#[test]
fn what_a_liveness_probe_ends_before_it_is_ready_is_told_by_that() {
    let mut container = story::runs_since(20);
    container["restartCount"] = json!(2);
    container["lastState"] = story::run(10, 19, 137);
    let probes = json!({"livenessProbe": {"httpGet": {"port": 9, "path": "/live"}, "periodSeconds": 1, "failureThreshold": 2},
        "readinessProbe": {"tcpSocket": {"port": 9}, "periodSeconds": 1}});
    let killed = |seconds: i64| {
        let mut objects = story::app_with(container.clone(), probes.clone());
        let message = "Container app failed liveness probe, will be restarted";
        event(&mut objects, "app-1", "Killing", message, seconds, 2);
        event(
            &mut objects,
            "app-1",
            "Unhealthy",
            "Readiness probe failed: dial tcp 192.0.2.1:9",
            28,
            3,
        );
        app(&objects, 29)
    };
    clear(killed(19), &LIVENESS_PROBE, &["was ended 2 times by the kubelet"]);
    // Another run of it, long ago.
    clear(killed(1), &READINESS_PROBE, &["192.0.2.1:9"]);
}
