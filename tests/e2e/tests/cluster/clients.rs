//! The clients of docs/roads/clients.md as pods: a Job each, against the demo's service, the API server and a MariaDB.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::Case;
use crate::harness::{CommandOutput, built, cluster, deploy_tool_command, script};

/// Compiles them, and says where they are.
fn modules() -> PathBuf {
    let output = CommandOutput::from(script("scripts/clients").output().unwrap()).success();
    PathBuf::from(output.stderr.lines().last().unwrap())
}

/// One image of them all, on every node.
fn image(modules: &Path, names: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("clients")).unwrap();
    let files: Vec<Value> = names
        .iter()
        .map(|name| json!({"path": format!("/{name}.wasm"), "source": modules.join(format!("{name}.wasm"))}))
        .collect();
    let definition = json!({"name": "localhost/clients", "module": "/main.wasm", "files": files});
    fs::write(folder.path().join("clients/image.yaml"), definition.to_string()).unwrap();
    let (images, archive) = (folder.path().to_str().unwrap(), folder.path().join("image.tar"));
    let main = modules.join(format!("{}.wasm", names[0]));
    let paths = [main.to_str().unwrap(), archive.to_str().unwrap()];
    let arguments = [
        "build",
        "clients",
        "--images",
        images,
        "--module",
        paths[0],
        "--archive",
        paths[1],
    ];
    let image = built(deploy_tool_command(&[&arguments[..], &["--output", "json"]].concat()));
    for node in ["worker", "worker2"] {
        let import = format!(
            "docker exec --interactive {}-{node} ctr --namespace=k8s.io images import - <{}",
            cluster(),
            paths[1]
        );
        CommandOutput::from(Command::new("sh").args(["-c", &import]).output().unwrap()).success();
    }
    image["reference"].as_str().unwrap().to_owned()
}

fn database() -> [Value; 2] {
    let variable = |name: &str, value: &str| json!({"name": name, "value": value});
    [
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "database"}, "spec": {
            "clusterIP": "None", "selector": {"app": "database"}, "ports": [{"port": 3306}]}}),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "database"}, "spec": {
        "selector": {"matchLabels": {"app": "database"}}, "template": {
            "metadata": {"labels": {"app": "database"}},
            "spec": {"terminationGracePeriodSeconds": 0, "containers": [{
                "name": "mariadb", "image": "docker.io/library/mariadb:11.8", "imagePullPolicy": "IfNotPresent",
                "env": [variable("MARIADB_ROOT_PASSWORD", "secret"), variable("MARIADB_DATABASE", "orders"),
                    variable("MARIADB_USER", "orders"), variable("MARIADB_PASSWORD", "secret")],
                "startupProbe": {"tcpSocket": {"port": 3306}, "periodSeconds": 1, "failureThreshold": 300},
            }]}}}}),
    ]
}

/// A Job of a client, with the authority of the API server's certificate.
fn job(image: &str, client: &str, argument: &str) -> Value {
    json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": client.replace('_', "-")}, "spec": {
        "backoffLimit": 3, "template": {
            "metadata": {"annotations": {"module.wasm.image/variant": "compat-smart"}},
            "spec": {"runtimeClassName": "crun-wasm", "restartPolicy": "Never", "containers": [{
                "name": "client", "image": image, "imagePullPolicy": "Never",
                "command": [format!("/{client}.wasm"), argument],
                "env": [{"name": "CA_FILE", "value": "/ca/ca.crt"}],
                "volumeMounts": [{"name": "ca", "mountPath": "/ca", "readOnly": true}]}],
                "volumes": [{"name": "ca", "configMap": {"name": "kube-root-ca.crt"}}]}}}})
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn every_client_runs_as_a_pod() {
    let http = "http://app.orders.svc.cluster.local/healthz";
    let mysql = |case: &Case| {
        format!(
            "mysql://orders:secret@database.{}.svc.cluster.local:3306/orders",
            case.namespace.name
        )
    };
    let case = Case::new("clients", &database());
    case.run(&["apply"]).success();
    let mysql = mysql(&case);
    let clients = [
        ("http_hyper", http, "200"),
        ("http_reqwest", http, "200"),
        ("http_req", http, "200"),
        (
            "https",
            "https://kubernetes.default.svc.cluster.local/version",
            "\"gitVersion\"",
        ),
        ("mysql", &mysql, "2 two\n3 three"),
        ("mysql_sync", &mysql, "2 two\n3 three"),
    ];
    let image = image(&modules(), &clients.map(|(name, ..)| name));
    let jobs = clients.map(|(name, argument, _)| job(&image, name, argument));
    case.write(&[&database()[..], &jobs].concat());
    case.run(&["apply"]).success();
    for (name, _, expected) in clients {
        // Of all pods that the Job has made: `logs job/NAME` may choose one that was repeated.
        let selector = format!("batch.kubernetes.io/job-name={}", name.replace('_', "-"));
        let output = case.kubectl(&["logs", "--selector", &selector, "--tail=-1"]).success();
        assert!(output.stdout.contains(expected), "{name}: {}", output.stdout);
    }
}
