//! Deployments that are killed in the middle of each wave: one of its objects is stored, another one is on its way.

use std::process::Stdio;

use serde_json::{Value, json};

use super::{IMAGE, Release, claim, deployed, kill_at};
use crate::harness::proxy::{CONTEXT, Proxy};
use crate::harness::{CommandOutput, Namespace, context, kubectl, kubectl_with_input, unique};

const ALWAYS: &str = "always";

/// The waves, and the resource of the object that is on its way when the deployment is killed.
const WAVES: [(&str, &str); 10] = [
    ("namespaces", "namespaces"),
    ("definitions", "customresourcedefinitions"),
    ("access", "serviceaccounts"),
    ("configuration", "configmaps"),
    ("storage", "persistentvolumeclaims"),
    ("databases", "statefulsets"),
    ("services", "services"),
    ("workloads", "deployments"),
    ("autoscaling", "poddisruptionbudgets"),
    ("admission", "validatingwebhookconfigurations"),
];

/// What is not in a namespace, by names that no other run has.
struct Names {
    namespace: String,
    /// A second namespace: the one that is on its way.
    held: Namespace,
    /// Of the definitions.
    group: String,
}

/// The name of the object that is on its way.
fn held_name(names: &Names, resource: &str, round: usize) -> String {
    match resource {
        "namespaces" => names.held.name.clone(),
        "customresourcedefinitions" => format!("held{round}.{}", names.group),
        "validatingwebhookconfigurations" => format!("held-{round}.{}", names.group),
        _ => format!("held-{round}"),
    }
}

fn definition(plural: &str, group: &str) -> Value {
    let schema = json!({"openAPIV3Schema": {"type": "object"}});
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {"group": group, "scope": "Namespaced", "names": {"plural": plural, "kind": plural},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}]}})
}

/// A webhook that is never asked.
fn webhooks(name: &str) -> Value {
    json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": name}, "webhooks": [{"name": name, "sideEffects": "None", "admissionReviewVersions": ["v1"],
            "failurePolicy": "Ignore", "clientConfig": {"url": "https://127.0.0.1:9/"}, "rules": []}]})
}

/// Pods that run at once, and end at once. `more` are fields by their JSON pointers.
fn workload(kind: &str, name: &str, more: &Value) -> Value {
    let labels = json!({"app": format!("{kind}-{name}")});
    let container = json!({"name": "main", "image": IMAGE, "command": ["sleep", "infinity"]});
    let mut object = json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels},
            "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]}}}});
    for (pointer, value) in more.as_object().unwrap() {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        object.pointer_mut(parent).unwrap()[key] = value.clone();
    }
    object
}

/// Two objects of each wave, with names of this round: those of the round before are dropped. What is always there shows
/// that it is the same release.
fn objects(names: &Names, round: usize) -> Vec<Value> {
    let (stored, held) = (format!("stored-{round}"), format!("held-{round}"));
    let plain = |version: &str, kind: &str, name: &str, more: Value| {
        let mut object = json!({"apiVersion": version, "kind": kind, "metadata": {"name": name}});
        object
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        object
    };
    let port = json!({"spec": {"ports": [{"port": 80}]}});
    let budget = json!({"spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "nobody"}}}});
    let names_database = json!({"/metadata/annotations": {"deploy-tool.dev/database": held}});
    let has_names = json!({"/spec/serviceName": format!("names-{round}")});
    let mut objects = vec![
        plain("v1", "Namespace", &names.namespace, json!({})),
        plain("v1", "Namespace", &names.held.name, json!({})),
        plain("v1", "ConfigMap", ALWAYS, json!({})),
        definition(&format!("stored{round}"), &names.group),
        definition(&format!("held{round}"), &names.group),
        workload("StatefulSet", &held, &has_names),
        plain("v1", "Service", &format!("names-{round}"), port.clone()),
        workload("Deployment", &stored, &names_database),
        workload("Deployment", &held, &json!({})),
    ];
    for name in [&stored, &held] {
        objects.extend([
            plain("v1", "ServiceAccount", name, json!({})),
            plain("v1", "ConfigMap", name, json!({"data": {"round": round.to_string()}})),
            claim(name),
            plain("v1", "Service", name, port.clone()),
            plain("policy/v1", "PodDisruptionBudget", name, budget.clone()),
            webhooks(&format!("{name}.{}", names.group)),
        ]);
    }
    objects
}

/// Whether an object goes when the next round has it no longer: some kinds are never pruned.
fn is_dropped(object: &Value) -> bool {
    let kinds = ["Namespace", "CustomResourceDefinition", "PersistentVolumeClaim"];
    !kinds.contains(&object["kind"].as_str().unwrap()) && object["metadata"]["name"] != ALWAYS
}

/// Kind and name of those that are there.
fn stored(names: &Names, objects: &[Value]) -> Vec<String> {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string();
    let arguments = ["get", "--filename=-", "--ignore-not-found", "--output=name"];
    let within = ["--namespace", names.namespace.as_str()];
    let output = kubectl_with_input(&[&within[..], &arguments].concat(), &list).success();
    output.stdout.lines().map(str::to_owned).collect()
}

/// Deletes the definitions, which a deployment that fails leaves.
struct Removed<'a>(&'a Names);

impl Drop for Removed<'_> {
    fn drop(&mut self) {
        let every = (0..WAVES.len()).flat_map(|round| [format!("stored{round}"), format!("held{round}")]);
        let every: Vec<String> = every.map(|plural| format!("{plural}.{}", self.0.group)).collect();
        let every: Vec<&str> = every.iter().map(String::as_str).collect();
        let delete = [
            "delete",
            "customresourcedefinitions",
            "--ignore-not-found",
            "--wait=false",
        ];
        kubectl(&[&delete[..], &every].concat());
    }
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn the_next_one_goes_on_from_the_middle_of_each_wave() {
    let release = Release::new("release-waves");
    let names = Names {
        namespace: release.namespace.name.clone(),
        held: Namespace::named("release-waves-held"),
        group: unique("waves") + ".example.com",
    };
    let _removed = Removed(&names);
    let proxy = Proxy::start(&context(), 0);
    let command = |verb: &[&str]| {
        let mut command = release.command_in(CONTEXT, &release.cache, verb);
        command.env("KUBECONFIG", proxy.kubeconfig());
        command
    };
    let run = |verb: &[&str]| {
        let output = CommandOutput::from(command(verb).output().unwrap());
        println!("{verb:?}: {}\n{}", output.code, output.stderr.trim_end());
        output.success();
    };
    for (round, (wave, resource)) in WAVES.into_iter().enumerate() {
        let (objects, held) = (objects(&names, round), held_name(&names, resource, round));
        release.write_objects(&objects);

        proxy.hold(Some(format!("/{resource}/{held}?")));
        let mut killed = command(&["apply", "--output", "json"]);
        let killed = killed.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        kill_at(killed, wave, |event| {
            event["type"] == "written" && event["wave"] == wave
        });
        proxy.hold(None);
        let found = stored(&names, &objects);
        let is_held = |name: &String| {
            let kind = name
                .strip_suffix(&format!("/{held}"))
                .and_then(|kind| kind.split('.').next());
            kind == Some(resource.trim_end_matches('s'))
        };
        assert!(!found.is_empty() && !found.iter().any(is_held), "{wave}: {found:?}");
        let newest = release.history().pop().map(|(state, _)| state);
        // The release's own namespace comes before its first revision.
        assert_eq!(newest.as_deref(), (wave != "namespaces").then_some("pending"), "{wave}");

        run(&["apply"]);
        let mut history = release.history();
        assert_eq!(history.pop(), Some(deployed("apply")), "{wave}");
        let interrupted = ("failed".to_owned(), "interrupted".to_owned());
        assert_eq!(history.pop(), newest.map(|_| interrupted), "{wave}");
        assert!(
            history.iter().all(|(state, _)| state != "pending"),
            "{wave}: {history:?}"
        );
        let found = stored(&names, &objects);
        assert_eq!(found.len(), objects.len(), "{wave}: {found:?}");
        if let Some(last) = round.checked_sub(1) {
            let dropped: Vec<Value> = self::objects(&names, last).into_iter().filter(is_dropped).collect();
            assert_eq!(
                stored(&names, &dropped),
                [""; 0],
                "{wave}: what is not in the inventory is not pruned"
            );
        }

        proxy.passed();
        run(&["apply"]);
        let (requests, _) = proxy.passed();
        let writes: Vec<_> = requests.iter().filter(|request| request.writes()).collect();
        assert!(writes.is_empty(), "{wave}: {writes:#?}");
    }
    // What is never pruned is known to be the release's all the same.
    run(&["down", "--delete-data"]);
    for round in 0..WAVES.len() {
        assert_eq!(stored(&names, &objects(&names, round)), [""; 0], "round {round}");
    }
}
