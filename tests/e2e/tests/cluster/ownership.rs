//! Only what is a release's own is deleted, in an order that can work, and nothing of it is forgotten.

use serde_json::{Value, json};

use crate::harness::{
    Case, CommandOutput, context, deploy_tool_command, eventually, kubectl, kubectl_with_input, unique,
};

const IMAGE: &str = "docker.io/library/mariadb:11.8";

fn config_map(name: &str, data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
}

/// A Deployment whose pods, if there are any, are ready within a second.
fn deployment(replicas: u32, more: Value, seconds: &str) -> Value {
    let probe = json!({"exec": {"command": ["true"]}, "periodSeconds": 1});
    let main = json!({"name": "main", "image": IMAGE, "command": ["sleep", seconds], "readinessProbe": probe});
    let containers: Vec<Value> = [main]
        .into_iter()
        .chain(more.as_array().unwrap().iter().cloned())
        .collect();
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "app"}, "spec": {"replicas": replicas,
        "selector": {"matchLabels": {"app": "app"}}, "template": {"metadata": {"labels": {"app": "app"}},
            "spec": {"terminationGracePeriodSeconds": 0, "containers": containers}}}})
}

/// The controller of a kind has to be there until the last object of it is gone; and an object is still there when the
/// version through which it was applied is not served any more.
#[test]
#[ignore = "needs a cluster, see main.rs"]
fn custom_objects_go_first_and_in_whatever_version_they_are_served() {
    let release = Case::new("custom", &[]);
    let group = format!("{}.example.org", unique("gadgets"));
    let definition = |versions: &[(&str, bool)]| {
        let versions: Vec<Value> = versions
            .iter()
            .map(|(name, served)| {
                json!({"name": name, "served": served, "storage": served,
                    "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}})
            })
            .collect();
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("gadgets.{group}")}, "spec": {"group": group, "scope": "Namespaced",
                "names": {"kind": "Gadget", "plural": "gadgets", "singular": "gadget"}, "versions": versions}})
    };
    let gadget = |version: &str, name: &str, finalizers: &[&str]| {
        json!({"apiVersion": format!("{group}/{version}"), "kind": "Gadget",
            "metadata": {"name": name, "finalizers": finalizers}})
    };
    let operator = deployment(0, json!([]), "infinity");
    let held = [&*format!("{group}/held")];
    release.write(&[
        definition(&[("v1alpha1", true)]),
        operator.clone(),
        gadget("v1alpha1", "dropped", &[]),
        gadget("v1alpha1", "stays", &held),
    ]);
    release.run(&["apply"]).success();
    release.write(&[
        definition(&[("v1", true), ("v1alpha1", false)]),
        operator,
        gadget("v1", "stays", &held),
    ]);
    let plan = release.run(&["plan"]).success().stdout;
    assert!(
        plan.contains("~ Gadget `stays`") && plan.contains("- Gadget `dropped`"),
        "{plan}"
    );
    release.run(&["apply"]).success();
    let kind = format!("gadgets.{group}");
    let names = || release.kubectl(&["get", &kind, "--output", "name"]).success().stdout;
    assert_eq!(names().trim(), format!("gadget.{group}/stays"));

    let deleted = std::thread::scope(|scope| {
        // The controller: it lets go only while its Deployment is there.
        scope.spawn(|| {
            eventually("the deletion is asked for", || {
                let time = "jsonpath={.metadata.deletionTimestamp}";
                let found = release.kubectl(&["get", &kind, "stays", "--output", time]);
                (!found.stdout.is_empty()).then_some(())
            });
            assert_eq!(
                release.kubectl(&["get", "deployment", "app"]).code,
                0,
                "the operator is gone"
            );
            let patch = r#"{"metadata":{"finalizers":null}}"#;
            release
                .kubectl(&["patch", &kind, "stays", "--type=merge", "--patch", patch])
                .success();
        });
        release.run(&["down", "--delete-data"])
    });
    deleted.success();
    assert_ne!(kubectl(&["get", "crd", &kind]).code, 0);
}

/// Nothing of what `kubectl apply` has left is there for ever, nor what another tool has left without a word.
#[test]
#[ignore = "needs a cluster, see main.rs"]
fn fields_of_other_tools_with_manifests_go_or_are_named() {
    let release = Case::new("migrated", &[]);
    let with_legacy = [
        config_map("settings", json!({"key": "value", "legacy": "unused"})),
        deployment(0, json!([{"name": "legacy", "image": IMAGE}]), "infinity"),
    ];
    let without = [
        config_map("settings", json!({"key": "value"})),
        deployment(0, json!([]), "infinity"),
    ];
    release.write(&with_legacy);
    let manifests = std::fs::read_to_string(release.folder.path().join("objects.json")).unwrap();
    kubectl(&["create", "namespace", &release.namespace.name]).success();
    let apply = ["--namespace", &release.namespace.name, "apply", "-f", "-"];
    kubectl_with_input(&apply, &manifests).success();
    release.run(&["apply"]).success();
    release.run(&["plan", "--exit-code"]).success();
    release.write(&without);
    let plan = release.run(&["plan"]).success().stdout;
    assert!(
        plan.contains("- data.legacy") && plan.contains("containers[legacy]"),
        "{plan}"
    );
    release.run(&["apply"]).success();
    release.run(&["plan", "--exit-code"]).success();
    let left = release.kubectl(&["get", "configmap/settings", "deployment/app", "--output", "yaml"]);
    assert!(!left.success().stdout.contains("legacy"));

    // Whoever made it otherwise keeps it, is named, and is taken over from.
    release.kubectl(&["delete", "configmap", "settings"]).success();
    release.create(&[config_map("settings", json!({"key": "value", "legacy": "unused"}))]);
    release.run(&["apply"]).success();
    let plan = release.run(&["plan"]).success().stdout;
    assert!(
        plan.contains("stays, though the manifest does not have it: data.legacy, set by \"kubectl-create\""),
        "{plan}"
    );
    release.run(&["apply", "--take-over"]).success();
    release.run(&["plan", "--exit-code"]).success();
    let data = release.kubectl(&["get", "configmap", "settings", "--output", "jsonpath={.data}"]);
    assert_eq!(data.success().stdout, r#"{"key":"value"}"#);
}

/// However many objects with an owner of the whole cluster are listed before it.
#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_namespace_stays_while_others_have_anything_in_it() {
    let release = Case::new("foreign", &[]);
    release.write(&[config_map("ours", json!({}))]);
    release.run(&["apply"]).success();
    let uid = kubectl(&["get", "clusterrole", "view", "--output", "jsonpath={.metadata.uid}"])
        .success()
        .stdout;
    let mut theirs: Vec<Value> = (0..120)
        .map(|number| {
            let mut object = config_map(&format!("a{number}"), json!({}));
            object["metadata"]["ownerReferences"] =
                json!([{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "name": "view", "uid": uid}]);
            object
        })
        .collect();
    theirs.push(config_map("z", json!({})));
    release.create(&theirs);
    let output = release.run(&["down", "--delete-data"]).success();
    assert!(
        output.stderr.contains("others have objects in it: ConfigMap `z`"),
        "{}",
        output.stderr
    );
    release.kubectl(&["get", "configmap", "z"]).success();
}

/// The tool does not stand in its own way.
#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_rollback_leaves_the_count_of_replicas_as_it_was_scaled() {
    let release = Case::new("scaled", &[]);
    for seconds in ["infinity", "99999"] {
        release.write(&[deployment(0, json!([]), seconds)]);
        release.run(&["apply"]).success();
    }
    release.run(&["scale", "app=1"]).success();
    release.write(&[deployment(0, json!([]), "88888")]);
    let plan = release
        .run(&["plan"])
        .failure(2, &["DT0201", "deploy-tool-scale", "--take-over"]);
    for part in [
        "! Deployment `app`",
        "to be decided: spec.replicas",
        "~ spec.replicas: 1 → 0",
        "\"88888\"",
    ] {
        assert!(plan.stdout.contains(part), "{part}: {}", plan.stdout);
    }
    let output = release.run(&["rollback"]).success();
    assert!(output.stderr.contains("spec.replicas stays 1"), "{}", output.stderr);
    let fields = "jsonpath={.spec.replicas} {.spec.template.spec.containers[0].command[1]}";
    let found = || {
        release
            .kubectl(&["get", "deployment", "app", "--output", fields])
            .success()
            .stdout
    };
    assert_eq!(found(), "1 infinity");
    release.run(&["rollback", "2", "--take-over"]).success();
    assert_eq!(found(), "0 99999");
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn manifests_that_have_lost_their_last_object_of_a_namespace_are_no_other_release() {
    let release = Case::new("identity", &[]);
    release.write(&[config_map("one", json!({"key": "value"}))]);
    release.run(&["apply"]).success();
    release.write(&[]);
    let file = release.folder.path().join("objects.json");
    let mut unnamed = deploy_tool_command(&["plan", "--context", &context(), "-f", file.to_str().unwrap()]);
    CommandOutput::from(unnamed.output().unwrap())
        .failure(1, &["DT0406", &format!("--namespace {}", release.namespace.name)]);
    let plan = release.run(&["plan"]).success().stdout;
    assert!(plan.contains("- ConfigMap `one`"), "{plan}");
    release.run(&["apply"]).success();
    assert_ne!(release.kubectl(&["get", "configmap", "one"]).code, 0);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn what_two_releases_have_goes_with_the_last_of_them() {
    let (first, second) = (Case::new("first", &[]), Case::new("second", &[]));
    let role = unique("shared");
    let rule = json!({"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]});
    let object = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": role},
        "rules": [rule]});
    for release in [&first, &second] {
        release.write(&[config_map("own", json!({})), object.clone()]);
        release.run(&["apply"]).success();
    }
    for release in [&first, &second] {
        release.run(&["plan", "--exit-code"]).success();
    }
    first.write(&[config_map("own", json!({}))]);
    let output = first.run(&["apply"]).success();
    assert!(
        output
            .stderr
            .contains(&format!("left: release {0}/{0} has it", second.namespace.name)),
        "{}",
        output.stderr
    );
    kubectl(&["get", "clusterrole", &role]).success();
    second.run(&["down"]).success();
    assert_ne!(kubectl(&["get", "clusterrole", &role]).code, 0);

    // Of a release that somebody has deleted with its namespace, the annotation says nothing.
    for release in [&first, &second] {
        release.write(&[config_map("own", json!({})), object.clone()]);
        release.run(&["apply"]).success();
    }
    let timeout = "--timeout=120s";
    kubectl(&["delete", "namespace", &second.namespace.name, timeout]).success();
    first.run(&["down"]).success();
    assert_ne!(kubectl(&["get", "clusterrole", &role]).code, 0);
}
