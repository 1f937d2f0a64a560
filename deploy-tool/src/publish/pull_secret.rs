//! Pure: the Secret with which nodes log in to the registry of a release's images.
//!
//! <https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/>

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::api::DynamicObject;
use serde_json::{Value, json};

use oci_artifacts::registry::secret::Secret;
use releases::manifest::{Object, in_order};
use releases::release::{History, Name};

/// Marks such a Secret with the repositories it is for: `registry.example.com/team`.
const ANNOTATION: &str = "deploy-tool.dev/pulls-from";
/// What stands in place of the file of an object that no file has.
const SOURCE: &str = "(made for --registry)";

/// A login as nodes need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullSecret {
    /// What the names of its images begin with: `registry.example.com/team`.
    pub prefix: String,
    /// The text of Docker's configuration.
    pub configuration: Secret,
}

impl PullSecret {
    /// Lets every workload with images of the registry log in to it: a Secret in its namespace, named by its pod template.
    /// A template that names Secrets itself is left as it is.
    pub fn attach(&self, release: &Name, objects: Vec<Object>) -> Vec<Object> {
        let mut objects = objects;
        let name = format!("{}-registry", release.name);
        let mut namespaces = BTreeSet::new();
        for object in &mut objects {
            let namespace = object.namespace().unwrap_or(&release.namespace).to_owned();
            let pulls = object.images().any(|image| self.is_for(image));
            let pod = object.value.data.pointer_mut("/spec/template/spec");
            let Some(Value::Object(pod)) = pod.filter(|_| pulls) else {
                continue;
            };
            if pod.contains_key("imagePullSecrets") {
                continue;
            }
            pod.insert("imagePullSecrets".to_owned(), json!([{ "name": name }]));
            namespaces.insert(namespace);
        }
        objects.extend(namespaces.into_iter().map(|namespace| self.object(&name, &namespace)));
        in_order(objects)
    }

    /// The one that the newest revision has, so that `apply` and `plan` keep what `up` has made.
    pub fn of(history: &History) -> Option<Self> {
        let newest = history
            .revisions()
            .rev()
            .find(|revision| !revision.objects.is_empty())?;
        newest.objects.iter().find_map(Self::read)
    }

    /// Puts the newest login into the objects of an earlier revision: the one of then may have been changed since.
    pub fn renew(history: &History, objects: &mut [Object]) {
        let Some(newest) = Self::of(history) else { return };
        for object in objects {
            if Self::read(&object.value).is_some_and(|then| then.prefix == newest.prefix) {
                object.value.data["data"] = newest.data();
            }
        }
    }

    fn is_for(&self, image: &str) -> bool {
        let rest = image.strip_prefix(self.prefix.as_str());
        rest.is_some_and(|rest| rest.starts_with('/'))
    }

    fn data(&self) -> Value {
        json!({".dockerconfigjson": STANDARD.encode(self.configuration.reveal())})
    }

    fn object(&self, name: &str, namespace: &str) -> Object {
        let mut value = DynamicObject {
            types: Some(kube::api::TypeMeta {
                api_version: "v1".to_owned(),
                kind: "Secret".to_owned(),
            }),
            metadata: kube::api::ObjectMeta {
                name: Some(name.to_owned()),
                namespace: Some(namespace.to_owned()),
                annotations: Some([(ANNOTATION.to_owned(), self.prefix.clone())].into()),
                ..Default::default()
            },
            data: json!({"type": "kubernetes.io/dockerconfigjson"}),
        };
        value.data["data"] = self.data();
        Object {
            file: SOURCE.to_owned(),
            line: 0,
            value,
        }
    }

    fn read(object: &DynamicObject) -> Option<Self> {
        let prefix = object.metadata.annotations.as_ref()?.get(ANNOTATION)?.clone();
        let encoded = object.data["data"][".dockerconfigjson"].as_str()?;
        let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
        Some(Self {
            prefix,
            configuration: Secret::new(text),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use releases::manifest::parse;
    use releases::release::{Deployer, Record, Revision, State};

    const TWO: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app}\nspec:\n  template:\n    spec:\n      containers: [{name: c, image: 'x.io/team/orders@sha256:00'}]\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: other}\nspec:\n  template:\n    spec:\n      containers: [{name: c, image: 'x.io/teams/orders:1'}]\n";

    fn secret(text: &str) -> PullSecret {
        PullSecret {
            prefix: "x.io/team".to_owned(),
            configuration: Secret::new(text),
        }
    }

    fn release() -> Name {
        Name::new(Some("shop"), None, &[]).unwrap()
    }

    fn history(of_revisions: &[&[Object]]) -> History {
        let record = |(number, objects): (u32, &&[Object])| Record {
            revision: Revision {
                number,
                state: State::Deployed,
                reason: String::new(),
                message: String::new(),
                created: jiff::Timestamp::UNIX_EPOCH,
                finished: None,
                deployer: Deployer {
                    host: String::new(),
                    cache: String::new(),
                    process: 1,
                },
                objects: objects.iter().map(|object| object.value.clone()).collect(),
                inventory: BTreeSet::new(),
                kept: BTreeSet::new(),
                completed: BTreeSet::new(),
            },
            uid: String::new(),
            version: String::new(),
            renewed: jiff::Timestamp::UNIX_EPOCH,
        };
        History::new((1..).zip(of_revisions).map(record).collect())
    }

    #[test]
    fn only_workloads_with_images_of_the_registry_log_in() {
        let objects = secret("{}").attach(&release(), parse("m.yaml", TWO).unwrap());
        let titles: Vec<String> = objects.iter().map(Object::title).collect();
        assert_eq!(
            titles,
            ["Secret `shop-registry`", "Deployment `app`", "Deployment `other`"]
        );
        assert_eq!(objects[0].namespace(), Some("shop"));
        assert_eq!(objects[0].value.data["data"][".dockerconfigjson"], "e30=");
        let named = |object: &Object| object.value.data["spec"]["template"]["spec"]["imagePullSecrets"].clone();
        assert_eq!(named(&objects[1]), json!([{"name": "shop-registry"}]));
        assert_eq!(named(&objects[2]), Value::Null);
    }

    #[test]
    fn who_names_a_secret_keeps_it() {
        let own = TWO.replace("containers:", "imagePullSecrets: [{name: mine}]\n      containers:");
        let objects = parse("m.yaml", &own).unwrap();
        assert_eq!(secret("{}").attach(&release(), objects.clone()), objects);
    }

    #[test]
    fn later_runs_find_it_in_the_history() {
        let objects = secret("old").attach(&release(), parse("m.yaml", TWO).unwrap());
        assert_eq!(PullSecret::of(&history(&[&objects])), Some(secret("old")));
        assert_eq!(PullSecret::of(&History::default()), None);
        // A rollback brings the objects of then, and the login of now.
        let newer = secret("new").attach(&release(), parse("m.yaml", TWO).unwrap());
        let mut back = objects.clone();
        PullSecret::renew(&history(&[&objects, &newer]), &mut back);
        assert_eq!(back[0].value.data, newer[0].value.data);
    }
}
