//! 0301 to 0303: what a registry on the nodes' network answers them: it has no such image, it wants another login, the
//! image is for another platform. And, with the right login, an image that is pulled by its digest.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e::registry::{Image, PASSWORD, Registry, USER};
use serde_json::{Value, json};

use super::{Provocation, deployment, fail_early};
use crate::harness::{cluster, deploy_tool_command};

/// The one node that trusts the registry.
fn node() -> String {
    format!("{}-worker2", cluster())
}

/// A Secret with a login.
fn login(name: &str, registry: &Registry, password: &str) -> Value {
    let auth = STANDARD.encode(format!("{USER}:{password}"));
    let text = json!({"auths": {registry.address.as_str(): {"auth": auth}}}).to_string();
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": STANDARD.encode(text)}})
}

/// A Deployment on that node, with a login or without, after the Secret that holds it.
fn objects(registry: &Registry, name: &'static str, image: &str, password: Option<&str>) -> Vec<Value> {
    let mut pod = json!({"spec": {"nodeSelector": {"kubernetes.io/hostname": node()}}});
    if password.is_some() {
        pod["spec"]["imagePullSecrets"] = json!([{"name": name}]);
    }
    let image = json!({"image": format!("{}/{image}", registry.address)});
    let secret = password.map(|password| login(name, registry, password));
    secret.into_iter().chain([deployment(name, image, pod)]).collect()
}

fn push(registry: &Registry, image: &Image, to: &str) {
    let to = format!("{}/{to}", registry.address);
    let output = deploy_tool_command(&["push", image.path(), "--to", &to, "--registry-ca"])
        .arg(registry.authority())
        .envs([("REGISTRY_USERNAME", USER), ("REGISTRY_PASSWORD", PASSWORD)])
        .output()
        .unwrap();
    crate::harness::CommandOutput::from(output).success();
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn what_a_registry_refuses() {
    let registry = Registry::start_beside_nodes();
    registry.trusted_by(&node());
    push(&registry, &Image::for_architecture("s390x", 20, &[40]), "other:1");
    let image = Image::new(21, &[40]);
    push(&registry, &image, "fitting:1");
    let provocation = |name, code, sentences, image: &str, password| Provocation {
        name,
        code,
        sentences,
        objects: objects(&registry, name, image, password),
        event: None,
    };
    let by_digest = format!("fitting@{}", image.digest);
    let provocations = vec![
        provocation(
            "missing",
            "DT0301",
            &["/fitting:2`", "push it"],
            "fitting:2",
            Some(PASSWORD),
        ),
        provocation("anonymous", "DT0302", &["imagePullSecrets"], &by_digest, None),
        provocation(
            "wrong",
            "DT0302",
            &["imagePullSecrets"],
            &by_digest,
            Some("of-last-year"),
        ),
        provocation("platform", "DT0303", &["/other:1`"], "other:1", Some(PASSWORD)),
        // It is pulled; that it has no program is what there is to say then.
        provocation(
            "pulled",
            "DT0314",
            &["correct what it names"],
            &by_digest,
            Some(PASSWORD),
        ),
    ];
    fail_early("failures-registry", &[], provocations);
}
