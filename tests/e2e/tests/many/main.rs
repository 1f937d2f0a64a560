//! Thousands of pods on a thousand nodes, none of which is real: `make bench-cluster` makes them and runs this.
//! What the tool does must be right, fast, and small; the figures are in docs/scale.md.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod run;

use std::path::Path;
use std::time::Duration;

use e2e::proxy::Proxy;
use e2e::{kubectl, object};
use serde_json::{Value, json};

use run::{Figures, run};

/// The pods are spread over so many Deployments.
const DEPLOYMENTS: usize = 10;
/// `status` answers within this time on a machine that has nothing else to do.
const STATUS_LIMIT: Duration = Duration::from_secs(2);
/// No command needs more, in millions of bytes.
const MOST_MEMORY_MB: f64 = 100.0;
const NAMESPACE: &str = "many";

fn setting(name: &str) -> usize {
    let text = std::env::var(name).unwrap_or_else(|_| panic!("{name} is set by scripts/bench-cluster"));
    text.parse().unwrap()
}

#[test]
#[ignore = "needs a cluster with kwok: make bench-cluster"]
fn thousands_of_pods() {
    let each = setting("PODS") / DEPLOYMENTS;
    kubectl(&["delete", "namespace", NAMESPACE, "--ignore-not-found"]).success();
    kubectl(&["create", "namespace", NAMESPACE]).success();
    let folder = tempfile::tempdir().unwrap();
    (0..DEPLOYMENTS).for_each(|number| write(folder.path(), number, each));
    let proxy = Proxy::start(&e2e::context(), 1);
    let apply = ["apply", "-f", folder.path().to_str().unwrap(), "--timeout", "20m"];
    let mut figures = Vec::new();

    figures.push(run(&proxy, "first deploy", &apply));
    assert_eq!(ready(), each * DEPLOYMENTS);

    figures.push(run(&proxy, "nothing to do", &apply));
    assert_eq!(figures[1].writes, 0, "a second run writes");

    let status = run(&proxy, "status", &["status"]);
    assert!(status.output.contains("Deployment/app-0"), "{}", status.output);
    let limit = STATUS_LIMIT.as_secs_f64();
    assert!(
        status.seconds <= limit,
        "status took {:.1} s, {limit} are allowed",
        status.seconds
    );
    figures.push(status);
    let status = run(&proxy, "status as JSON", &["status", "--output", "json"]);
    let json: Value = serde_json::from_str(&status.output).unwrap();
    assert_eq!(json["pods"].as_array().unwrap().len(), each * DEPLOYMENTS);
    assert_eq!(json["ready"], true);
    figures.push(status);

    let more = format!("app-0={}", each + each / 2);
    figures.push(run(&proxy, "scale one by half", &["scale", &more, "--timeout", "20m"]));
    assert_eq!(ready(), each * DEPLOYMENTS + each / 2);

    eprintln!("\n{}", Figures::HEADER);
    figures.iter().for_each(|run| eprintln!("{run}"));
    kubectl(&["delete", "namespace", NAMESPACE, "--wait=false"]).success();
    for run in &figures {
        assert!(run.memory_mb <= MOST_MEMORY_MB, "too much memory: {run}");
    }
}

/// As the cluster counts them, past the tool.
fn ready() -> usize {
    let deployments = object(NAMESPACE, "deployments");
    let ready = deployments["items"].as_array().unwrap().iter();
    ready
        .filter_map(|deployment| deployment["status"]["readyReplicas"].as_u64())
        .sum::<u64>() as usize
}

fn write(folder: &Path, number: usize, replicas: usize) {
    let name = format!("app-{number}");
    let pod = json!({"nodeSelector": {"type": "kwok"}, "tolerations": [{"key": "kwok.x-k8s.io/node", "operator": "Exists"}],
        "containers": [{"name": "main", "image": "registry.k8s.io/pause:3.10"}]});
    let object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": pod}}});
    std::fs::write(folder.join(format!("{name}.yaml")), object.to_string()).unwrap();
}
