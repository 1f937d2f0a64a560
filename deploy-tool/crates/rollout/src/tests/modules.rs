//! Modules that a node runs by another runtime, or by none.

use super::*;
use diagnostics::code::rollout::*;

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
    let exited = |code: i32, log: Option<&str>, annotated: bool| {
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
        objects
            .last_words
            .extend(log.map(|log| ("containerd://1".to_owned(), log.to_owned())));
        app(&objects, 1)
    };
    clear(
        exited(139, Some(""), false),
        &ANNOTATION_LOST,
        &["segmentation fault", "compat-smart"],
    );
    for (code, log, annotated) in [
        (139, Some(""), true),
        (139, Some("a last word"), false),
        (1, Some(""), false),
        // A log that could not be read proves nothing.
        (139, None, false),
    ] {
        blocked(exited(code, log, annotated), &CRASH_LOOP, &["has ended once"]);
    }
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
