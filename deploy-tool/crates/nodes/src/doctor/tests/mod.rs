mod probe;

use k8s_openapi::api::core::v1::{Event, Node, Pod};
use k8s_openapi::api::node::v1::RuntimeClass;
use serde_json::{Value, json};

use super::*;
use oci_artifacts::wasm::native_code::NativeCode;

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn class() -> RuntimeClass {
    read(json!({"metadata": {"name": "crun-wasm"}, "handler": "crun",
        "scheduling": {"nodeSelector": {"runtime": "crun-wasm"}, "tolerations": [{"key": "wasm", "operator": "Exists"}]}}))
}

/// A node that is as it should be, with some fields that are otherwise.
fn node(name: &str, changes: &Value) -> Node {
    let mut node = json!({
        "metadata": {"name": name, "labels": {"runtime": "crun-wasm"}}, "spec": {},
        "status": {
            "conditions": [{"type": "Ready", "status": "True"}],
            "nodeInfo": {"architecture": "amd64", "containerRuntimeVersion": "containerd://2.3.7", "bootID": "",
                "kernelVersion": "", "kubeProxyVersion": "", "kubeletVersion": "", "machineID": "", "operatingSystem": "",
                "osImage": "", "systemUUID": ""},
            "runtimeHandlers": [{"name": ""}, {"name": "crun"}, {"name": "runc"}],
        },
    });
    for (pointer, value) in changes.as_object().unwrap() {
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        node.pointer_mut(parent).unwrap()[field] = value.clone();
    }
    read(node)
}

const SEEN: &str = r#"{"arguments":["look","kubernetes.default.svc:443"],"variable":"an environment variable","#;
const REACHED: &str = r#"{"connected":true,"error":null,"resolved":["10.96.0.1:443"]}"#;

fn answers(round: u64, network: &str) -> String {
    format!("{SEEN}\"roundNanoseconds\":{round},\"startMilliseconds\":40,\"memoryBytes\":2605056}}\n{network}\n")
}

/// A probe that went well.
fn healthy() -> Observed {
    let ended = |name: &str, code: i32| {
        json!({"name": name, "image": "i", "imageID": "", "ready": false, "restartCount": 0, "containerID": "containerd://1",
            "state": {"terminated": {"exitCode": code, "reason": "Completed"}}})
    };
    Observed {
        pod: read(
            json!({"status": {"phase": "Succeeded", "initContainerStatuses": [ended("stay", 137)],
            "containerStatuses": [ended("look", 0), ended("plain", 0), ended("end", 0)]}}),
        ),
        events: Vec::new(),
        logs: [("look", answers(8_411, REACHED)), ("plain", answers(336_986, REACHED))]
            .map(|(name, log)| (name.to_owned(), log))
            .into(),
        log_failure: None,
    }
}

/// A probe whose first container is not started.
fn waiting(reason: &str, message: &str) -> Observed {
    let status = json!([{"name": "stay", "image": "localhost/probe:1", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"waiting": {"reason": reason, "message": message}}}]);
    Observed {
        pod: read(json!({"status": {"phase": "Pending", "initContainerStatuses": status}})),
        ..Observed::default()
    }
}

fn writing(log: &str) -> Observed {
    Observed {
        logs: [("stay".to_owned(), log.to_owned())].into(),
        ..healthy()
    }
}

fn saying(change: impl FnOnce(&mut Observed)) -> Observed {
    let mut observed = healthy();
    change(&mut observed);
    observed
}

fn warned(message: &str) -> Observed {
    Observed {
        events: vec![read::<Event>(
            json!({"metadata": {}, "involvedObject": {}, "type": "Warning", "message": message}),
        )],
        ..waiting("PodInitializing", "")
    }
}

fn native() -> NativeImage {
    NativeImage {
        section: Some(NativeCode {
            format: 1,
            os: "linux".into(),
            architecture: "amd64".into(),
            is_shared_object: false,
        }),
        engine: "0.14.1".into(),
    }
}

fn examined(node: &Node, observed: &Observed) -> Vec<Link> {
    let (class, native) = (class(), native());
    let facts = Facts {
        node,
        class: &class,
        native: Some(&native),
    };
    let mut chain = Chain::for_node(name(node));
    for (name, check) in NODE_LINKS {
        chain.link(name, || check(&facts, observed));
    }
    chain.end(&[])
}

fn broken(links: &[Link]) -> Vec<(&str, &str)> {
    let broken = links.iter().filter(|link| link.state == LinkState::Broken);
    broken
        .map(|link| (link.link, link.code.as_deref().unwrap_or_default()))
        .collect()
}

#[test]
fn a_node_where_everything_works_has_no_broken_link() {
    let links = examined(&node("a", &json!({})), &healthy());
    assert!(links.iter().all(|link| link.state == LinkState::Healthy), "{links:#?}");
    let printed = links
        .iter()
        .map(|link| link.sentence.as_str())
        .collect::<Vec<_>>()
        .join("\n");
    for part in [
        "40.1 times as fast",
        "form 1",
        "began 40 ms",
        "2.6 MB",
        "7 becomes 0",
        "SIGTERM does nothing",
    ] {
        assert!(printed.contains(part), "`{part}` is missing in:\n{printed}");
    }
}

/// The words are those of containerd 2.3, crun 1.21 and runc 1.3, as they came.
#[test]
fn each_breakage_breaks_exactly_its_own_link() {
    let library = "failed to create containerd task: failed to create shim task: OCI runtime create failed: could not load \
        `libwasmedge.so.0`: `libwasmedge.so.0: cannot open shared object file: No such file or directory`";
    let pull = "Back-off pulling image \"localhost/nothing:2\": ErrImagePull: connection refused";
    let no_runtime = "Failed to create pod sandbox: rpc error: code = Unknown desc = unable to get OCI runtime for sandbox \
        \"e5\": no runtime for \"crun\" is configured";
    let no_bus = "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to start sandbox \"e5\": failed to create \
        containerd task: failed to create shim task: OCI runtime create failed: cannot open sd-bus: No such file or directory";
    let crun = r#"{"msg":"exec container process `/probe.wasm`: Exec format error","level":"error"}"#;
    let network = |line: &str| saying(|seen| _ = seen.logs.insert("look".into(), answers(8_000, line)));
    let unconnected = r#"{"connected":false,"error":"refused","resolved":["10.96.0.1:443"]}"#;
    let cases = [
        (warned(no_runtime), ("handler", "DT0805")),
        (writing("exec /probe.wasm: exec format error"), ("handler", "DT0805")),
        (warned("no room for its address"), ("pod", "DT0812")),
        (warned(no_bus), ("pod", "DT0813")),
        (
            waiting("CreateContainerError", "no space left on device"),
            ("pod", "DT0812"),
        ),
        (waiting("ImagePullBackOff", pull), ("image", "DT0806")),
        (waiting("ErrImageNeverPull", "not present"), ("image", "DT0806")),
        (writing(crun), ("annotation", "DT0807")),
        (waiting("RunContainerError", library), ("engine", "DT0808")),
        (
            saying(|seen| seen.log_failure = Some("Internal Server Error (500): dial tcp 10.0.0.1:10250".into())),
            ("pod", "DT0812"),
        ),
        (saying(|seen| seen.logs.clear()), ("guest", "DT0809")),
        (
            saying(|seen| _ = seen.logs.insert("look".into(), answers(1, REACHED).replace("svc", "x"))),
            ("guest", "DT0809"),
        ),
        (network(""), ("network", "DT0810")),
        (
            network(r#"{"connected":false,"error":"no name","resolved":[]}"#),
            ("network", "DT0810"),
        ),
        (network(unconnected), ("network", "DT0810")),
        (
            saying(|seen| _ = seen.logs.insert("look".into(), answers(300_000, REACHED))),
            ("AOT", "DT0811"),
        ),
    ];
    for (observed, expected) in cases {
        let links = examined(&node("a", &json!({})), &observed);
        assert_eq!(broken(&links), [expected], "{links:#?}");
        let place = links.iter().position(|link| link.state == LinkState::Broken).unwrap();
        assert!(links[place + 1..].iter().all(|link| link.state == LinkState::Skipped));
        assert_eq!(links.len(), NODE_LINKS.len());
    }
}

#[test]
fn what_the_kubelet_knows_and_what_the_image_has_is_taken_into_account() {
    let without = node(
        "a",
        &json!({"/status/runtimeHandlers": [{"name": ""}, {"name": "runc"}]}),
    );
    let links = examined(&without, &Observed::default());
    assert_eq!(broken(&links), [("handler", "DT0805")]);
    assert_eq!(links[0].because, ["it has: runc"]);
    let arm = node("a", &json!({"/status/nodeInfo/architecture": "arm64"}));
    let links = examined(&arm, &healthy());
    assert_eq!(
        (broken(&links).len(), links[7].state),
        (0, LinkState::Skipped),
        "{links:#?}"
    );
    let kept = saying(|seen| {
        let status = seen.pod.status.as_mut().unwrap();
        let ended =
            |statuses: &mut Option<Vec<k8s_openapi::api::core::v1::ContainerStatus>>, index: usize, code: i32| {
                let state = statuses.as_mut().unwrap()[index].state.as_mut().unwrap();
                state.terminated.as_mut().unwrap().exit_code = code;
            };
        ended(&mut status.container_statuses, 2, 7);
        ended(&mut status.init_container_statuses, 0, 143);
    });
    let links = examined(&node("a", &json!({})), &kept);
    assert!(
        links[8]
            .sentence
            .contains("is the container's (7); SIGTERM ends a guest"),
        "{links:#?}"
    );
}

#[test]
fn nodes_are_told_apart() {
    let class = class();
    let good = node("good", &json!({}));
    let tolerated = node(
        "tolerated",
        &json!({"/spec/taints": [{"key": "wasm", "effect": "NoSchedule"}]}),
    );
    let held = [
        ("not ready", json!({"/status/conditions": []})),
        ("cordoned", json!({"/spec/unschedulable": true})),
        (
            "the taint gpu",
            json!({"/spec/taints": [{"key": "gpu", "effect": "NoExecute"}]}),
        ),
    ];
    for (printed, changes) in held {
        let nodes = [good.clone(), node("held", &changes), tolerated.clone()];
        let (verdict, found) = candidates(&class, &nodes, &[]);
        assert_eq!(
            found.iter().map(|node| name(node)).collect::<Vec<_>>(),
            ["good", "tolerated"]
        );
        let Verdict::Healthy(sentence) = verdict else {
            panic!("{verdict:?}")
        };
        assert!(
            sentence.starts_with("2 of 3: good (amd64, containerd 2.3.7)") && sentence.contains(printed),
            "{sentence}"
        );
        let Verdict::Broken(failure) = candidates(&class, &nodes, &["held".into()]).0 else {
            panic!()
        };
        assert!(failure.to_string().contains(printed), "{failure}");
    }
    let unlabelled = node("able", &json!({"/metadata/labels": {}}));
    let Verdict::Broken(failure) = candidates(&class, &[unlabelled], &[]).0 else {
        panic!()
    };
    assert!(
        failure
            .to_string()
            .contains("`kubectl label node able runtime=crun-wasm`"),
        "{failure}"
    );
    let Verdict::Broken(failure) = candidates(&class, &[good], &["other".into()]).0 else {
        panic!()
    };
    assert!(failure.to_string().contains("the cluster has: good"), "{failure}");
}

#[test]
fn the_text_has_a_line_for_each_link_and_what_mends_the_broken_one() {
    let mut chain = Chain::default();
    chain.link("API server", || Verdict::Healthy("answers".into()));
    chain.link("RuntimeClass", || missing("x", &["y".into()]));
    let mut links = chain.end(&CLUSTER_LINKS);
    links.extend(examined(&node("n", &json!({})), &healthy()).into_iter().take(1));
    let report = Report::new("c", "default", "x", links);
    let text = text(&report).render(false);
    assert_eq!(
        text,
        "✓ API server    answers\n\
         ✗ RuntimeClass  DT0802: there is no RuntimeClass `x`\n                \
         because: the cluster has: y\n                \
         next: apply one (`apiVersion: node.k8s.io/v1`, `kind: RuntimeClass`, `metadata.name: x`, `handler: crun`), or name another \
         with --runtime-class\n\
         - nodes         not looked at, since `RuntimeClass` is broken\n\
         - namespace     not looked at, since `RuntimeClass` is broken\n\
         node n\n  \
         ✓ handler       containerd has a runtime for `crun`\n\n\
         1 broken; more: `deploy-tool explain DT0802`\n"
    );
    assert!(!report.healthy);
    let rules = Error::cluster("x").hint("apply these:\nkind: Role");
    let mut chain = Chain::default();
    chain.link("API server", || Verdict::Broken(rules));
    let report = Report::new("c", "default", "x", chain.end(&[]));
    let text = super::text(&report).render(false);
    assert!(
        text.contains("\n              next: apply these:\n                kind: Role\n"),
        "{text}"
    );
}
