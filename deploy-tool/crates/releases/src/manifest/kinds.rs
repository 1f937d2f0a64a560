//! Pure: the kinds that manifests define, and those that they only think exist.

use kube::core::GroupVersionKind;
use serde_json::Value;
use strsim::levenshtein;

use super::object::Object;
use diagnostics::Error;
use diagnostics::code;

/// A kind that a CustomResourceDefinition of the manifests defines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Its group, version and name.
    pub kind: GroupVersionKind,
    /// Its name in paths.
    pub plural: String,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
}

/// The kinds that an object defines: one for each version that is served.
pub fn definitions(object: &Object) -> Vec<Definition> {
    let kind = object.group_version_kind();
    if (kind.group.as_str(), kind.kind.as_str()) != ("apiextensions.k8s.io", "CustomResourceDefinition") {
        return Vec::new();
    }
    let data = &object.value.data;
    let text = |pointer: &str| data.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let versions = data.pointer("/spec/versions").and_then(Value::as_array);
    let served = |version: &&Value| version.get("served").and_then(Value::as_bool).unwrap_or(true);
    let versions = versions.into_iter().flatten().filter(served);
    versions
        .filter_map(|version| version.get("name")?.as_str())
        .map(|version| Definition {
            kind: GroupVersionKind::gvk(text("/spec/group"), version, text("/spec/names/kind")),
            plural: text("/spec/names/plural").to_owned(),
            namespaced: text("/spec/scope") == "Namespaced",
        })
        .collect()
}

/// The error for an object of an unknown kind, with the most similar known one.
pub fn unknown_kind(object: &Object, known: &[GroupVersionKind]) -> Error {
    let wanted = object.group_version_kind();
    let failure = Error::input(format!(
        "{} in {} cannot be applied",
        object.title(),
        object.source_location()
    ))
    .code(&code::input::UNKNOWN_KIND)
    .cause(format!(
        "the cluster knows no kind {} of version {}",
        wanted.kind,
        wanted.api_version()
    ));
    match nearest(&wanted, known) {
        Some(near) => failure.hint(format!(
            "did you mean `apiVersion: {}` and `kind: {}`?",
            near.api_version(),
            near.kind
        )),
        None => failure.hint("install what defines it, or add its CustomResourceDefinition to the manifests"),
    }
}

/// The same kind elsewhere, rather than one that is written nearly so.
fn nearest<'k>(wanted: &GroupVersionKind, known: &'k [GroupVersionKind]) -> Option<&'k GroupVersionKind> {
    let rate = |candidate: &GroupVersionKind| {
        let letters = levenshtein(&wanted.kind.to_lowercase(), &candidate.kind.to_lowercase());
        (letters <= wanted.kind.len() / 3).then_some((
            letters,
            wanted.kind != candidate.kind,
            candidate.group != wanted.group,
            candidate.version.contains(['a', 'b']),
        ))
    };
    let rated = known.iter().filter_map(|candidate| Some((rate(candidate)?, candidate)));
    rated.min_by_key(|(rate, _)| *rate).map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::parse;

    #[test]
    fn a_definition_defines_the_versions_that_are_served() {
        let text = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets.example.com}\n\
            spec:\n  group: example.com\n  scope: Namespaced\n  names: {kind: Widget, plural: widgets}\n\
            \x20 versions: [{name: v1, served: true}, {name: v0, served: false}]\n";
        let found = definitions(&parse("x", text).unwrap()[0]);
        assert_eq!(
            found,
            [Definition {
                kind: GroupVersionKind::gvk("example.com", "v1", "Widget"),
                plural: "widgets".into(),
                namespaced: true,
            }]
        );
        let services = parse("x", "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n").unwrap();
        assert_eq!(definitions(&services[0]), []);
    }

    #[test]
    fn an_unknown_kind_gets_the_nearest_known_one() {
        let known = [
            GroupVersionKind::gvk("apps", "v1", "Deployment"),
            GroupVersionKind::gvk("apps", "v1", "DaemonSet"),
            GroupVersionKind::gvk("networking.k8s.io", "v1beta1", "Ingress"),
            GroupVersionKind::gvk("networking.k8s.io", "v1", "Ingress"),
            GroupVersionKind::gvk("events.k8s.io", "v1", "Event"),
            GroupVersionKind::gvk("", "v1", "Event"),
        ];
        let cases = [
            (
                "extensions/v1beta1",
                "Deployment",
                "`apiVersion: apps/v1` and `kind: Deployment`",
            ),
            ("apps/v1", "Deploymnet", "`kind: Deployment`"),
            ("apps/v1", "Daemonset", "`kind: DaemonSet`"),
            ("extensions/v1beta1", "Ingress", "`apiVersion: networking.k8s.io/v1`"),
            ("events.k8s.io/v1beta1", "Event", "`apiVersion: events.k8s.io/v1`"),
            ("cert-manager.io/v1", "Certificate", "install what defines it"),
        ];
        for (version, kind, expected) in cases {
            let object = parse(
                "x",
                &format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a}}\n"),
            );
            let text = unknown_kind(&object.unwrap()[0], &known).to_string();
            assert!(text.contains(expected), "{version} {kind}: {text}");
        }
    }
}
