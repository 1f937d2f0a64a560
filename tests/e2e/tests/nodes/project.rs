//! A project of `deploy-tool new` on a cluster that is not ours: nodes that `node install` has prepared, and a registry with TLS
//! and a password in between.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e::registry::{PASSWORD, Registry, USER};
use e2e::{CommandOutput, deploy_tool_command, eventually, unique};
use serde_json::json;

use crate::cluster::Cluster;

/// Lets a node trust the registry from its next start of containerd on, which reads the system's authorities once.
pub fn trust(cluster: &Cluster, node: &str, registry: &Registry) {
    let authority = fs::read_to_string(registry.authority()).unwrap();
    let script = format!("cat >/etc/ssl/certs/test-registry.pem <<'END'\n{authority}END");
    cluster.on(node, &script).success();
}

/// Deploys a new project through the registry, changes it, and removes it.
pub fn goes_through_a_registry(cluster: &Cluster, registry: &Registry) {
    let home = tempfile::tempdir().unwrap();
    let name = unique("shop");
    let folder = home.path().join(&name);
    let mut new = deploy_tool_command(&["new", &name, "--vcs", "none"]);
    CommandOutput::from(new.current_dir(home.path()).output().unwrap()).success();

    // As `docker login` leaves it.
    let prefix = format!("{}/team", registry.address);
    let auth = STANDARD.encode(format!("{USER}:{PASSWORD}"));
    let login = json!({"auths": {registry.address.as_str(): {"auth": auth}}}).to_string();
    let docker = home.path().join("docker");
    fs::create_dir(&docker).unwrap();
    fs::write(docker.join("config.json"), login).unwrap();
    // The nodes' login is there before anything is deployed.
    cluster.kubectl(&format!("create namespace {name}")).success();
    let secret = format!(
        "create secret docker-registry pull --namespace {name} --docker-server {} --docker-username {USER} --docker-password \
         {PASSWORD}",
        registry.address
    );
    cluster.kubectl(&secret).success();

    let run = |verb: &[&str]| {
        let mut command = deploy_tool_command(&[verb, &["--context", &cluster.context()]].concat());
        command.current_dir(&folder).env("DOCKER_CONFIG", &docker);
        CommandOutput::from(command.output().unwrap()).success()
    };
    let authority = registry.authority();
    let through = [
        "--registry",
        &prefix,
        "--registry-ca",
        path(&authority),
        "--pull-secret",
        "pull",
    ];
    let serves = |greeting: &str| {
        let service = format!("get --raw /api/v1/namespaces/{name}/services/{name}:http/proxy/");
        let expected = format!("{greeting} from {name}");
        eventually(&expected, || {
            (cluster.kubectl(&service).stdout.trim() == expected).then_some(())
        });
    };
    run(&[&["up"], &through[..]].concat());
    serves("Hello");
    let image = cluster.kubectl(&format!(
        "get deployment {name} --namespace {name} --output jsonpath='{{.spec.template.spec.containers[0].image}}'"
    ));
    assert!(
        image.stdout.starts_with(&format!("{prefix}/{name}@sha256:")),
        "{}",
        image.stdout
    );

    let source = folder.join("src/service.rs");
    let text = fs::read_to_string(&source).unwrap();
    fs::write(&source, text.replace("Hello from", "Greetings from")).unwrap();
    run(&[&["up", "--aot", "none"], &through[..]].concat());
    serves("Greetings");
    run(&["rollback"]);
    serves("Hello");
    run(&["down", "--delete-data"]);
    assert!(!cluster.has(&format!("deployment/{name} --namespace {name}")));
    cluster.delete(&format!("namespace/{name} --ignore-not-found"));
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
