//! The manifests, the node's runtime entry and the image definition of this repository have to fit each other.

use std::path::Path;

use serde_json::Value;

use super::{Object, generated_keys, images, in_order, load, placeholders};
use crate::connections::{Connections, DATABASE_ANNOTATION};
use crate::image::{Definition, VARIANT, VARIANT_ANNOTATION};

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn objects() -> Vec<Object> {
    in_order(load(&repository().join("manifests")).unwrap())
}

fn object(kind: &str, name: &str) -> Object {
    let found = objects()
        .into_iter()
        .find(|object| object.kind() == kind && object.name() == name);
    found.unwrap_or_else(|| panic!("{kind} `{name}` is missing"))
}

fn at<'a>(object: &'a Object, pointer: &str) -> &'a Value {
    object
        .value
        .data
        .pointer(pointer)
        .unwrap_or_else(|| panic!("{} has no {pointer}", object.title()))
}

fn workloads() -> Vec<Object> {
    vec![object("StatefulSet", "mariadb"), object("Deployment", "app")]
}

#[test]
fn the_order_is_one_in_which_nothing_is_missing() {
    let kinds: Vec<String> = objects().iter().map(|object| object.kind().to_owned()).collect();
    assert_eq!(
        kinds,
        [
            "Namespace",
            "RuntimeClass",
            "Secret",
            "Service",
            "Service",
            "PodDisruptionBudget",
            "StatefulSet",
            "Deployment"
        ]
    );
    for object in objects() {
        let expected = (!matches!(object.kind(), "Namespace" | "RuntimeClass")).then_some("orders");
        assert_eq!(object.namespace(), expected, "{}", object.title());
    }
}

#[test]
fn the_handler_is_a_runtime_of_the_node() {
    let class = object("RuntimeClass", "crun-wasm");
    let handler = at(&class, "/handler").as_str().unwrap();
    let entry = std::fs::read_to_string(repository().join("oci/node/crun-runtime.toml")).unwrap();
    assert!(entry.contains(&format!("containerd.runtimes.{handler}]")), "{entry}");
    assert!(
        entry.contains(r#"pod_annotations = ["module.wasm.image/*"]"#),
        "{entry}"
    );
    assert_eq!(at(&class, "/overhead/podFixed/memory"), "16Mi");
    let (key, value) = ("runtime", "crun-wasm");
    assert_eq!(at(&class, &format!("/scheduling/nodeSelector/{key}")), value);
    let kind = std::fs::read_to_string(repository().join("kind-config.yaml")).unwrap();
    let kind: Value = crate::yaml::one(&kind).unwrap();
    let workers = kind["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|node| node["role"] == "worker");
    assert!(workers.into_iter().all(|node| node["labels"][key] == value));
    let node_port = at(&object("Service", "app"), "/spec/ports/0/nodePort").clone();
    assert_eq!(kind["nodes"][0]["extraPortMappings"][0]["containerPort"], node_port);
}

#[test]
fn the_service_runs_as_wasm() {
    let app = object("Deployment", "app");
    assert_eq!(at(&app, "/spec/template/spec/runtimeClassName"), "crun-wasm");
    assert_eq!(
        at(&app, "/spec/template/metadata/annotations")[VARIANT_ANNOTATION],
        VARIANT
    );
    assert_eq!(placeholders(std::slice::from_ref(&app)), ["app".to_owned()].into());
    let definition = std::fs::read_to_string(repository().join("oci/app/image.yaml")).unwrap();
    let definition = Definition::parse(&definition).unwrap();
    assert_eq!(
        at(&app, "/spec/template/spec/securityContext/runAsUser").to_string(),
        definition.user
    );
    // crun cannot exec into a Wasm container: only the API server's own kinds of probes and hooks work.
    let container = app.containers().next().unwrap();
    for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
        assert!(container[probe]["httpGet"].is_object(), "{probe}");
    }
    assert!(container["lifecycle"]["preStop"]["sleep"].is_object());
    let sleep = container["lifecycle"]["preStop"]["sleep"]["seconds"].as_i64().unwrap();
    let grace = at(&app, "/spec/template/spec/terminationGracePeriodSeconds")
        .as_i64()
        .unwrap();
    assert!(grace > sleep, "the kubelet would cut the preStop hook short");
    assert!(
        app.value.data.pointer("/spec/replicas").is_none(),
        "`scale` owns the count"
    );
}

#[test]
fn every_container_is_hardened_and_bounded() {
    for object in workloads() {
        let pod = at(&object, "/spec/template/spec");
        assert_eq!(pod["automountServiceAccountToken"], false);
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
        assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
        for container in object.containers() {
            let security = &container["securityContext"];
            assert_eq!(security["allowPrivilegeEscalation"], false);
            assert_eq!(security["readOnlyRootFilesystem"], true);
            assert_eq!(security["capabilities"]["drop"][0], "ALL");
            let memory = container["resources"]["limits"]["memory"].as_str().unwrap();
            let mebibytes: u32 = memory.strip_suffix("Mi").unwrap().parse().unwrap();
            assert!(mebibytes >= 128, "{memory}");
            assert!(container["resources"]["requests"]["memory"].is_string());
        }
    }
    for image in images(&objects()) {
        assert!(image.contains(':') && !image.ends_with(":latest"), "{image}");
    }
    let namespace = object("Namespace", "orders");
    let labels = namespace.value.metadata.labels.unwrap();
    assert_eq!(labels["pod-security.kubernetes.io/enforce"], "restricted");
}

#[test]
fn service_and_database_agree() {
    let app = object("Deployment", "app");
    let database = object(
        "StatefulSet",
        app.annotation(DATABASE_ANNOTATION)
            .expect("scale has to know the database"),
    );
    let connections = {
        let typed = |object: &Object| serde_json::to_value(&object.value).unwrap();
        Connections::of(
            &serde_json::from_value(typed(&app)).unwrap(),
            &serde_json::from_value(typed(&database)).unwrap(),
        )
    };
    assert_eq!((connections.pool, connections.limit), (10, 250));
    assert!(connections.most_replicas() >= 20);
    let value = |object: &Object, name: &str| {
        let variables = object.containers().next().unwrap()["env"].as_array().unwrap();
        variables
            .iter()
            .find(|variable| variable["name"] == name)
            .unwrap_or_else(|| panic!("{name} is missing"))
            .clone()
    };
    for (ours, theirs) in [
        ("DATABASE_NAME", "MARIADB_DATABASE"),
        ("DATABASE_USER", "MARIADB_USER"),
        ("DATABASE_PASSWORD", "MARIADB_PASSWORD"),
    ] {
        let (ours, theirs) = (value(&app, ours), value(&database, theirs));
        assert_eq!(
            (&ours["value"], &ours["valueFrom"]),
            (&theirs["value"], &theirs["valueFrom"])
        );
    }
    assert_eq!(
        value(&app, "DATABASE_HOST")["value"],
        "mariadb.orders.svc.cluster.local"
    );
    let secret = object("Secret", "mariadb");
    assert_eq!(generated_keys(&secret), ["MARIADB_PASSWORD", "MARIADB_ROOT_PASSWORD"]);
    assert!(
        secret.value.data.get("data").is_none() && secret.value.data.get("stringData").is_none(),
        "no password in git"
    );
}
