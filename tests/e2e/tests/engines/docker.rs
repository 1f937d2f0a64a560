//! `oci/app/Dockerfile` gives what `deploy-tool build` gives.

use std::fs;
use std::path::Path;
use std::process::Command;

use e2e::{built, deploy_tool_command, repository, unique};
use serde_json::{Value, json};

use crate::{BUILDER, docker};

/// An image of a name of its own; gone at the end, also of a failed test.
struct Image(String);

impl Image {
    fn named(name: &str) -> Self {
        Self(format!("localhost/{}:test", unique(name)))
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rmi", "--force", &self.0]).output();
    }
}

/// The builder; where this host says which certificates it trusts, because a firewall shows others than the registry of
/// crates, with these.
fn builder(folder: &Path) -> Image {
    let text = match std::env::var("SSL_CERT_FILE") {
        Ok(certificates) => {
            fs::copy(certificates, folder.join("certificates.crt")).unwrap();
            format!("FROM {BUILDER}\nCOPY certificates.crt /\nENV CARGO_HTTP_CAINFO=/certificates.crt\n")
        }
        Err(_) => format!("FROM {BUILDER}\n"),
    };
    fs::write(folder.join("Dockerfile"), text).unwrap();
    // Without that variable a build trusts what the builder has: that it has something is seen here, on every host.
    let authorities = "/etc/ssl/certs/ca-certificates.crt";
    docker(&["run", "--rm", BUILDER, "test", "-s", authorities]);
    let image = Image::named("builder");
    docker(&["build", "--tag", &image.0, folder.to_str().unwrap()]);
    image
}

/// Of the smallest module; of the service with `make reproducible`, because this compiles it a second time.
#[test]
#[ignore = "needs Docker and compiles a module"]
fn docker_build_gives_the_module_that_deploy_tool_gives() {
    let folder = tempfile::tempdir().unwrap();
    let (base, image) = (builder(folder.path()), Image::named("by-docker"));
    let package = std::env::var("DOCKER_BUILD_PACKAGE").unwrap_or_else(|_| "probe".to_owned());
    let (builder, argument) = (format!("BUILDER={}", base.0), format!("PACKAGE={package}"));
    let file = ["--file", "oci/app/Dockerfile", "--tag", &image.0];
    docker(
        &[
            &["build", "--network=host", "--build-arg", &builder] as &[&str],
            &["--build-arg", &argument],
            &file,
            &["."],
        ]
        .concat(),
    );
    let container = docker(&["create", &image.0]).stdout;
    let files = folder.path().join("files");
    fs::create_dir(&files).unwrap();
    for path in ["/app.wasm", "/etc/services"] {
        docker(&["cp", &format!("{}:{path}", container.trim()), files.to_str().unwrap()]);
    }
    docker(&["rm", container.trim()]);
    let ours = fs::read(
        built(deploy_tool_command(&["build", &package, "--output", "json"]))["compiledModule"]
            .as_str()
            .unwrap(),
    )
    .unwrap();
    assert!(
        fs::read(files.join("app.wasm")).unwrap() == ours,
        "the module has other bytes"
    );
    let services = fs::read(repository().join("oci/services")).unwrap();
    assert_eq!(fs::read(files.join("services")).unwrap(), services);

    let configuration = docker(&["image", "inspect", "--format", "{{json .Config}}", &image.0]).stdout;
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
