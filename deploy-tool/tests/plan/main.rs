//! What a plan and its application ask of the API server: verbs, URLs, parameters and bodies.

#![allow(clippy::unwrap_used, clippy::panic)]

mod definitions;
#[path = "../mock/mod.rs"]
mod mock;
mod ownership;
mod permissions;
mod reading;
mod saved;
mod support;

use std::collections::BTreeSet;

use releases::api::apply::{Change, apply_wave};
use releases::api::discover::Kinds;
use releases::api::unmanaged;
use releases::manifest::{Object, Wave};
use releases::plan::Action;
use releases::release::Identity;
use serde_json::{Value, json};
use terminal::Progress;

use support::{
    CONFIG_MAPS, asked, cluster, config_maps, discovery, name_of, number, objects, ok, planned, release, status, stored,
};

#[tokio::test]
async fn what_is_read_is_tried_without_being_stored() {
    let (cluster, mut kinds, log) = cluster(|asked| match (asked.method.as_str(), name_of(&asked.url)) {
        ("GET", "a") => ok(&stored("a", "value")),
        ("GET", "b") => ok(&stored("b", "old")),
        ("GET", _) => status(404, "NotFound", "not found"),
        _ => ok(&stored(name_of(&asked.url), "value")),
    })
    .await;
    let plan = planned(&cluster, &mut kinds, config_maps(&["a", "b", "c"]), &[].into(), false)
        .await
        .unwrap();
    let actions: Vec<_> = plan.steps.iter().map(|step| step.action).collect();
    assert_eq!(actions, [Action::Keep, Action::Change, Action::Create]);
    assert_eq!(plan.steps[1].differences[0].path, "data.key");

    // What is recorded as applied and has not changed need not be tried.
    let expected = [("GET", "a"), ("GET", "b"), ("GET", "c"), ("PATCH", "b"), ("PATCH", "c")];
    assert_eq!(
        asked(&log),
        expected.map(|(method, name)| (method.to_owned(), format!("{CONFIG_MAPS}/{name}")))
    );
    assert!(log.writes().is_empty(), "{:?}", log.writes());
    let tried = &log.all()[5];
    for parameter in ["dryRun=All", "fieldManager=deploy-tool", "fieldValidation=Strict"] {
        assert!(tried.url.contains(parameter), "{}", tried.url);
    }
    assert!(!tried.url.contains("force=true"), "{}", tried.url);
    assert_eq!(
        tried.body["metadata"]["annotations"]["deploy-tool.dev/release"],
        "shop/shop"
    );
    assert_eq!(tried.body["metadata"]["namespace"], "shop");

    let applied = apply_wave(&cluster, &mut kinds, &plan, Wave::Configuration, &Progress::default())
        .await
        .unwrap();
    let changes: Vec<_> = applied.iter().map(|applied| applied.change).collect();
    assert_eq!(changes, [Change::Unchanged, Change::Changed, Change::Created]);
    let writes: Vec<String> = log
        .writes()
        .iter()
        .map(|asked| name_of(&asked.url).to_owned())
        .collect();
    assert_eq!(writes, ["b", "c"], "what is kept is not sent");
}

#[tokio::test]
async fn a_conflict_is_found_before_any_write_and_taken_over_only_when_asked_for() {
    let conflict = || {
        let cause = json!({"reason": "FieldManagerConflict", "field": ".data.key", "message": "conflict with \"kubectl-edit\" using v1"});
        let mut status: Value =
            serde_json::from_str(&status(409, "Conflict", "Apply failed with 1 conflict").1).unwrap();
        status["details"] = json!({"causes": [cause]});
        (409, status.to_string())
    };
    let (cluster, mut kinds, log) = cluster(move |asked| match asked.method.as_str() {
        "GET" => {
            let mut live = stored("a", "theirs");
            let entry = json!({"manager": "kubectl-edit", "operation": "Update", "apiVersion": "v1", "time": "2026-11-22T20:00:00Z"});
            live["metadata"]["managedFields"].as_array_mut().unwrap().push(entry);
            ok(&live)
        }
        _ if asked.url.contains("force=true") => ok(&stored("a", "value")),
        _ => conflict(),
    })
    .await;
    let failure = planned(&cluster, &mut kinds, config_maps(&["a"]), &[].into(), false)
        .await
        .unwrap_err();
    let text = failure.to_string();
    assert_eq!(number(&failure), 201);
    assert!(
        text.contains("ConfigMap `a`: data.key set by \"kubectl-edit\", 2026-11-22T20:00:00Z"),
        "{text}"
    );
    assert!(log.writes().is_empty());

    let plan = planned(&cluster, &mut kinds, config_maps(&["a"]), &[].into(), true)
        .await
        .unwrap();
    assert_eq!(plan.steps[0].notes, ["takes data.key over from \"kubectl-edit\""]);
    assert!(log.writes().is_empty());
    apply_wave(&cluster, &mut kinds, &plan, Wave::Configuration, &Progress::default())
        .await
        .unwrap();
    let written = &log.writes()[0];
    assert!(written.url.contains("force=true"), "{}", written.url);
    // Exactly the fields that were shown: not those that somebody sets in between.
    let metadata = &written.body["metadata"];
    assert_eq!(
        (&metadata["uid"], &metadata["resourceVersion"]),
        (&json!("uid-a"), &json!("7"))
    );
}

#[tokio::test]
async fn what_needs_a_new_namespace_or_kind_is_not_tried_and_the_kind_is_waited_for() {
    let text = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n\
        apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n\
        apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w, namespace: default}\n---\n\
        apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets.example.com}\n\
        spec: {group: example.com, scope: Namespaced, names: {kind: Widget, plural: widgets}, versions: [{name: v1, served: true}]}\n";
    let definition = || {
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "widgets.example.com", "uid": "u", "resourceVersion": "3"},
            "status": {"conditions": [{"type": "Established", "status": "True"}]}})
    };
    let (cluster, mut kinds, log) = cluster(move |asked| match asked.method.as_str() {
        "GET" if asked.url.contains("fieldSelector") => ok(&json!({"kind": "List", "apiVersion": "v1",
            "metadata": {"resourceVersion": "3"}, "items": [definition()]})),
        "GET" => status(404, "NotFound", "not found"),
        _ => ok(&asked.body),
    })
    .await;
    let plan = planned(&cluster, &mut kinds, objects(text), &[].into(), false)
        .await
        .unwrap();
    let notes: Vec<_> = plan
        .steps
        .iter()
        .map(|step| (step.identity.kind.as_str(), step.notes.join("")))
        .collect();
    let expected = [
        ("Namespace", ""),
        ("CustomResourceDefinition", ""),
        ("ConfigMap", "not checked by the server: its namespace is made first"),
        ("Widget", "not checked by the server: its kind is defined first"),
    ];
    assert_eq!(notes, expected.map(|(kind, note)| (kind, note.to_owned())));
    assert!(log.writes().is_empty());

    for wave in Wave::ALL {
        apply_wave(&cluster, &mut kinds, &plan, wave, &Progress::default())
            .await
            .unwrap();
    }
    let steps: Vec<_> = asked(&log).into_iter().skip(5).collect();
    let expected = [
        // What belongs to the whole cluster also says which release has it.
        ("PATCH", "/api/v1/namespaces/shop"),
        ("PATCH", "/api/v1/namespaces/shop"),
        (
            "PATCH",
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com",
        ),
        (
            "PATCH",
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com",
        ),
        ("GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"),
        ("PATCH", "/api/v1/namespaces/shop/configmaps/a"),
        ("PATCH", "/apis/example.com/v1/namespaces/default/widgets/w"),
    ];
    assert_eq!(
        steps,
        expected.map(|(method, path)| (method.to_owned(), path.to_owned()))
    );
}

#[tokio::test]
async fn what_the_manifests_have_no_longer_is_pruned_and_other_releases_are_left_alone() {
    let (cluster, mut kinds, log) = cluster(|asked| match (asked.method.as_str(), name_of(&asked.url)) {
        ("GET", "foreign") => {
            let mut foreign = stored("foreign", "value");
            foreign["metadata"]["annotations"]["deploy-tool.dev/release"] = json!("shop/other");
            ok(&foreign)
        }
        ("GET", name @ ("a" | "old")) => ok(&stored(name, "value")),
        ("GET", _) => status(404, "NotFound", "not found"),
        _ => ok(&stored(name_of(&asked.url), "value")),
    })
    .await;
    let identities = |names: &[&str]| -> BTreeSet<Identity> {
        let mut placed = config_maps(names);
        placed
            .iter_mut()
            .for_each(|object| object.value.metadata.namespace = Some("shop".into()));
        placed.iter().map(Object::identity).collect()
    };
    let plan = planned(
        &cluster,
        &mut kinds,
        config_maps(&["a"]),
        &identities(&["a", "old", "foreign"]),
        false,
    )
    .await;
    let steps: Vec<_> = plan
        .unwrap()
        .steps
        .into_iter()
        .map(|step| (step.action, step.identity.name))
        .collect();
    assert_eq!(
        steps,
        [(Action::Keep, "a".to_owned()), (Action::Prune, "old".to_owned())]
    );

    let failure = planned(&cluster, &mut kinds, config_maps(&["a", "foreign"]), &[].into(), false)
        .await
        .unwrap_err();
    assert_eq!(number(&failure), 202);
    assert!(
        failure
            .to_string()
            .contains("ConfigMap `foreign` from m.yaml:6: shop/other"),
        "{failure}"
    );
    assert!(log.writes().is_empty());
}

/// However many objects there are that somebody's objects own, and in whatever version a kind is served.
#[tokio::test]
async fn an_object_of_somebody_else_is_found_on_every_page_and_in_every_version() {
    let page = |names: &[String], next: &str, owner: Value| {
        let object = |name: &String| json!({"metadata": {"name": name, "namespace": "shop", "uid": name, "ownerReferences": owner}});
        let items: Vec<Value> = names.iter().map(object).collect();
        ok(
            &json!({"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1",
            "metadata": {"resourceVersion": "9", "continue": next}, "items": items}),
        )
    };
    let owned_by = |kind: &str| json!([{"apiVersion": "v1", "kind": kind, "name": "owner", "uid": "owner"}]);
    let many: Vec<String> = (0..500).map(|number| format!("a{number}")).collect();
    let kind = |version: &str, kind: &str| {
        json!({"resource": format!("{}s", kind.to_lowercase()), "scope": "Namespaced", "verbs": ["list", "delete"],
            "singularResource": "", "responseKind": {"group": "example.org", "version": version, "kind": kind}})
    };
    let versions = json!([
        {"version": "v1", "freshness": "Current", "resources": [kind("v1", "Widget")]},
        {"version": "v1alpha1", "freshness": "Current", "resources": [kind("v1alpha1", "Widget"), kind("v1alpha1", "Relic")]}]);
    let (cluster, log) = mock::cluster(move |asked| match (discovery(&asked.url), name_of(&asked.url)) {
        (Some(_), "apis") => ok(
            &json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2",
            "metadata": {}, "items": [{"metadata": {"name": "example.org"}, "versions": versions}]}),
        ),
        (Some(kinds), _) => ok(&kinds),
        (None, "configmaps") if asked.url.contains("continue=more") => page(&["z".to_owned()], "", json!([])),
        (None, "configmaps") => page(&many, "more", owned_by("Secret")),
        // What has no owner in the namespace would stay without its deletion.
        (None, "secrets") => page(&["of-all".to_owned()], "", owned_by("Namespace")),
        (None, "relics") => page(&["old".to_owned()], "", json!([])),
        (None, "persistentvolumeclaims") => status(405, "MethodNotAllowed", "not allowed"),
        _ => page(&[], "", json!([])),
    });
    let kinds = Kinds::discover(&cluster).await.unwrap();
    let found = unmanaged::list_objects(&cluster, &kinds, &release(), "shop")
        .await
        .unwrap();
    let mut unowned = found[..2].to_vec();
    unowned.sort();
    assert_eq!(unowned, ["ConfigMap `z`", "Relic `old`"]);
    assert_eq!(found[2..], ["Secret `of-all`"]);
    assert!(log.writes().is_empty());
}

#[tokio::test]
async fn an_unknown_kind_gets_a_suggestion_and_a_wrong_field_its_number() {
    let (cluster, mut kinds, log) = cluster(|asked| match asked.method.as_str() {
        "GET" => status(404, "NotFound", "not found"),
        _ => status(
            500,
            "",
            "failed to create typed patch object (shop/a; /v1, Kind=ConfigMap): .dat: field not declared in schema",
        ),
    })
    .await;
    let unknown = objects("apiVersion: v1\nkind: Configmap\nmetadata: {name: a}\n");
    let failure = planned(&cluster, &mut kinds, unknown, &[].into(), false)
        .await
        .unwrap_err();
    assert_eq!(number(&failure), 101);
    assert!(failure.to_string().contains("`kind: ConfigMap`"), "{failure}");
    let failure = planned(&cluster, &mut kinds, config_maps(&["a"]), &[].into(), false)
        .await
        .unwrap_err();
    assert_eq!(number(&failure), 102);
    assert!(log.writes().is_empty());
}
