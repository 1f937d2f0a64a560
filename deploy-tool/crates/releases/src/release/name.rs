//! The namespace and name of a release.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::manifest::Object;
use diagnostics::code::input::SEVERAL_NAMESPACES;
use diagnostics::{Error, Result};

/// The default namespace of Kubernetes.
const DEFAULT_NAMESPACE: &str = "default";
/// What a namespace may have, and a label's value:
/// <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-label-names>
const LONGEST_NAME: usize = 63;

/// A release of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Name {
    /// The namespace its records are in, and its objects unless they name another.
    pub namespace: String,
    /// Its name, unique in the namespace.
    pub name: String,
}

impl Name {
    /// By the arguments; else the only namespace in the manifests, and the name of the namespace.
    ///
    /// # Errors
    /// When the manifests name several namespaces and no argument does, or the name is none.
    pub fn new(namespace: Option<&str>, name: Option<&str>, objects: &[Object]) -> Result<Self> {
        let namespace = match namespace {
            Some(namespace) => namespace.to_owned(),
            None => only_namespace(objects)?,
        };
        let name = name.unwrap_or(&namespace).to_owned();
        for (field, text) in [("namespace", &namespace), ("release", &name)] {
            if !is_label(text) {
                return Err(
                    Error::input(format!("`{text}` is not a valid name for a {field}")).hint(format!(
                        "write at most {LONGEST_NAME} of a-z, 0-9 and -, the first and the last no -"
                    )),
                );
            }
        }
        Ok(Self { namespace, name })
    }

    /// The releases that manifests may mean of which no object is in a namespace, when nothing says where the release is:
    /// those of the namespaces that they define. With the last object of a namespace they lose the name of their release.
    pub fn alternatives(&self, objects: &[Object]) -> Vec<Self> {
        let is_named = self.namespace != DEFAULT_NAMESPACE || self.name != DEFAULT_NAMESPACE;
        if is_named || objects.iter().any(|object| object.namespace().is_some()) {
            return Vec::new();
        }
        let is_namespace =
            |object: &&Object| object.kind() == "Namespace" && object.group_version_kind().group.is_empty();
        let defined = objects.iter().filter(is_namespace).map(Object::name);
        let of_namespace = |name: &str| Self {
            namespace: name.to_owned(),
            name: name.to_owned(),
        };
        defined.map(of_namespace).collect()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

fn only_namespace(objects: &[Object]) -> Result<String> {
    let mut named: BTreeSet<&str> = objects.iter().filter_map(Object::namespace).collect();
    match (named.pop_first(), named.is_empty()) {
        (None, _) => Ok(DEFAULT_NAMESPACE.to_owned()),
        (Some(only), true) => Ok(only.to_owned()),
        (Some(first), false) => {
            let others: Vec<&str> = named.into_iter().collect();
            Err(
                Error::input("the manifests are for several namespaces, and a release is in one")
                    .code(&SEVERAL_NAMESPACES)
                    .cause(format!("they name {first}, {}", others.join(", ")))
                    .hint("say with --namespace in which one the release is; the objects stay where they say"),
            )
        }
    }
}

fn is_label(text: &str) -> bool {
    let inside = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-';
    !text.is_empty()
        && text.len() <= LONGEST_NAME
        && text.chars().all(inside)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::parse;

    fn objects(namespaces: &[&str]) -> Vec<Object> {
        let object = |namespace: &&str| {
            let text = format!("apiVersion: v1\nkind: Service\nmetadata: {{name: a, namespace: {namespace}}}\n");
            parse("x", &text).unwrap().remove(0)
        };
        namespaces.iter().map(object).collect()
    }

    #[test]
    fn the_manifests_say_where_unless_told() {
        let (longest, too_long) = ("x".repeat(63), "x".repeat(64));
        let name =
            |namespace, name, objects: &[Object]| Name::new(namespace, name, objects).map(|name| name.to_string());
        assert_eq!(name(None, None, &[]).unwrap(), "default/default");
        assert_eq!(name(None, None, &objects(&["shop", "shop"])).unwrap(), "shop/shop");
        assert_eq!(name(Some("a"), Some("b"), &objects(&["one", "two"])).unwrap(), "a/b");
        let failure = name(None, None, &objects(&["one", "two"])).unwrap_err().to_string();
        assert!(
            failure.contains("they name one, two") && failure.contains("--namespace"),
            "{failure}"
        );
        let place = parse("x", "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n").unwrap();
        let alternatives = |named: Option<&str>, objects: &[Object]| {
            let release = Name::new(named, None, objects).unwrap();
            release
                .alternatives(objects)
                .iter()
                .map(Name::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!(alternatives(None, &place), ["shop/shop"]);
        assert!(alternatives(Some("shop"), &place).is_empty());
        assert!(alternatives(None, &[place, objects(&["default"])].concat()).is_empty());
        assert!(name(Some(&longest), None, &[]).is_ok());
        for wrong in ["", "A", "-a", "a_b", &too_long] {
            assert!(name(Some("a"), Some(wrong), &[]).is_err(), "{wrong}");
        }
    }
}
