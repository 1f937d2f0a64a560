//! The manifests of the demo, without a cluster: what Dapr and Wasm need of each other, and what is pinned elsewhere as well.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::harness::{pinned, repository};

/// All objects of a folder of manifests.
pub fn objects(folder: &str) -> Vec<Value> {
    let mut objects = Vec::new();
    for entry in fs::read_dir(repository().join("dapr").join(folder)).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        for document in text.split("\n---\n") {
            objects.push(serde_saphyr::from_str(document).unwrap());
        }
    }
    objects
}

/// Those of a kind.
pub fn of_kind<'a>(objects: &'a [Value], kind: &'a str) -> impl Iterator<Item = &'a Value> {
    objects.iter().filter(move |object| object["kind"] == kind)
}

/// Each Deployment, with its sidecar.
fn sidecars(objects: &[Value]) -> Vec<(&Value, &Value)> {
    let all = of_kind(objects, "Deployment").map(|deployment| {
        let first = deployment["spec"]["template"]["spec"]["initContainers"]
            .as_array()
            .unwrap();
        let sidecar = first.iter().find(|container| container["name"] == "daprd");
        (deployment, sidecar.unwrap())
    });
    all.collect()
}

fn argument<'a>(sidecar: &'a Value, name: &str) -> Option<&'a str> {
    let arguments = sidecar["args"].as_array().unwrap().iter();
    let prefix = format!("--{name}=");
    arguments
        .filter_map(Value::as_str)
        .find_map(|text| text.strip_prefix(&prefix))
}

/// How long sidecars remember the addresses of an app id: `resolverCacheTTL` in
/// <https://github.com/dapr/dapr/blob/v1.16.0/pkg/messaging/direct_messaging.go>.
const ADDRESS_CACHE_SECONDS: i64 = 20;

/// How long the page may hold a request: `TIMEOUT` in app/page/src/service.rs.
const PAGE_TIMEOUT_SECONDS: i64 = 14;

/// What a service's `preStop` has to be longer than. Nobody asks the page through its sidecar.
pub fn least_pre_stop(app: &str) -> i64 {
    match app {
        "page" => PAGE_TIMEOUT_SECONDS,
        _ => ADDRESS_CACHE_SECONDS,
    }
}

#[test]
fn the_timeout_of_the_page_is_known_here() {
    let source = fs::read_to_string(repository().join("app/page/src/service.rs")).unwrap();
    let line = format!("const TIMEOUT: Duration = Duration::from_secs({PAGE_TIMEOUT_SECONDS});");
    assert!(source.contains(&line));
}

#[test]
fn every_sidecar_is_native_and_listens_for_its_pod_alone() {
    let objects = objects("standalone");
    let sidecars = sidecars(&objects);
    assert_eq!(sidecars.len(), 4);
    for (deployment, sidecar) in sidecars {
        let app = deployment["metadata"]["name"].as_str().unwrap();
        let template = &deployment["spec"]["template"];
        assert_eq!(
            template["metadata"]["annotations"]["module.wasm.image/variant"], "compat-smart",
            "{app}"
        );
        assert_eq!(sidecar["restartPolicy"], "Always", "{app}");
        assert_eq!(
            sidecar["startupProbe"]["httpGet"]["path"], "/v1.0/healthz/outbound",
            "{app}"
        );
        assert_eq!(
            sidecar["image"],
            format!("docker.io/daprio/daprd:{}", pinned("dapr_version")),
            "{app}"
        );
        let argument = |name| argument(sidecar, name);
        assert_eq!(argument("app-id"), Some(app));
        assert_eq!(argument("dapr-listen-addresses"), Some("127.0.0.1"), "{app}");
        assert_eq!(argument("dapr-internal-grpc-port"), Some("50002"), "{app}");
        let service = &template["spec"]["containers"][0];
        let port = service["env"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["name"] == "DAPR_HTTP_PORT");
        assert_eq!(port.unwrap()["value"].as_str(), argument("dapr-http-port"), "{app}");
        let sleep = service["lifecycle"]["preStop"]["sleep"]["seconds"].as_i64().unwrap();
        let grace = template["spec"]["terminationGracePeriodSeconds"].as_i64().unwrap();
        let shutdown: i64 = argument("dapr-graceful-shutdown-seconds").unwrap().parse().unwrap();
        assert!(sleep + shutdown < grace, "{app}");
        assert!(sleep > least_pre_stop(app), "{app}");
        for container in [sidecar, service] {
            let context = &container["securityContext"];
            assert_eq!(context["readOnlyRootFilesystem"], true, "{app}");
            assert_eq!(context["capabilities"]["drop"][0], "ALL", "{app}");
            assert!(container["resources"]["limits"]["memory"].is_string(), "{app}");
        }
    }
}

#[test]
fn only_the_page_and_the_orders_can_be_reached_from_outside() {
    let objects = objects("standalone");
    let outside: Vec<_> = of_kind(&objects, "Service")
        .filter(|service| service["spec"]["type"] == "NodePort")
        .map(|service| service["metadata"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        outside.into_iter().collect::<BTreeSet<_>>(),
        BTreeSet::from(["orders", "page"])
    );
    // Whoever is invoked is found by a headless Service of this form.
    for app in ["events", "orders", "pricing"] {
        let name = format!("{app}-dapr");
        let service = of_kind(&objects, "Service")
            .find(|service| service["metadata"]["name"] == *name)
            .unwrap();
        assert_eq!(
            (&service["spec"]["clusterIP"], &service["spec"]["ports"][0]["port"]),
            (&Value::from("None"), &Value::from(50002))
        );
    }
}

/// Names of the ports of a pod's containers of this kind.
fn port_names<'a>(workload: &'a Value, kind: &str) -> impl Iterator<Item = &'a str> {
    let containers = workload["spec"]["template"]["spec"][kind].as_array();
    containers
        .into_iter()
        .flatten()
        .filter_map(|container| container["ports"].as_array())
        .flatten()
        .filter_map(|port| port["name"].as_str())
}

/// kindnet and older releases of Calico look names up among `containers` alone, and a name that they do not find lets
/// nobody through.
#[test]
fn no_policy_and_no_service_names_a_port_that_only_an_init_container_has() {
    for form in ["standalone", "injected"] {
        let objects = objects(form);
        let workloads = || of_kind(&objects, "Deployment").chain(of_kind(&objects, "StatefulSet"));
        let found: BTreeSet<&str> = workloads().flat_map(|one| port_names(one, "containers")).collect();
        let of_init: BTreeSet<&str> = workloads().flat_map(|one| port_names(one, "initContainers")).collect();
        assert_eq!(of_init.contains("dapr-internal"), form == "standalone", "{of_init:?}");
        let rules = of_kind(&objects, "NetworkPolicy").flat_map(|policy| {
            let rules = ["ingress", "egress"].map(|way| policy["spec"][way].as_array());
            rules.into_iter().flatten().flatten()
        });
        let allowed = rules
            .filter_map(|rule| rule["ports"].as_array())
            .flatten()
            .map(|port| &port["port"]);
        let served = of_kind(&objects, "Service")
            .filter_map(|service| service["spec"]["ports"].as_array())
            .flatten()
            .map(|port| &port["targetPort"]);
        for name in allowed.chain(served).filter_map(Value::as_str) {
            assert!(found.contains(name), "{form}: {name}");
        }
    }
}

/// Dapr's own files, inside of the ConfigMap.
#[test]
fn the_components_are_those_that_the_sidecars_image_has() {
    let objects = objects("standalone");
    let map = of_kind(&objects, "ConfigMap")
        .find(|map| map["metadata"]["name"] == "dapr")
        .unwrap();
    let files = map["data"].as_object().unwrap().values();
    let resources: Vec<Value> = files
        .map(|text| serde_saphyr::from_str(text.as_str().unwrap()).unwrap())
        .collect();
    let types: BTreeSet<&str> = of_kind(&resources, "Component")
        .map(|one| one["spec"]["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        types,
        BTreeSet::from(["pubsub.jetstream", "secretstores.local.env", "state.mysql"])
    );
    let registered = fs::read_to_string(repository().join("oci/dapr/components.go")).unwrap();
    for name in types
        .iter()
        .map(|name| name.split_once('.').unwrap().1)
        .chain(["kubernetes"])
    {
        assert!(
            registered.contains(&format!("\"{name}\")")),
            "oci/dapr/components.go registers no {name}"
        );
    }
    let pubsub = of_kind(&resources, "Component")
        .find(|one| one["spec"]["type"] == "pubsub.jetstream")
        .unwrap();
    let metadata = pubsub["spec"]["metadata"].as_array().unwrap();
    for (name, value) in [
        // Order per order: one event at a time.
        ("maxAckPending", "1"),
        // What a work queue asks of its one consumer.
        ("durableName", "events"),
        ("deliverPolicy", "all"),
        ("ackPolicy", "explicit"),
    ] {
        assert!(
            metadata.iter().any(|one| one["name"] == name && one["value"] == value),
            "{name}"
        );
    }
    let subscriptions: Vec<&Value> = of_kind(&resources, "Subscription").collect();
    assert_eq!(subscriptions.len(), 1);
    assert_eq!(subscriptions[0]["scopes"].as_array().unwrap(), &["events"]);
    let scoped = |kind: &str| {
        of_kind(&resources, kind).all(|one| one["scopes"].is_array() || one["metadata"]["name"] == "environment")
    };
    assert!(scoped("Component") && scoped("Subscription"));
}

/// Everything is in the demo's namespace, under the strictest level.
/// A sixth of all generated tokens begin with a digit. In the configuration of NATS, a variable with `1G1F…` is a broken number.
/// <https://docs.nats.io/running-a-nats-service/configuration#variables>
#[test]
fn the_token_of_the_broker_is_text_whatever_it_begins_with() {
    for form in ["standalone", "injected"] {
        let objects = objects(form);
        let of_nats = |kind| {
            of_kind(&objects, kind)
                .find(|object| object["metadata"]["name"] == "nats")
                .unwrap()
        };
        let configuration = of_nats("ConfigMap")["data"]["nats.conf"].as_str().unwrap();
        assert!(configuration.contains("token: $QUOTED_TOKEN}"), "{configuration}");
        let variables = &of_nats("StatefulSet")["spec"]["template"]["spec"]["containers"][0]["env"];
        assert_eq!(variables[0]["valueFrom"]["secretKeyRef"]["key"], "NATS_TOKEN");
        // Only variables before it are filled in.
        assert_eq!(variables[1]["name"], "QUOTED_TOKEN");
        assert_eq!(variables[1]["value"], "\"$(NATS_TOKEN)\"");
    }
}

/// A stream of limits keeps what was taken, until it is full of it and refuses new events.
/// <https://docs.nats.io/nats-concepts/jetstream/streams#retentionpolicy>
#[test]
fn the_broker_forgets_what_was_taken_and_nothing_else() {
    for form in ["standalone", "injected"] {
        let objects = objects(form);
        let map = of_kind(&objects, "ConfigMap")
            .find(|map| map["metadata"]["name"] == "nats")
            .unwrap();
        let stream: Value = serde_json::from_str(map["data"]["stream.json"].as_str().unwrap()).unwrap();
        assert_eq!(stream["retention"], "workqueue", "{form}");
        assert_eq!(stream["discard"], "new", "{form}");
        assert_eq!(stream["max_age"], Value::Null, "{form}: what nobody has taken stays");
    }
}

#[test]
fn nothing_is_in_the_namespace_of_the_other_demo() {
    let objects = objects("standalone");
    for object in &objects {
        let place = match object["kind"].as_str().unwrap() {
            "Namespace" => {
                assert_eq!(
                    object["metadata"]["labels"]["pod-security.kubernetes.io/enforce"],
                    "restricted"
                );
                &object["metadata"]["name"]
            }
            _ => &object["metadata"]["namespace"],
        };
        assert_eq!(place, "orders-dapr", "{object}");
    }
    let text = serde_json::to_string(&objects).unwrap();
    assert!(!text.contains(".orders.svc"));
}
