//! Pure: from the text of a file to the objects in it, as kubectl reads them, or to everything that is wrong with them.

use serde_json::{Map, Value};

use super::metadata::{self, described, unknown_fields};
use super::object::Object;
use super::problem::{Problem, unusable};
use super::{exported, other_tool, sidecar};
use diagnostics::code::input::{NO_OBJECT, NO_YAML, OTHER_TOOL};
use diagnostics::{Error, Result};
use yaml::{Document, Place, YamlError};

/// The fields of a list of objects.
const LIST: [&str; 4] = ["apiVersion", "items", "kind", "metadata"];

/// Reads the objects of a file.
///
/// # Errors
/// When the text is no YAML, or holds something that is no object.
pub fn parse(file: &str, text: &str) -> Result<Vec<Object>> {
    let documents = yaml::manifest(text).map_err(|error| no_yaml(file, text, &error))?;
    let mut found = Found::default();
    for Document { line, value } in documents {
        if !value.is_null() {
            found.take(
                file,
                Part {
                    line,
                    pointer: String::new(),
                    value,
                },
            );
        }
    }
    let lines = match found.need_lines() {
        true => yaml::places(text),
        false => Vec::new(),
    };
    let line_of = |line: u64, pointer: &str| {
        let document = lines.iter().find(|place| place.line == line);
        document.map_or(line, |place: &Place| place.line_of(pointer))
    };
    if !found.problems.is_empty() {
        let problems = found.problems.into_iter();
        let mut problems: Vec<_> = problems
            .map(|(line, problem)| (line_of(line, &problem.pointer), problem))
            .collect();
        problems.sort_by_key(|(line, _)| *line);
        return Err(unusable(file, problems));
    }
    let objects = found.objects.into_iter().map(|part| Object {
        line: line_of(part.line, &part.pointer),
        ..part.value
    });
    Ok(objects.collect())
}

fn no_yaml(file: &str, text: &str, error: &YamlError) -> Error {
    let failure = Error::input(format!("the manifest `{file}` cannot be used"))
        .code(&NO_YAML)
        .cause(error);
    match text.contains("{{") {
        true => failure
            .code(&OTHER_TOOL)
            .hint("if this is a template of a Helm chart, let Helm fill it in: `helm template NAME CHART --no-hooks | deploy-tool apply -f -`"),
        false => failure.hint("correct that line, or the one before it"),
    }
}

/// A value, and where it is: below which document, and how deep.
struct Part<V> {
    line: u64,
    pointer: String,
    value: V,
}

#[derive(Default)]
struct Found {
    objects: Vec<Part<Object>>,
    /// With the line of their document.
    problems: Vec<(u64, Problem)>,
}

impl Found {
    /// An object stands for itself, a list of objects for its items.
    fn take(&mut self, file: &str, part: Part<Value>) {
        let Part { line, pointer, value } = part;
        let problems = match value {
            Value::Object(list) if is_list(&list) => return self.take_items(file, line, &pointer, list),
            Value::Object(object) => match read(file, line, object) {
                Ok(value) => return self.objects.push(Part { line, pointer, value }),
                Err(problems) => problems,
            },
            other => vec![Problem::new(
                &NO_OBJECT,
                "",
                format!("{} is where an object should be", described(&other)),
                "separate objects by a line `---`, or put them into the `items` of a `kind: List`",
            )],
        };
        let below = |problem: Problem| Problem {
            pointer: format!("{pointer}{}", problem.pointer),
            ..problem
        };
        self.problems
            .extend(problems.into_iter().map(|problem| (line, below(problem))));
    }

    fn take_items(&mut self, file: &str, line: u64, pointer: &str, mut list: Map<String, Value>) {
        let kind = list.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
        let version = list.get("apiVersion").cloned();
        let unknown = unknown_fields(&list, &LIST, pointer, "", &kind);
        self.problems.extend(unknown.into_iter().map(|problem| (line, problem)));
        let pointer = format!("{pointer}/items");
        let items = match list.remove("items") {
            None | Some(Value::Null) => return,
            Some(Value::Array(items)) => items,
            Some(other) => {
                let message = format!("the `items` of {kind} are {}, and have to be a list", described(&other));
                let problem = Problem::new(&NO_OBJECT, pointer, message, "write each object behind a `- `");
                return self.problems.push((line, problem));
            }
        };
        for (index, mut value) in items.into_iter().enumerate() {
            // The server leaves out what the kind of the list says already.
            if let (Some(of_item), Value::Object(item)) =
                (kind.strip_suffix("List").filter(|kind| !kind.is_empty()), &mut value)
                && !item.contains_key("kind")
            {
                item.insert("kind".to_owned(), of_item.into());
                if let Some(version) = &version {
                    item.entry("apiVersion").or_insert_with(|| version.clone());
                }
            }
            let pointer = format!("{pointer}/{index}");
            self.take(file, Part { line, pointer, value });
        }
    }

    fn need_lines(&self) -> bool {
        !self.problems.is_empty() || self.objects.iter().any(|part| !part.pointer.is_empty())
    }
}

/// One object, or everything that is wrong with it.
fn read(file: &str, line: u64, mut object: Map<String, Value>) -> std::result::Result<Object, Vec<Problem>> {
    if let Some(problem) = other_tool::refuse(file, &object) {
        return Err(vec![problem]);
    }
    let problems = metadata::check(&mut object);
    if !problems.is_empty() {
        return Err(problems);
    }
    exported::strip(&mut object);
    let value = serde_json::from_value(Value::Object(object)).map_err(|error| {
        let message = format!("the object's metadata: {error}");
        vec![Problem::new(&NO_OBJECT, "", message, "correct it")]
    })?;
    let object = Object {
        file: file.to_owned(),
        line,
        value,
    };
    let problems = sidecar::check(&object);
    if problems.is_empty() { Ok(object) } else { Err(problems) }
}

/// A `List`, or one of a kind of its own such as `ConfigMapList`. An object of a kind that is merely called so has a name.
fn is_list(object: &Map<String, Value>) -> bool {
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
    let has_name = || {
        object
            .get("metadata")
            .is_some_and(|metadata| metadata.get("name").is_some())
    };
    let is_plain = kind == "List" && object.get("apiVersion").is_none_or(|version| version == "v1");
    is_plain || kind.ends_with("List") && !has_name()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> Vec<(String, String)> {
        let objects = parse("x.yaml", text).unwrap();
        objects.iter().map(|object| (object.title(), object.place())).collect()
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
                "line 3: the `metadata.name` of Pod `a/b` is `a/b`, which is no name",
            ),
            (
                object("metadata: {name: a, namespace: ..}"),
                106,
                "the `metadata.namespace` of Pod `a` is `..`, which is no name",
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
            let said = failure.to_string();
            assert!(said.contains(expected), "{text:?}: {said}");
            assert_eq!(
                failure.number().map(|code| code.number),
                Some(number),
                "{text:?}: {said}"
            );
            assert!(!failure.hints().is_empty(), "{text:?}: {said}");
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
        let said = failure.to_string();
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
            let found = said
                .lines()
                .any(|said| said.contains(&format!("line {line}:")) && said.contains(field));
            assert!(found && said.contains(near), "{field}: {said}");
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
}
