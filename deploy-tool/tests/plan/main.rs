//! What a plan and its application ask of the API server: verbs, URLs, parameters and bodies.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../mock/mod.rs"]
mod mock;
mod ownership;

use std::collections::BTreeSet;

use cluster::Cluster;
use diagnostics::{Error, Result};
use mock::{Asked, Log};
use releases::api::apply::{Change, apply_wave};
use releases::api::discover::Kinds;
use releases::api::{plan, preflight, saved, unmanaged};
use releases::manifest;
use releases::manifest::{Object, Wave};
use releases::plan::saved::Saved;
use releases::plan::{Action, OnConflict, Plan, refuse_undecided};
use releases::release::{Identity, Name};
use serde_json::{Value, json};
use terminal::Progress;

const CONFIG_MAPS: &str = "/api/v1/namespaces/shop/configmaps";

fn release() -> Name {
    Name::new(Some("shop"), None, &[]).unwrap()
}

fn objects(text: &str) -> Vec<Object> {
    manifest::parse("m.yaml", text).unwrap()
}

fn config_maps(names: &[&str]) -> Vec<Object> {
    let text = |name: &&str| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{key: value}}\n---\n")
    };
    objects(&names.iter().map(text).collect::<String>())
}

/// A ConfigMap as it is stored after it was applied.
fn stored(name: &str, value: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap", "data": {"key": value},
        "metadata": {
            "name": name, "namespace": "shop", "uid": format!("uid-{name}"), "resourceVersion": "7",
            "annotations": {"deploy-tool.dev/release": "shop/shop"},
            "managedFields": [{"manager": "deploy-tool", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1",
                "fieldsV1": {"f:data": {"f:key": {}}, "f:metadata": {"f:annotations": {"f:deploy-tool.dev/release": {}}}}}],
        },
    })
}

fn status(code: u16, reason: &str, message: &str) -> (u16, String) {
    let status = json!({"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message});
    (code, status.to_string())
}

fn ok(body: &Value) -> (u16, String) {
    (200, body.to_string())
}

/// The kinds of a small cluster, as its discovery gives them.
fn discovery(url: &str) -> Option<Value> {
    let kind = |group: &str, kind: &str, scope: &str| {
        json!({"resource": format!("{}s", kind.to_lowercase()), "scope": scope, "verbs": ["get", "list", "delete"], "singularResource": "",
            "responseKind": {"group": group, "version": "v1", "kind": kind}})
    };
    let group = |name: &str, kinds: Value| json!({"metadata": {"name": name}, "versions": [{"version": "v1", "freshness": "Current", "resources": kinds}]});
    let items = match url {
        "/api" => json!([group(
            "",
            json!([
                kind("", "Namespace", "Cluster"),
                kind("", "ConfigMap", "Namespaced"),
                kind("", "Secret", "Namespaced"),
                kind("", "PersistentVolumeClaim", "Namespaced")
            ])
        )]),
        "/apis" => json!([group(
            "apiextensions.k8s.io",
            json!([kind("apiextensions.k8s.io", "CustomResourceDefinition", "Cluster")])
        )]),
        _ => return None,
    };
    Some(
        json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}),
    )
}

/// A cluster whose discovery works and whose other answers a function gives.
async fn cluster(answer: impl Fn(&Asked) -> (u16, String) + Send + 'static) -> (Cluster, Kinds, Log) {
    let (cluster, log) = mock::cluster(move |asked| match discovery(&asked.url) {
        Some(kinds) => ok(&kinds),
        None => answer(asked),
    });
    let kinds = Kinds::discover(&cluster).await.unwrap();
    (cluster, kinds, log)
}

/// What was asked for after the discovery: method and path of each, without the parameters.
fn asked(log: &Log) -> Vec<(String, String)> {
    let all = log.all().into_iter().filter(|asked| discovery(&asked.url).is_none());
    let path = |url: &str| url.split('?').next().unwrap().to_owned();
    all.map(|asked| (asked.method, path(&asked.url))).collect()
}

async fn planned(
    cluster: &Cluster,
    kinds: &mut Kinds,
    objects: Vec<Object>,
    inventory: &BTreeSet<Identity>,
    take_over: bool,
) -> Result<Plan> {
    let on_conflict = OnConflict::from_flag(take_over);
    let plan = plan::make_plan(cluster, kinds, &release(), objects, inventory, on_conflict).await?;
    refuse_undecided(&plan, cluster.now())?;
    Ok(plan)
}

fn list(items: &[Value]) -> (u16, String) {
    ok(&json!({"kind": "ConfigMapList", "apiVersion": "v1", "metadata": {"resourceVersion": "9"}, "items": items}))
}

fn name_of(url: &str) -> &str {
    url.split('?').next().unwrap().rsplit('/').next().unwrap()
}

#[tokio::test]
async fn several_of_a_kind_are_read_at_once_and_tried_without_being_stored() {
    let (cluster, mut kinds, log) = cluster(|asked| match asked.method.as_str() {
        "GET" => list(&[stored("a", "value"), stored("b", "old"), stored("other", "value")]),
        _ => ok(&stored(name_of(&asked.url), "value")),
    })
    .await;
    let plan = planned(&cluster, &mut kinds, config_maps(&["a", "b", "c"]), &[].into(), false)
        .await
        .unwrap();
    let actions: Vec<_> = plan.steps.iter().map(|step| step.action).collect();
    assert_eq!(actions, [Action::Keep, Action::Change, Action::Create]);
    assert_eq!(plan.steps[1].differences[0].path, "data.key");

    let mut expected = vec![("GET".to_owned(), CONFIG_MAPS.to_owned())];
    // What is recorded as applied and has not changed need not be tried.
    expected.extend(["b", "c"].map(|name| ("PATCH".to_owned(), format!("{CONFIG_MAPS}/{name}"))));
    assert_eq!(asked(&log), expected);
    assert!(log.writes().is_empty(), "{:?}", log.writes());
    let tried = &log.all()[3];
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
        ("GET", "configmaps") => {
            let mut foreign = stored("foreign", "value");
            foreign["metadata"]["annotations"]["deploy-tool.dev/release"] = json!("shop/other");
            list(&[stored("a", "value"), stored("old", "value"), foreign])
        }
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

/// A server that answers reviews by a function of the verb, resource and namespace.
fn review(asked: &Asked, allowed: impl Fn(&str, &str) -> bool) -> Option<(u16, String)> {
    if !asked
        .url
        .starts_with("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")
    {
        return None;
    }
    let attributes = &asked.body["spec"]["resourceAttributes"];
    let text = |field: &str| attributes[field].as_str().unwrap_or_default().to_owned();
    let mut answer = asked.body.clone();
    answer["status"] = json!({"allowed": allowed(&text("verb"), &text("resource"))});
    Some(ok(&answer))
}

#[tokio::test]
async fn an_administrator_is_asked_once_and_others_for_each_permission() {
    for (everything, expected) in [(true, 1), (false, 9)] {
        let (cluster, mut kinds, log) = cluster(move |asked| {
            review(asked, |verb, _| everything || verb != "*").unwrap_or_else(|| match asked.method.as_str() {
                "GET" => status(404, "NotFound", "not found"),
                _ => ok(&stored("a", "value")),
            })
        })
        .await;
        let plan = planned(&cluster, &mut kinds, config_maps(&["a"]), &[].into(), false)
            .await
            .unwrap();
        preflight::require_permissions(&cluster, &kinds, &plan).await.unwrap();
        let reviews = asked(&log).into_iter().filter(|(method, _)| method == "POST").count();
        assert_eq!(reviews, expected);
    }
}

#[tokio::test]
async fn all_missing_permissions_are_listed_before_anything_is_written() {
    let (cluster, mut kinds, log) = cluster(|asked| {
        let may = |verb: &str, resource: &str| verb != "*" && (resource != "configmaps" || verb == "get");
        review(asked, may).unwrap_or_else(|| match asked.method.as_str() {
            "GET" => status(404, "NotFound", "not found"),
            _ => status(
                403,
                "Forbidden",
                "configmaps \"a\" is forbidden: User \"eve\" cannot patch resource \"configmaps\"",
            ),
        })
    })
    .await;
    let failure = planned(&cluster, &mut kinds, config_maps(&["a"]), &[].into(), false)
        .await
        .unwrap_err();
    assert_eq!(number(&failure), 204);
    let text = failure.to_string();
    assert!(
        text.contains("configmaps  create, patch  in namespace shop") && text.contains("kind: Role"),
        "{text}"
    );
    let written: Vec<_> = log
        .writes()
        .into_iter()
        .filter(|asked| asked.method != "POST")
        .collect();
    assert!(written.is_empty(), "{written:?}");
}

#[tokio::test]
async fn a_saved_plan_is_applied_exactly_or_not_at_all() {
    // The object's value now, and whether it is there at all.
    let now = std::sync::Arc::new(std::sync::Mutex::new(Some("old")));
    let live = now.clone();
    let (cluster, mut kinds, log) = cluster(move |asked| match (asked.method.as_str(), name_of(&asked.url)) {
        ("GET", "kube-system") => {
            ok(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system", "uid": "c1"}}))
        }
        ("GET", _) => match *live.lock().unwrap() {
            Some(value) => ok(&stored("a", value)),
            None => status(404, "NotFound", "not found"),
        },
        _ => ok(&stored("a", "value")),
    })
    .await;
    let plan = planned(&cluster, &mut kinds, config_maps(&["a"]), &[].into(), false)
        .await
        .unwrap();
    let made = "2026-11-22T20:00:00Z".parse().unwrap();
    let saved = |cluster: &str| Saved::new("mock", Some(cluster.to_owned()), made, plan.clone());

    let exact = saved::refuse_stale(&cluster, &mut kinds, saved("c1")).await.unwrap();
    apply_wave(&cluster, &mut kinds, &exact, Wave::Configuration, &Progress::default())
        .await
        .unwrap();
    assert_eq!(log.writes()[0].body["metadata"]["resourceVersion"], "7");

    let failure = saved::refuse_stale(&cluster, &mut kinds, saved("c2"))
        .await
        .unwrap_err();
    assert_eq!(number(&failure), 208);
    for (value, output) in [(Some("newer"), "changed"), (None, "deleted")] {
        *now.lock().unwrap() = value;
        let failure = saved::refuse_stale(&cluster, &mut kinds, saved("c1"))
            .await
            .unwrap_err();
        assert_eq!(number(&failure), 207);
        assert!(
            failure
                .to_string()
                .contains(&format!("ConfigMap `a` has been {output} since")),
            "{failure}"
        );
        // The same when it happens between the check and the write.
        let applied = apply_wave(&cluster, &mut kinds, &exact, Wave::Configuration, &Progress::default()).await;
        assert_eq!(number(&applied.unwrap_err()), 207);
    }
    assert_eq!(log.writes().len(), 1);
}

fn number(failure: &Error) -> u16 {
    failure.number().unwrap_or_else(|| panic!("{failure}")).number
}
