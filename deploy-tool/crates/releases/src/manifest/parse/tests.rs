use super::*;

fn places(text: &str) -> Vec<(String, String)> {
    let objects = parse("x.yaml", text).unwrap();
    objects
        .iter()
        .map(|object| (object.title(), object.source_location()))
        .collect()
}

fn failure(text: &str) -> Error {
    parse("dir/x.yaml", text).unwrap_err()
}

#[test]
fn knows_where_each_object_stands() {
    let text = "# two\napiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n---\n---\napiVersion: v1\nkind: Service\nmetadata:\n  name: b\n";
    let expected = [("Namespace `a`", "x.yaml:2"), ("Service `b`", "x.yaml:7")];
    assert_eq!(
        places(text),
        expected.map(|(title, place)| (title.to_owned(), place.to_owned()))
    );
}

#[test]
fn lists_of_every_sort_stand_for_their_items() {
    let text = "apiVersion: v1
kind: ConfigMapList
metadata: {resourceVersion: ''}
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: one}}

- metadata: {name: two}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleList
items: [{metadata: {name: three}}]
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: List
  items:
  - {apiVersion: v1, kind: Secret, metadata: {name: four}}
---
{apiVersion: v1, kind: List, items: []}
---
{apiVersion: v1, kind: List, items: null}
---
{apiVersion: v1, kind: PodList}
---
{apiVersion: v1, kind: List, metadata: {name: all}, items: [{apiVersion: v1, kind: Secret, metadata: {name: named}}]}
---
{apiVersion: example.com/v1, kind: AllowList, metadata: {name: five}, items: [1]}
";
    let expected = [
        ("ConfigMap `one`", "x.yaml:5"),
        ("ConfigMap `two`", "x.yaml:7"),
        ("Role `three`", "x.yaml:11"),
        ("Secret `four`", "x.yaml:19"),
        ("Secret `named`", "x.yaml:27"),
        ("AllowList `five`", "x.yaml:29"),
    ];
    assert_eq!(
        places(text),
        expected.map(|(title, place)| (title.to_owned(), place.to_owned()))
    );
    let role = &parse("x", text).unwrap()[2];
    assert_eq!(role.identity().group, "rbac.authorization.k8s.io");
}

#[test]
fn says_what_is_wrong_where_with_a_number_and_a_way_out() {
    let object = |rest: &str| format!("apiVersion: v1\nkind: Pod\n{rest}\n");
    let cases = [
        ("a: b\n".to_owned(), 106, "line 1: the object has no `apiVersion`"),
        (
            "\n\napiVersion: v1\nmetadata: {name: a}\n".into(),
            106,
            "line 3: the object has no `kind`",
        ),
        (object(""), 106, "line 1: the object has no `metadata.name`"),
        (
            object("metadata: {name: ''}"),
            106,
            "line 3: the object has no `metadata.name`",
        ),
        (
            object("metadata: {name: a/b}"),
            106,
            "line 3: the `metadata.name` of Pod `a/b` is `a/b`, which is not a valid name",
        ),
        (
            object("metadata: {name: a, namespace: ..}"),
            106,
            "the `metadata.namespace` of Pod `a` is `..`, which is not a valid name",
        ),
        (object("metadata: text"), 106, "line 3: the `metadata` of Pod is text"),
        (
            object("metadata: {name: n}"),
            106,
            "line 3: `metadata.name` is the value false",
        ),
        (
            object("metadata:\n  name: 1"),
            106,
            "line 4: `metadata.name` is the number 1",
        ),
        (
            object("metadata: {name: a, namespace: on}"),
            106,
            "`metadata.namespace` is the value true",
        ),
        (
            "apiVersion: 1\nkind: y\nmetadata: {name: a}\n".into(),
            106,
            "line 2: `kind` is the value true",
        ),
        (
            object("metadata:\n  generateName: a-"),
            106,
            "line 4: the object has no `metadata.name`, only `generateName: a-`",
        ),
        (
            object("metadata: {name: a, labels: [1]}"),
            106,
            "line 3: `metadata.labels` is a list",
        ),
        (
            object("metadata:\n  name: a\n  labels:\n    v: 1"),
            106,
            "line 6: `v` of `metadata.labels` is the number 1",
        ),
        (
            object("metadata: {name: a, annotations: {x/y: yes}}"),
            106,
            "`x/y` of `metadata.annotations` is the value true",
        ),
        (
            object("metadata: {name: a, annotations: {a: }}"),
            106,
            "`a` of `metadata.annotations` is empty",
        ),
        (
            object("metadata: {name: a, finalizers: x}"),
            106,
            "`metadata.finalizers` is text",
        ),
        (
            object("metadata: {name: a, ownerReferences: [x]}"),
            106,
            "an item of `metadata.ownerReferences` is text",
        ),
        ("- a\n".into(), 106, "line 1: a list is where an object should be"),
        ("text\n".into(), 106, "line 1: text is where an object should be"),
        (
            "apiVersion: v1\nkind: List\nitems: {}\n".into(),
            106,
            "line 3: the `items` of List are a map",
        ),
        (
            "apiVersion: v1\nkind: List\nitems:\n- \n".into(),
            106,
            "line 4: empty is where an object should be",
        ),
        (
            "apiVersion: v1\nkind: List\nitmes: []\n".into(),
            102,
            "line 3: List has a field that there is not: `itmes`",
        ),
        ("apiVersion: v1\nkind: [\n".into(), 105, "line "),
        ("a: 1\na: 2\n".into(), 105, "line 2"),
        ("kind: {{ .Values.kind }}\n".into(), 107, "helm template"),
        (
            "apiVersion: v2\nname: shop\nversion: 1.0.0\n".into(),
            107,
            "`helm template NAME dir --no-hooks | deploy-tool apply -f -`",
        ),
        (
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n".into(),
            107,
            "`kubectl kustomize dir | deploy-tool apply -f -`",
        ),
        (
            object("metadata:\n  name: a\n  annotations:\n    helm.sh/hook: pre-install,post-delete"),
            107,
            "line 6: Pod `a` is a hook of Helm (pre-install,post-delete)",
        ),
    ];
    for (text, number, expected) in cases {
        let failure = failure(&text);
        let printed = failure.to_string();
        assert!(printed.contains(expected), "{text:?}: {printed}");
        assert_eq!(
            failure.number().map(|code| code.number),
            Some(number),
            "{text:?}: {printed}"
        );
        assert!(!failure.hints().is_empty(), "{text:?}: {printed}");
    }
}

#[test]
fn a_file_of_kustomize_is_known_by_its_name() {
    let failure = parse("base/kustomization.yml", "resources: []\n").unwrap_err();
    assert!(failure.to_string().contains("`kubectl kustomize base | "), "{failure}");
    // Flux has a kind of this name.
    let flux = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a}\n";
    assert_eq!(parse("base/kustomization.yml", flux).unwrap().len(), 1);
}

#[test]
fn misspelt_fields_of_the_metadata_are_all_refused_by_line() {
    let text = "apiVersion: v1
kind: Namespace
metadata:
  name: a
  lables: {pod-security.kubernetes.io/enforce: restricted}
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Secret
  metadata:
    name: b
    anotations: {}
    namespce: c
    finalizer: []
    ownerReferences:
    - {apiVersion: v1, kind: Pod, name: p, uid: u, controler: true}
    nothing_like_it: 1
";
    let failure = failure(text);
    let printed = failure.to_string();
    for (line, field, near) in [
        (5, "metadata.lables", "`metadata.labels`"),
        (14, "metadata.anotations", "`metadata.annotations`"),
        (15, "metadata.namespce", "`metadata.namespace`"),
        (16, "metadata.finalizer", "`metadata.finalizers`"),
        (
            18,
            "metadata.ownerReferences.controler",
            "`metadata.ownerReferences.controller`",
        ),
        (19, "metadata.nothing_like_it", "metadata.nothing_like_it`\n"),
    ] {
        let found = printed
            .lines()
            .any(|printed| printed.contains(&format!("line {line}:")) && printed.contains(field));
        assert!(found && printed.contains(near), "{field}: {printed}");
    }
    assert_eq!(failure.number().map(|code| code.number), Some(102));
}

#[test]
fn a_field_without_a_value_is_as_if_it_was_not_there() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: '', labels: , annotations: null, finalizers: ~, creationTimestamp: null}\n";
    let object = parse("x", text).unwrap().remove(0);
    assert_eq!(object.namespace(), None);
    assert_eq!(
        object.value.metadata,
        kube::api::ObjectMeta {
            name: Some("a".into()),
            ..Default::default()
        }
    );
}

#[test]
fn what_the_server_has_filled_in_is_not_applied() {
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  uid: '1'\n  resourceVersion: '1'\n  \
        managedFields: [{manager: kubectl, operation: Update}]\n";
    let object = parse("x", text).unwrap().remove(0);
    assert_eq!(
        object.value.metadata,
        kube::api::ObjectMeta {
            name: Some("a".into()),
            ..Default::default()
        }
    );
}
