//! The images that the tool works with: a host that has none pulls them once, from a registry, by exactly its version, or makes
//! them by what the program carries.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use e2e::registry::Registry;
use e2e::{CommandOutput, deploy_tool_command, unique};

const BUILDER: &str = "localhost/wasm-builder:trixie";

fn docker(arguments: &[&str]) -> CommandOutput {
    CommandOutput::from(Command::new("docker").args(arguments).output().unwrap())
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
    let real = CommandOutput::from(Command::new("sh").args(["-c", "command -v docker"]).output().unwrap()).success();
    // The last argument of a build is a dash where the Dockerfile comes by the standard input.
    let script = format!(
        r#"#!/bin/bash
other=("${{@/{pattern}/{absent_builder}}}")
if [ "$1" = build ] && [ "${{!#}}" = - ]; then
  sed 's,^FROM {BUILDER}$,FROM {absent_builder},' | {docker} "${{other[@]}}"
else
  exec {docker} "${{other[@]}}"
fi
"#,
        docker = real.stdout.trim(),
        pattern = BUILDER.replace('/', "\\/")
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
    CommandOutput::from(import.stdin(bytes).output().unwrap()).success();
    assert!(archive.wait().unwrap().success());
    docker(&["push", "--quiet", reference]).success();
    docker(&["rmi", reference]).success();
}

/// What comes after the builder fails at once: it does not compile.
fn make_crate(folder: &Path) {
    fs::create_dir(folder.join("src")).unwrap();
    fs::write(folder.join("src/main.rs"), "fn main() { absent }\n").unwrap();
    let lock = "version = 3\n\n[[package]]\nname = \"shop\"\nversion = \"0.1.0\"\n";
    fs::write(folder.join("Cargo.lock"), lock).unwrap();
    let manifest = "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
}

/// Where the docker in the folder is the first.
fn build_crate(folder: &Path, images: Option<&str>) -> CommandOutput {
    let mut command = deploy_tool_command(&["build", "shop"]);
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    command
        .env("PATH", path)
        .current_dir(folder)
        .env_remove("DEPLOY_TOOL_IMAGES");
    command.envs(images.map(|images| ("DEPLOY_TOOL_IMAGES", images)));
    CommandOutput::from(command.output().unwrap())
}

/// Its layers are those that this host's builder was made of, so this takes seconds where making the first takes minutes.
#[test]
#[ignore = "needs Docker, see main.rs"]
fn the_builder_is_made_by_what_the_program_carries() {
    let home = tempfile::tempdir().unwrap();
    let absent_builder = format!("localhost/{}:trixie", unique("builder"));
    let _names = Names(vec![absent_builder.clone()]);
    without_builder(home.path(), &absent_builder);
    make_crate(home.path());
    let made = build_crate(home.path(), None).failure(1, &["`shop` does not compile"]);
    for message in [
        "made on this host, once",
        &format!("image {BUILDER}: made on this host"),
    ] {
        assert!(made.stderr.contains(message), "{}", made.stderr);
    }
    // By the same recipe as in a checkout: neither of both would make the other's again.
    let label = "{{index .Config.Labels \"deploy-tool.recipe\"}} {{index .Config.Labels \"deploy-tool.wasmedge\"}}";
    let recipe = |image: &str| docker(&["image", "inspect", "--format", label, image]).success().stdout;
    assert_eq!(recipe(&absent_builder), recipe(BUILDER));
    let again = build_crate(home.path(), None).failure(1, &["`shop` does not compile"]);
    assert!(!again.stderr.contains("on this host"), "{}", again.stderr);
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
    make_crate(home.path());
    let build = |images: Option<&str>| build_crate(home.path(), images);
    build(Some("https://x.io")).failure(1, &["without a scheme"]);
    let absent = format!("{}/elsewhere", registry.address);
    build(Some(&absent)).failure(3, &["cannot be pulled", "/elsewhere/wasm-builder:"]);

    let pulled = format!("image {BUILDER}: pulled as {reference}");
    build(Some(&prefix)).failure(1, &[&pulled, "`shop` does not compile"]);
    let again = build(Some(&prefix)).failure(1, &["`shop` does not compile"]);
    assert!(!again.stderr.contains("pulled as"), "{}", again.stderr);
    // Elsewhere there is another one, under another name.
    build(Some(&absent)).failure(3, &["cannot be pulled"]);
}
