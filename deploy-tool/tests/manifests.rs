//! The manifests, the node's runtime entry and the image definitions of this repository have to fit each other.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use k8s_openapi::api::apps::v1::Deployment;
use serde_json::Value;

use deploy_tool::connection_budget::Connections;
use oci_artifacts::image::{Definition, VARIANT, VARIANT_ANNOTATION};
use releases::manifest::{Object, generated_keys, images, load, placeholders, sort_by_wave};
use rollout::DATABASE_ANNOTATION;

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn objects() -> Vec<Object> {
    sort_by_wave(load(&[repository().join("manifests")]).unwrap())
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

/// The Deployments of the services, which all run as Wasm and share one database.
fn services() -> [Object; 2] {
    ["app", "events"].map(|name| object("Deployment", name))
}

fn workloads() -> Vec<Object> {
    [&[object("StatefulSet", "mariadb")][..], &services()].concat()
}

fn variable(object: &Object, name: &str) -> Value {
    let variables = object.containers()[0]["env"].as_array().unwrap();
    let found = variables.iter().find(|variable| variable["name"] == name);
    found
        .unwrap_or_else(|| panic!("{} lacks {name}", object.title()))
        .clone()
}

#[test]
fn the_order_is_one_in_which_nothing_is_missing() {
    let kinds: Vec<String> = objects().iter().map(|object| object.kind().to_owned()).collect();
    assert_eq!(
        kinds,
        [
            "Namespace",
            "NetworkPolicy",
            "NetworkPolicy",
            "NetworkPolicy",
            "NetworkPolicy",
            "Secret",
            "Secret",
            "RuntimeClass",
            "Service",
            "StatefulSet",
            "Service",
            "Service",
            "Deployment",
            "Deployment",
            "PodDisruptionBudget",
            "PodDisruptionBudget",
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
    let kind: Value = yaml::parse_document(&kind).unwrap();
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
fn the_services_run_as_wasm() {
    for service in services() {
        let pod = at(&service, "/spec/template/spec");
        assert_eq!(pod["runtimeClassName"], "crun-wasm");
        assert_eq!(
            at(&service, "/spec/template/metadata/annotations")[VARIANT_ANNOTATION],
            VARIANT
        );
        let name = service.name().to_owned();
        let definition = repository().join("oci").join(&name).join("image.yaml");
        let definition = Definition::parse("app", &std::fs::read_to_string(definition).unwrap()).unwrap();
        assert_eq!(definition.package, name);
        assert_eq!(definition.workspace.as_deref(), Some("../../app"));
        assert_eq!(definition.files[0].path, "/etc/services");
        assert_eq!(placeholders(std::slice::from_ref(&service)), [name].into());
        assert_eq!(pod["securityContext"]["runAsUser"].to_string(), definition.user);
        // crun cannot exec into a Wasm container: only the API server's own kinds of probes and hooks work.
        let container = service.containers()[0];
        for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
            assert!(container[probe]["httpGet"].is_object(), "{probe}");
        }
        let sleep = container["lifecycle"]["preStop"]["sleep"]["seconds"].as_i64().unwrap();
        let grace = pod["terminationGracePeriodSeconds"].as_i64().unwrap();
        assert!(grace > sleep, "the kubelet would cut the preStop hook short");
        assert!(
            service.value.data.pointer("/spec/replicas").is_none(),
            "`scale` owns the count"
        );
    }
}

#[test]
fn services_and_budgets_select_their_pods() {
    for deployment in services() {
        let name = deployment.name();
        let labels = at(&deployment, "/spec/template/metadata/labels");
        assert_eq!(at(&deployment, "/spec/selector/matchLabels"), labels);
        assert_eq!(
            at(&object("PodDisruptionBudget", name), "/spec/selector/matchLabels"),
            labels
        );
        let service = object("Service", name);
        assert_eq!(at(&service, "/spec/selector"), labels);
        let port = at(&service, "/spec/ports/0/targetPort");
        assert_eq!(port, &deployment.containers()[0]["ports"][0]["name"]);
    }
    assert!(
        object("Service", "events").value.data.pointer("/spec/type").is_none(),
        "it is for the cluster alone"
    );
}

#[test]
fn the_orders_service_finds_the_receiver_of_its_events() {
    let service = object("Service", "events");
    let (name, namespace) = (service.name(), service.namespace().unwrap());
    assert_eq!(at(&service, "/spec/ports/0/port"), 80);
    assert_eq!(
        variable(&object("Deployment", "app"), "EVENTS_URL")["value"],
        format!("http://{name}.{namespace}.svc.cluster.local./events")
    );
    let [secret, theirs] = services().map(|service| variable(&service, "EVENTS_SECRET"));
    let reference = &secret["valueFrom"]["secretKeyRef"];
    for field in ["name", "key"] {
        assert_eq!(reference[field], theirs["valueFrom"]["secretKeyRef"][field]);
    }
    let shared = object("Secret", reference["name"].as_str().unwrap());
    assert_eq!(generated_keys(&shared), [reference["key"].as_str().unwrap()]);
}

/// Nobody but whom a policy names reaches the database and the events service.
#[test]
fn every_pod_has_a_policy_of_its_own() {
    assert_eq!(
        at(&object("NetworkPolicy", "default-deny"), "/spec/podSelector"),
        &serde_json::json!({})
    );
    for workload in workloads() {
        let policy = object("NetworkPolicy", workload.name());
        let labels = at(&workload, "/spec/template/metadata/labels");
        assert_eq!(at(&policy, "/spec/podSelector/matchLabels"), labels);
        assert_eq!(
            at(&policy, "/spec/policyTypes"),
            &serde_json::json!(["Ingress", "Egress"])
        );
        let port = &workload.containers()[0]["ports"][0]["name"];
        assert_eq!(at(&policy, "/spec/ingress/0/ports/0/port"), port);
    }
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
fn services_and_database_agree() {
    fn typed<T: serde::de::DeserializeOwned>(object: &Object) -> T {
        serde_json::from_value(serde_json::to_value(&object.value).unwrap()).unwrap()
    }
    let deployments: Vec<Deployment> = services().iter().map(typed).collect();
    for (service, (pool, most)) in services().iter().zip([(10, 20), (4, 20)]) {
        let database = service.annotation(DATABASE_ANNOTATION);
        let database = object("StatefulSet", database.expect("scale has to know the database"));
        let connections = Connections::from_objects(&typed(service), &deployments, &typed(&database), &[]);
        assert_eq!((connections.pool, connections.limit), (pool, 250));
        assert!(connections.most_replicas() >= most, "{}", service.title());
        // Without it the image lets root in from everywhere.
        assert_eq!(variable(&database, "MARIADB_ROOT_HOST")["value"], "localhost");
        for (ours, theirs) in [
            ("DATABASE_NAME", "MARIADB_DATABASE"),
            ("DATABASE_USER", "MARIADB_USER"),
            ("DATABASE_PASSWORD", "MARIADB_PASSWORD"),
        ] {
            let (ours, theirs) = (variable(service, ours), variable(&database, theirs));
            assert_eq!(
                (&ours["value"], &ours["valueFrom"]),
                (&theirs["value"], &theirs["valueFrom"])
            );
        }
        assert_eq!(
            variable(service, "DATABASE_HOST")["value"],
            "mariadb.orders.svc.cluster.local."
        );
    }
    let secret = object("Secret", "mariadb");
    assert_eq!(generated_keys(&secret), ["MARIADB_PASSWORD", "MARIADB_ROOT_PASSWORD"]);
    assert!(
        secret.value.data.get("data").is_none() && secret.value.data.get("stringData").is_none(),
        "no password in git"
    );
}
