//! `oci/app/Dockerfile` gives what `deploy-tool build` gives.

use std::fs;
use std::path::Path;
use std::process::Command;

use e2e::repository;
use serde_json::{Value, json};

use crate::{built, docker};

const IMAGE: &str = "localhost/orders-by-docker:test";
/// The builder with the certificates that this host trusts: behind some firewalls the registry of crates shows another.
const BUILDER: &str = "localhost/wasm-builder-with-certificates:test";

/// Gone at the end, also of a failed test.
struct Image(&'static str);

impl Drop for Image {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rmi", "--force", self.0]).output();
    }
}

fn builder_with_certificates(folder: &Path) -> Image {
    let certificates = std::env::var("SSL_CERT_FILE").unwrap_or("/etc/ssl/certs/ca-certificates.crt".to_owned());
    fs::copy(certificates, folder.join("certificates.crt")).unwrap();
    let text = "FROM localhost/wasm-builder:trixie\nCOPY certificates.crt /\nENV CARGO_HTTP_CAINFO=/certificates.crt\n";
    fs::write(folder.join("Dockerfile"), text).unwrap();
    docker(&["build", "--tag", BUILDER, folder.to_str().unwrap()]);
    Image(BUILDER)
}

#[test]
#[ignore = "needs Docker and compiles the service"]
fn docker_build_gives_the_module_that_deploy_tool_gives() {
    let folder = tempfile::tempdir().unwrap();
    let _builder = builder_with_certificates(folder.path());
    let builder = format!("BUILDER={BUILDER}");
    let file = ["--file", "oci/app/Dockerfile", "--tag", IMAGE];
    docker(
        &[
            &["build", "--network=host", "--build-arg", &builder] as &[&str],
            &file,
            &["."],
        ]
        .concat(),
    );
    let _image = Image(IMAGE);

    let container = docker(&["create", IMAGE]).stdout;
    let files = folder.path().join("files");
    fs::create_dir(&files).unwrap();
    for path in ["/app.wasm", "/etc/services"] {
        docker(&["cp", &format!("{}:{path}", container.trim()), files.to_str().unwrap()]);
    }
    docker(&["rm", container.trim()]);
    let ours = fs::read(built()["compiledModule"].as_str().unwrap()).unwrap();
    assert!(
        fs::read(files.join("app.wasm")).unwrap() == ours,
        "the module has other bytes"
    );
    let services = fs::read(repository().join("oci/services")).unwrap();
    assert_eq!(fs::read(files.join("services")).unwrap(), services);

    let configuration = docker(&["image", "inspect", "--format", "{{json .Config}}", IMAGE]).stdout;
    let configuration: Value = serde_json::from_str(&configuration).unwrap();
    let expected = [
        ("User", json!("65532")),
        ("Entrypoint", json!(["/app.wasm"])),
        ("StopSignal", json!("SIGKILL")),
    ];
    for (key, value) in expected {
        assert_eq!(configuration[key], value, "{key}");
    }
    assert_eq!(configuration["Labels"]["module.wasm.image/variant"], "compat-smart");
}
