//! `doctor`: it finds nothing on nodes that are as they should be, and of each breakage exactly the broken link.
//!
//! Nodes are broken one at a time and for seconds; what runs on them goes on meanwhile.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use e2e::registry::{Image, PASSWORD, Registry, USER};
use serde_json::{Value, json};

use crate::harness::{
    CommandOutput, Namespace, Running, built, cluster, context, deploy_tool, deploy_tool_command, eventually, kubectl,
    kubectl_with_input, pods, unique,
};
use crate::release::assert_follows;

const LABEL: &str = "app.kubernetes.io/name=doctor-probe";

/// The node that is broken.
fn node() -> String {
    format!("{}-worker2", cluster())
}

/// Runs a script on that node.
fn on_node(script: &str) -> CommandOutput {
    let output = Command::new("docker")
        .args(["exec", &node(), "bash", "-ec", script])
        .output();
    CommandOutput::from(output.unwrap())
}

/// Something that is undone at the end, also of a test that fails.
struct Undone(Box<dyn Fn()>);

impl Drop for Undone {
    fn drop(&mut self) {
        self.0();
    }
}

/// Breaks the node until the value ends.
fn broken(breaking: &str, repair: &'static str) -> Undone {
    let undone = Undone(Box::new(move || {
        let output = on_node(repair);
        assert!(output.code == 0 || std::thread::panicking(), "{}", output.stderr);
    }));
    on_node(breaking).success();
    undone
}

/// A RuntimeClass for the nodes with a label, by its name, until the value ends.
struct RuntimeClass(String);

impl RuntimeClass {
    fn create(name: &str, handler: &str, label: &str) -> Self {
        let class = Self(unique(name));
        let object = json!({"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": class.0},
            "handler": handler, "scheduling": {"nodeSelector": {"runtime": label}}});
        kubectl_with_input(&["create", "--filename", "-"], &object.to_string()).success();
        class
    }
}

impl Drop for RuntimeClass {
    fn drop(&mut self) {
        kubectl(&["delete", "runtimeclass", &self.0, "--ignore-not-found", "--wait=false"]);
    }
}

/// The document of a run, after a check of its form and exit code.
fn examined(arguments: &[&str]) -> Value {
    let output = deploy_tool(&[&["doctor", "--output", "json"], arguments].concat());
    let document: Value =
        serde_json::from_str(&output.stdout).unwrap_or_else(|_| panic!("{}{}", output.stdout, output.stderr));
    assert_follows("doctor", &document);
    let healthy = document["healthy"].as_bool().unwrap();
    assert_eq!(output.code, if healthy { 0 } else { 2 }, "{document:#}");
    document
}

/// Examines the node: exactly this link is broken, those before it hold, and those behind it are skipped.
#[track_caller]
fn assert_breaks(link: &str, code: &str, arguments: &[&str]) -> Value {
    let document = examined(arguments);
    let mut states: Vec<(&str, &str)> = Vec::new();
    for examined_link in document["links"].as_array().unwrap() {
        let state = examined_link["state"].as_str().unwrap();
        if state == "broken" {
            assert_eq!(
                (&examined_link["link"], &examined_link["code"]),
                (&json!(link), &json!(code)),
                "{document:#}"
            );
            assert!(!examined_link["next"].as_array().unwrap().is_empty(), "{examined_link}");
        }
        states.push((examined_link["link"].as_str().unwrap(), state));
    }
    let place = states.iter().position(|(_, state)| *state == "broken");
    let place = place.unwrap_or_else(|| panic!("nothing is broken: {document:#}"));
    assert!(
        states[..place].iter().all(|(_, state)| *state == "healthy"),
        "{document:#}"
    );
    assert!(
        states[place + 1..].iter().all(|(_, state)| *state == "skipped"),
        "{document:#}"
    );
    document
}

fn no_probe_is_left(namespace: &str) {
    eventually("the probes' pods are gone", || {
        pods(namespace, LABEL).is_empty().then_some(())
    });
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn nodes_as_they_should_be_have_no_broken_link_and_keep_to_the_strictest_namespace() {
    let strictest = [("pod-security.kubernetes.io/enforce", "restricted")];
    let namespace = Namespace::create("doctor-restricted", &strictest);
    let document = examined(&["--namespace", &namespace.name]);
    let links = document["links"].as_array().unwrap();
    assert!(links.iter().all(|link| link["state"] == "healthy"), "{document:#}");
    for worker in ["worker", "worker2"] {
        let node = json!(format!("{}-{worker}", cluster()));
        let about = |link: &str| {
            links
                .iter()
                .find(|entry| entry["node"] == node && entry["link"] == link)
                .unwrap()
        };
        let effect = about("AOT")["sentence"].as_str().unwrap();
        println!("{node}: {effect}; {}", about("guest")["sentence"]);
        assert!(effect.contains("is in effect"), "{effect}");
        // The tuned engine; tests/e2e/tests/engines has both.
        let ending = about("ending")["sentence"].as_str().unwrap();
        assert!(
            ending.contains("is the container's (7)") && ending.contains("143"),
            "{ending}"
        );
    }
    no_probe_is_left(&namespace.name);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn what_the_clusters_objects_break() {
    assert_breaks("RuntimeClass", "DT0802", &["--runtime-class", &unique("doctor-none")]);
    let node = node();
    let no_handler = RuntimeClass::create("doctor-handler", "no-such", "crun-wasm");
    assert_breaks(
        "handler",
        "DT0805",
        &["--runtime-class", &no_handler.0, "--node", &node],
    );
    let native = RuntimeClass::create("doctor-native", "runc", "crun-wasm");
    assert_breaks("handler", "DT0805", &["--runtime-class", &native.0, "--node", &node]);
    let no_node = RuntimeClass::create("doctor-label", "crun", "doctor-nobody");
    assert_breaks("nodes", "DT0803", &["--runtime-class", &no_node.0]);
    let namespace = Namespace::create("doctor-full", &[]);
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "spec": {"hard": {"pods": "0"}},
        "metadata": {"name": "none", "namespace": namespace.name}});
    kubectl_with_input(&["create", "--filename", "-"], &quota.to_string()).success();
    assert_breaks("namespace", "DT0804", &["--namespace", &namespace.name]);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn what_breaks_on_a_node() {
    let repair = "cp /root/doctor.toml /etc/containerd/config.toml && systemctl restart containerd && timeout 60 bash -c \
        'until ctr version >/dev/null 2>&1; do sleep 0.2; done'";
    let breaking = format!(
        "cp /etc/containerd/config.toml /root/doctor.toml && sed -i 's|module.wasm.image/\\*|other/*|' {0} && ! cmp -s {0} \
         /root/doctor.toml && systemctl restart containerd && timeout 60 bash -c 'until ctr version >/dev/null 2>&1; do sleep 0.2; done'",
        "/etc/containerd/config.toml"
    );
    let annotation = broken(&breaking, repair);
    assert_breaks("annotation", "DT0807", &["--node", &node()]);
    drop(annotation);
    let library = broken(
        "mv /opt/wasm-engine/*/lib/libwasmedge.so.0 /root",
        "mv /root/libwasmedge.so.0 /opt/wasm-engine/*/lib/",
    );
    assert_breaks("engine", "DT0808", &["--node", &node()]);
    drop(library);
    // The API server's own port, behind its Service. What runs on the node itself goes another way.
    let network = broken(
        "iptables -I FORWARD -p tcp --dport 6443 -j REJECT --reject-with tcp-reset",
        "iptables -D FORWARD -p tcp --dport 6443 -j REJECT --reject-with tcp-reset",
    );
    assert_breaks("network", "DT0810", &["--node", &node()]);
    drop(network);
    // And it is repaired.
    assert_eq!(examined(&["--node", &node()])["healthy"], true);
    no_probe_is_left("default");
}

/// The probe as it is built: `plain`, or compiled ahead of time.
fn probe(arguments: &[&str]) -> Value {
    built(deploy_tool_command(
        &[&["build", "probe", "--output", "json"], arguments].concat(),
    ))
}

/// Makes an image of a module with Docker, and brings it to the node. It is for x86-64 unless something else is said.
fn loaded(name: &str, module: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let image = format!("localhost/doctor-{name}:1");
    let docker = |arguments: &[&str]| {
        let output = Command::new("docker").args(arguments).output().unwrap();
        CommandOutput::from(output).success()
    };
    fs::write(folder.path().join("probe.wasm"), module).unwrap();
    fs::write(folder.path().join("services"), "http 80/tcp\n").unwrap();
    fs::write(
        folder.path().join("Dockerfile"),
        "FROM scratch\nCOPY probe.wasm /probe.wasm\nCOPY services /etc/services\nUSER 65532\nENTRYPOINT [\"/probe.wasm\"]\n",
    )
    .unwrap();
    docker(&["build", "--quiet", "--tag", &image, folder.path().to_str().unwrap()]);
    let archive = folder.path().join("image.tar");
    docker(&["save", "--output", archive.to_str().unwrap(), &image]);
    docker(&["rmi", &image]);
    let output = Command::new("docker")
        .args([
            "exec",
            "--interactive",
            &node(),
            "ctr",
            "--namespace=k8s.io",
            "images",
            "import",
            "-",
        ])
        .stdin(File::open(&archive).unwrap())
        .output();
    CommandOutput::from(output.unwrap()).success();
    image
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn what_is_wrong_with_an_image() {
    let node = node();
    let (native, plain) = (probe(&[]), probe(&["--aot", "none"]));
    // Brings both to the nodes.
    assert_eq!(examined(&["--node", &node])["healthy"], true);
    let plain = plain["reference"].as_str().unwrap();
    let mut module = fs::read(Path::new(native["compiledModule"].as_str().unwrap())).unwrap();
    // The number of the section's form follows its name: that of an engine to come.
    let name = b"\x08wasmedge";
    let place = module.windows(name.len()).position(|part| part == name).unwrap() + name.len();
    assert_eq!(module[place], 1);
    module[place] = 9;
    let other = loaded("other-engine", &module);
    let _image = Undone(Box::new(|| {
        on_node("ctr --namespace=k8s.io images rm localhost/doctor-other-engine:1");
    }));
    let with = |image| ["--node", &node, "--image", image, "--plain-image", plain];
    assert_breaks("AOT", "DT0811", &with(&other));
    assert_breaks("image", "DT0806", &with("localhost/doctor-nowhere:1"));
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn an_image_for_another_platform() {
    let (node, registry) = (node(), Registry::start_beside_nodes());
    registry.trusted_by(&node);
    let image = format!("{}/probe:1", registry.address);
    let output = deploy_tool_command(&[
        "push",
        Image::for_architecture("s390x", 30, &[40]).path(),
        "--to",
        &image,
        "--registry-ca",
    ])
    .arg(registry.authority())
    .envs([("REGISTRY_USERNAME", USER), ("REGISTRY_PASSWORD", PASSWORD)])
    .output();
    CommandOutput::from(output.unwrap()).success();
    // The pods of the namespace have the login by their ServiceAccount.
    let namespace = Namespace::create("doctor-platform", &[]);
    let inside = ["--namespace", namespace.name.as_str()];
    let (server, user, password) = (registry.address.as_str(), USER, PASSWORD);
    let login = [
        format!("--docker-server={server}"),
        format!("--docker-username={user}"),
        format!("--docker-password={password}"),
    ];
    let login: Vec<&str> = login.iter().map(String::as_str).collect();
    kubectl(&[&inside[..], &["create", "secret", "docker-registry", "login"], &login].concat()).success();
    eventually("the namespace has its ServiceAccount", || {
        let patch = r#"{"imagePullSecrets": [{"name": "login"}]}"#;
        let output = kubectl(&[&inside[..], &["patch", "serviceaccount", "default", "--patch", patch]].concat());
        (output.code == 0).then_some(())
    });
    let arguments = ["--node", &node, "--image", &image, "--plain-image", &image];
    let document = assert_breaks("image", "DT0806", &[&inside[..], &arguments].concat());
    assert!(document.to_string().contains(&image), "{document:#}");
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_run_that_is_stopped_leaves_no_pod() {
    // What it would build first.
    probe(&[]);
    probe(&["--aot", "none"]);
    let (context, node, namespace) = (context(), node(), Namespace::create("doctor-stopped", &[]));
    let inside = ["--namespace", namespace.name.as_str()];
    let arguments = ["doctor", "--context", &context, "--node", &node];
    let run = Running::start(deploy_tool_command(&[&arguments[..], &inside].concat()));
    eventually("the probe's pod is there", || {
        (!pods(&namespace.name, LABEL).is_empty()).then_some(())
    });
    run.interrupt().failure(130, &["stopped by SIGINT"]);
    no_probe_is_left(&namespace.name);
}
