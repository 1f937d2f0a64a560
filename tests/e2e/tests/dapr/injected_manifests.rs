//! The manifests of the injected form and of its control plane, without a cluster: what they have in common with the other
//! form, what the injector is told, and what is pinned elsewhere as well.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;

use crate::harness::{pinned, repository};
use crate::manifests::{least_pre_stop, objects, of_kind};

/// A file of a form.
fn text(form: &str, file: &str) -> String {
    fs::read_to_string(repository().join("dapr").join(form).join(file)).unwrap()
}

/// Seconds of `5s`.
fn seconds(text: &str) -> i64 {
    text.strip_suffix('s').unwrap().parse().unwrap()
}

#[test]
fn what_is_behind_the_services_is_the_same_in_both_forms() {
    for file in ["mariadb.yaml", "nats.yaml"] {
        let standalone = text("standalone", file).replace("orders-dapr", "orders-dapr-injected");
        assert_eq!(standalone, text("injected", file), "{file}");
    }
    let nodes: Vec<Value> = ["standalone", "injected"]
        .iter()
        .flat_map(|form| {
            let objects = objects(form);
            let outside = of_kind(&objects, "Service").filter(|service| service["spec"]["type"] == "NodePort");
            let ports = outside.map(|service| service["spec"]["ports"][0]["nodePort"].clone());
            ports.collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(nodes, [30081, 30083, 30082, 30084]);
}

#[test]
fn the_injector_is_told_what_the_services_need() {
    let objects = objects("injected");
    let deployments: BTreeMap<&str, &Value> = of_kind(&objects, "Deployment")
        .map(|deployment| (deployment["metadata"]["name"].as_str().unwrap(), deployment))
        .collect();
    assert_eq!(
        deployments.keys().copied().collect::<Vec<_>>(),
        ["events", "orders", "page", "pricing"]
    );
    for (app, deployment) in deployments {
        let template = &deployment["spec"]["template"];
        let annotation = |name: &str| template["metadata"]["annotations"][name].as_str();
        let dapr = |name: &str| annotation(&format!("dapr.io/{name}"));
        assert_eq!(annotation("module.wasm.image/variant"), Some("compat-smart"), "{app}");
        assert_eq!((dapr("enabled"), dapr("app-id")), (Some("true"), Some(app)));
        // Nobody asks the page through its sidecar.
        assert_eq!(dapr("app-port"), (app != "page").then_some("8080"), "{app}");
        let sidecar = format!("docker.io/daprio/daprd:{}", pinned("dapr_version"));
        assert_eq!(dapr("sidecar-image"), Some(sidecar.as_str()), "{app}");
        let service = &template["spec"]["containers"][0];
        let pre_stop = service["lifecycle"]["preStop"]["sleep"]["seconds"].as_i64().unwrap();
        let goes_on = seconds(dapr("block-shutdown-duration").unwrap());
        let grace = template["spec"]["terminationGracePeriodSeconds"].as_i64().unwrap();
        let ends = dapr("graceful-shutdown-seconds").unwrap().parse::<i64>().unwrap();
        assert!(goes_on + ends < grace, "{app}");
        assert!(pre_stop > least_pre_stop(app), "{app}");
        // It asks others, and is asked, until its end.
        assert!(goes_on > pre_stop, "{app}: {goes_on} s and {pre_stop} s");
        assert!(dapr("sidecar-memory-limit").is_some(), "{app}");
        // Not by the injector alone: a pod that starts while it is away would announce nothing, and be ready.
        let port = service["env"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["name"] == "DAPR_HTTP_PORT");
        assert_eq!(port.map(|port| &port["value"]), Some(&Value::from("3500")), "{app}");
    }
}

/// In a cluster that has all of Dapr, a sidecar waits for each: operator, sentry, placement and scheduler. The ports are those
/// of the pods, behind the Services.
#[test]
fn sidecars_reach_all_of_a_control_plane() {
    let objects = objects("injected");
    let policy = of_kind(&objects, "NetworkPolicy")
        .find(|policy| policy["metadata"]["name"] == "control-plane")
        .unwrap();
    let ports = policy["spec"]["egress"][0]["ports"].as_array().unwrap();
    let ports: BTreeSet<u64> = ports.iter().map(|port| port["port"].as_u64().unwrap()).collect();
    assert_eq!(ports, BTreeSet::from([6500, 50001, 50005, 50006]));
}

/// The operator may read no Secret, so each reference names a store of the sidecar's own.
#[test]
fn the_components_are_those_of_the_other_form_and_take_no_secret_of_the_operator() {
    let objects = objects("injected");
    let components: Vec<&Value> = of_kind(&objects, "Component").collect();
    let registered = fs::read_to_string(repository().join("oci/dapr/components.go")).unwrap();
    let mut types = BTreeSet::new();
    for component in &components {
        let kind = component["spec"]["type"].as_str().unwrap();
        types.insert(kind);
        let name = kind.split_once('.').unwrap().1;
        assert!(
            registered.contains(&format!("\"{name}\")")),
            "oci/dapr/components.go registers no {name}"
        );
        assert!(component["scopes"].is_array(), "{kind}");
        let metadata = component["spec"]["metadata"].as_array();
        let has_secret = metadata
            .into_iter()
            .flatten()
            .any(|one| one["secretKeyRef"].is_object());
        let store = &component["auth"]["secretStore"];
        let is_own = components.iter().any(|other| other["metadata"]["name"] == *store);
        assert_eq!(has_secret, is_own, "{kind}");
    }
    let expected = [
        "pubsub.jetstream",
        "secretstores.local.env",
        "secretstores.local.file",
        "state.mysql",
    ];
    assert_eq!(types, BTreeSet::from(expected));
    let rules = of_kind(&crate::manifests::objects("control-plane"), "ClusterRole")
        .flat_map(|role| role["rules"].as_array().unwrap().clone())
        .collect::<Vec<_>>();
    assert!(
        rules
            .iter()
            .all(|rule| !rule["resources"].to_string().contains("secrets")),
        "{rules:?}"
    );

    // Files of the one form, objects of the other: the same settings but for names.
    let files = text("standalone", "components.yaml").replace("orders-dapr", "orders-dapr-injected");
    for name in ["statestore", "pubsub"] {
        let component = components.iter().find(|one| one["metadata"]["name"] == *name).unwrap();
        for setting in component["spec"]["metadata"].as_array().unwrap() {
            let name = setting["name"].as_str().unwrap();
            assert!(files.contains(&format!("- name: {name}\n")), "{name}");
            if let Some(value) = setting["value"].as_str() {
                assert!(
                    files.contains(&format!("value: {value}\n")) || files.contains(&format!("value: \"{value}\"\n")),
                    "{name}: {value}"
                );
            }
        }
    }
}

#[test]
fn the_control_plane_is_of_the_version_of_the_sidecars_and_covers_no_other_namespace() {
    let objects = objects("control-plane");
    let image = format!("docker.io/daprio/dapr:{}", pinned("dapr_version"));
    assert_eq!(pinned("hub_dapr"), image);
    let workloads = of_kind(&objects, "Deployment").chain(of_kind(&objects, "StatefulSet"));
    for workload in workloads {
        let container = &workload["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["image"], image, "{workload}");
    }
    let scheduler = of_kind(&objects, "StatefulSet").next().unwrap();
    assert_eq!(scheduler["spec"]["replicas"], 0);
    let webhook = &of_kind(&objects, "MutatingWebhookConfiguration").next().unwrap()["webhooks"][0];
    let label = &webhook["namespaceSelector"]["matchLabels"];
    let namespaces = crate::manifests::objects("injected");
    let namespace = of_kind(&namespaces, "Namespace").next().unwrap();
    assert_eq!(
        namespace["metadata"]["labels"]["dapr-injection"],
        label["dapr-injection"]
    );
    for object in &objects {
        let place = &object["metadata"]["namespace"];
        assert!(place.is_null() || place == "dapr-system", "{object}");
    }
    for object in &namespaces {
        let place = match object["kind"].as_str().unwrap() {
            "Namespace" => &object["metadata"]["name"],
            _ => &object["metadata"]["namespace"],
        };
        assert_eq!(place, "orders-dapr-injected", "{object}");
    }
}
