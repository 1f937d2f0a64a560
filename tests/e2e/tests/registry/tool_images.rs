//! The images that the tool works with, from a registry, by exactly its version: a host that has none pulls them once.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use e2e::registry::Registry;
use e2e::{Said, deploy_tool_command, unique};

const BUILDER: &str = "localhost/wasm-builder:trixie";

fn docker(arguments: &[&str]) -> Said {
    Said::from(Command::new("docker").args(arguments).output().unwrap())
}

/// Names that go with their value.
struct Names(Vec<String>);

impl Drop for Names {
    fn drop(&mut self) {
        for name in &self.0 {
            docker(&["rmi", name]);
        }
    }
}

/// A docker in front of the real one for which this host has no builder: the builder's name is another one there.
fn without_builder(folder: &Path, absent_builder: &str) {
    let real = Said::from(Command::new("sh").args(["-c", "command -v docker"]).output().unwrap()).success();
    let script = format!(
        "#!/bin/bash\nexec {} \"${{@/{}/{absent_builder}}}\"\n",
        real.stdout.trim(),
        BUILDER.replace('/', "\\/")
    );
    let path = folder.join("docker");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// An image with nothing but a label, in a registry.
fn push_builder(reference: &str) {
    let mut archive = Command::new("tar")
        .args(["cf", "-", "-T", "/dev/null"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut import = Command::new("docker");
    import.args([
        "import",
        "--change",
        "LABEL deploy-tool.wasmedge=0.14.1",
        "-",
        reference,
    ]);
    let bytes = archive.stdout.take().unwrap();
    Said::from(import.stdin(bytes).output().unwrap()).success();
    assert!(archive.wait().unwrap().success());
    docker(&["push", "--quiet", reference]).success();
    docker(&["rmi", reference]).success();
}

#[test]
#[ignore = "needs Docker, see main.rs"]
fn the_builder_is_pulled_once_by_the_version_of_the_tool() {
    let registry = Registry::start_plain(&[]);
    let version = deploy_tool_command(&["version", "--output", "json"]).output().unwrap();
    let version: serde_json::Value = serde_json::from_slice(&version.stdout).unwrap();
    let prefix = format!("{}/tools", registry.address);
    let reference = format!("{prefix}/wasm-builder:{}-trixie", version["version"].as_str().unwrap());
    push_builder(&reference);

    let home = tempfile::tempdir().unwrap();
    let absent_builder = format!("localhost/{}:trixie", unique("builder"));
    let _names = Names(vec![absent_builder.clone(), reference.clone()]);
    without_builder(home.path(), &absent_builder);
    fs::create_dir(home.path().join("src")).unwrap();
    fs::write(home.path().join("src/main.rs"), "fn main() {}\n").unwrap();
    let manifest = "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
    fs::write(home.path().join("Cargo.toml"), manifest).unwrap();
    // What comes after the builder fails at once: there is no such package.
    let build = |images: Option<&str>| {
        let mut command = deploy_tool_command(&["build", "absent"]);
        let path = format!("{}:{}", home.path().display(), std::env::var("PATH").unwrap());
        command
            .env("PATH", path)
            .current_dir(home.path())
            .env_remove("DEPLOY_TOOL_IMAGES");
        command.envs(images.map(|images| ("DEPLOY_TOOL_IMAGES", images)));
        Said::from(command.output().unwrap())
    };
    build(None).failure(3, &["is not on this host", "DEPLOY_TOOL_IMAGES=", "make images"]);
    build(Some("https://x.io")).failure(1, &["without a scheme"]);
    let absent = format!("{}/elsewhere", registry.address);
    build(Some(&absent)).failure(3, &["cannot be pulled", "/elsewhere/wasm-builder:"]);

    let pulled = format!("image {BUILDER}: pulled as {reference}");
    build(Some(&prefix)).failure(1, &[&pulled, "no package `absent`"]);
    let again = build(Some(&prefix)).failure(1, &["no package `absent`"]);
    assert!(!again.stderr.contains("pulled as"), "{}", again.stderr);
    // Elsewhere there is another one, under another name.
    build(Some(&absent)).failure(3, &["cannot be pulled"]);
}
