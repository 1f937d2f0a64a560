//! `inspect` of what is in a registry: images of ours, of Docker, of other tools, and what is no image.

use std::process::Command;

use e2e::registry::proxy::{Fault, Proxy};
use e2e::registry::{Image, PASSWORD, Registry};
use e2e::{CommandOutput, deploy_tool_command};
use serde_json::{Value, json};

use crate::Push;
use crate::signatures::{Keys, text};

/// A module that imports one function of WasmEdge's sockets, exports `_start` and a memory, and carries native code.
const MODULE: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\
    \x02\x2b\x01\x16wasi_snapshot_preview1\x10sock_getaddrinfo\0\0\x05\x03\x01\0\x01\
    \x07\x13\x02\x06_start\0\0\x06memory\x02\0\0\x0c\x08wasmedge\x01\x01\x01";

fn report(arguments: &[&str]) -> Value {
    let output = deploy_tool_command(&[&["inspect", "--output", "json"], arguments].concat());
    let output = CommandOutput::from({ output }.output().unwrap()).success();
    serde_json::from_str(&output.stdout).unwrap()
}

fn codes(report: &Value) -> Vec<&str> {
    let warnings = report["warnings"].as_array().unwrap().iter();
    warnings.map(|warning| warning["code"].as_str().unwrap()).collect()
}

fn run(program: &str, arguments: &[&str]) -> CommandOutput {
    CommandOutput::from(Command::new(program).args(arguments).output().unwrap()).success()
}

/// What Docker builds of the module, pushed by Docker.
fn pushed_by_docker(registry: &Registry) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("app.wasm"), MODULE).unwrap();
    let recipe = "FROM scratch\nCOPY app.wasm /app.wasm\nENTRYPOINT [\"/app.wasm\"]\n";
    std::fs::write(folder.path().join("Dockerfile"), recipe).unwrap();
    let name = format!("{}/docker/orders:1", registry.address);
    run("docker", &["build", "--quiet", "--tag", &name, text(folder.path())]);
    run("docker", &["push", "--quiet", &name]);
    run("docker", &["rmi", &name]);
    name
}

#[test]
#[ignore = "needs Docker, see main.rs"]
fn an_image_is_told_with_what_is_attached_to_it() {
    let (registry, keys, image) = (Registry::start(), Keys::new(), Image::new(9, &[1000, 2000]));
    let pushed = Push::with_login(&image, &registry, "shop/orders:v1", PASSWORD).run();
    let reference = pushed.success().stdout.trim().to_owned();
    let inspect = |name: &str| Push::verb(&registry, &["inspect", name, "--output", "json"]);
    let report = |name: &str| serde_json::from_str::<Value>(&inspect(name).success().stdout).unwrap();

    let by_tag = report(&format!("{}/shop/orders:v1", registry.address));
    assert_eq!(by_tag["digest"], json!(image.digest));
    assert_eq!(by_tag["platforms"][0]["platform"], "linux/amd64");
    assert_eq!(by_tag["platforms"][0]["layers"].as_array().unwrap().len(), 2);
    assert_eq!(by_tag["platforms"][0]["notSeen"], Value::Null);
    let attached = json!({"kind": "text/plain", "role": "something else", "digest": image.referrer});
    assert_eq!(by_tag["attached"], json!([attached]));

    Push::verb(&registry, &["sign", &reference, "--key", text(&keys.private())]).success();
    let signed = report(&reference);
    assert_eq!(signed["attached"][1]["role"], "signature, as cosign makes them");

    let missing = format!("{}/shop/orders:v2", registry.address);
    inspect(&missing).failure(1, &["is not in its registry"]);
    let nobody = Push::with_arguments(&["inspect", &reference]).trusting(&registry).run();
    nobody.failure(2, &["error DT0701:", "cannot read from"]);
    // By its own name it is what it signs that is an image, not the signature.
    let digest = reference.split_once('@').unwrap().1.replace(':', "-");
    let signature = format!("{}/shop/orders:{digest}.sig", registry.address);
    inspect(&signature).failure(1, &["error DT0601:", "it is the signatures of an image"]);
}

#[test]
#[ignore = "needs Docker, see main.rs"]
fn what_other_tools_push_is_understood() {
    let registry = Registry::start_plain(&[]);
    let docker = pushed_by_docker(&registry);
    let of_docker = report(&[&docker]);
    assert_eq!(codes(&of_docker), ["DT0602", "DT0610", "DT0604"]);
    assert_eq!(of_docker["modules"][0]["nativeCode"]["format"], 1);
    assert_eq!(of_docker["modules"][0]["imports"][0]["offeredBy"], "WasmEdge sockets");

    let zstd = r#"cd /tmp && touch layer && echo '{"architecture":"amd64","os":"linux","config":{"Cmd":["app.wasm"]}}' >config.json &&
        oras push --plain-http --config config.json:application/vnd.oci.image.config.v1+json \
        localhost:5000/other/orders:1 layer:application/vnd.oci.image.layer.v1.tar+zstd"#;
    registry.exec(&["sh", "-c", zstd]).success();
    let of_zstd = report(&[&format!("{}/other/orders:1", registry.address)]);
    assert_eq!(codes(&of_zstd), ["DT0611"]);
    let why = of_zstd["platforms"][0]["notSeen"].as_str().unwrap();
    assert!(
        why.contains("only gzip is unpacked here") && why.contains("tar+zstd"),
        "{why}"
    );

    let chart = "touch /tmp/chart && cd /tmp && oras push --plain-http --config chart:application/vnd.cncf.helm.config.v1+json \
        localhost:5000/charts/orders:1 chart:application/vnd.cncf.helm.chart.content.v1.tar+gzip";
    registry.exec(&["sh", "-c", chart]).success();
    let chart = Push::with_arguments(&["inspect", &format!("{}/charts/orders:1", registry.address)]).run();
    chart.failure(1, &["error DT0601:", "it is a Helm chart"]);
}

#[test]
#[ignore = "needs Docker, see main.rs"]
fn what_a_registry_or_the_way_to_it_damages_is_not_believed() {
    let registry = Registry::start_plain(&[]);
    let proxy = Proxy::start(&registry.address);
    let image = Image::new(10, &[300_000]);
    let name = format!("{}/shop:1", proxy.address);
    Push::new(&image, &name).run().success();
    let inspect = || Push::with_arguments(&["inspect", &format!("{}/shop@{}", proxy.address, image.digest)]).run();
    // What is cut is asked for again.
    proxy.fail("GET", "/blobs/", Fault::CutAnswer, 3);
    inspect().success();
    assert_eq!(proxy.faults_left(), 0);
    for (path, body) in [
        ("/manifests/", r#"{"schemaVersion":2,"manifests":[]}"#),
        ("/blobs/", "{}"),
    ] {
        proxy.fail("GET", path, Fault::Answer(200, &[], body), 1);
        inspect().failure(2, &["error DT0712:", "it gives sha256:"]);
    }
    proxy.fail(
        "GET",
        "/manifests/",
        Fault::Answer(200, &[("content-type", "text/html")], "<html>"),
        1,
    );
    let page = Push::with_arguments(&["inspect", &name]).run();
    page.failure(1, &["error DT0601:", "the media type `text/html`"]);
}

/// What a registry holds back costs neither memory nor the whole layer.
#[test]
#[ignore = "needs Docker, see main.rs"]
fn a_large_image_takes_little_memory() {
    let registry = Registry::start_plain(&[]);
    let image = Image::new(11, &[150_000_000]);
    let name = format!("{}/large:1", registry.address);
    Push::new(&image, &name).run().success();
    let mut child = deploy_tool_command(&["inspect", &name]).spawn().unwrap();
    let used = wait4::Wait4::wait4(&mut child).unwrap();
    assert!(used.status.success());
    let kilobytes = used.rusage.maxrss / 1024;
    println!("150 MB inspected with {kilobytes} kB of memory");
    assert!(kilobytes < 64 << 10, "{kilobytes} kB");
}
