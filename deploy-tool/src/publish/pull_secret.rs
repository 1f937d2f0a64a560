//! Pure: the Secret with which nodes log in to the registry of a release's images. It is the user's: what has pushed the images
//! may do more than who pulls them, and Secrets of a release are in its history.
//!
//! <https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/>

use serde_json::{Value, json};

use releases::manifest::Object;
use releases::release::{History, Identity};

const FIELD: &str = "imagePullSecrets";

/// The name of a Secret, and the images it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullSecret {
    /// What the names of the images begin with: `registry.example.com/team`.
    pub prefix: String,
    /// Its name, in each namespace with such images.
    pub name: String,
}

impl PullSecret {
    /// Names it in every pod with images of the registry that names none itself.
    pub fn attach(&self, objects: &mut [Object]) {
        for object in objects {
            for pointer in object.pod_specs() {
                let Some(pod) = object.value.data.pointer_mut(&pointer) else {
                    continue;
                };
                if images(pod).iter().any(|image| self.is_for(image)) && pod[FIELD].is_null() {
                    pod[FIELD] = json!([{ "name": self.name }]);
                }
            }
        }
    }

    fn is_for(&self, image: &str) -> bool {
        let rest = image.strip_prefix(self.prefix.as_str());
        rest.is_some_and(|rest| rest.starts_with('/'))
    }
}

/// Keeps what `up --pull-secret` has named, where the images are kept as well: in objects that name no Secret themselves and
/// have an image that the same pod of the newest revision has too.
pub fn keep(history: &History, objects: &mut [Object]) {
    let newest = history.revisions().rev().find(|revision| !revision.objects.is_empty());
    let before = newest.map(|revision| revision.manifests()).unwrap_or_default();
    for object in objects {
        let identity = object.identity();
        let Some(then) = before.iter().find(|then| is_same(&then.identity(), &identity)) else {
            continue;
        };
        for pointer in object.pod_specs() {
            let then = then.value.data.pointer(&pointer);
            let (Some(then), Some(now)) = (then, object.value.data.pointer_mut(&pointer)) else {
                continue;
            };
            let kept = images(then);
            if now[FIELD].is_null() && images(now).iter().any(|image| kept.contains(image)) && !then[FIELD].is_null() {
                now[FIELD] = then[FIELD].clone();
            }
        }
    }
}

/// Whether two identities are the same object: one may lack the namespace, which is that of the release.
fn is_same(left: &Identity, right: &Identity) -> bool {
    let namespaces = (&left.namespace, &right.namespace);
    let is_same_namespace = !matches!(namespaces, (Some(left), Some(right)) if left != right);
    (&left.group, &left.kind, &left.name) == (&right.group, &right.kind, &right.name) && is_same_namespace
}

fn images(pod: &Value) -> Vec<String> {
    let list = |field: &str| pod[field].as_array().into_iter().flatten();
    let containers = list("initContainers")
        .chain(list("containers"))
        .map(|container| &container["image"]);
    let volumes = list("volumes").map(|volume| &volume["image"]["reference"]);
    containers
        .chain(volumes)
        .filter_map(|image| image.as_str().map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use releases::manifest::parse;
    use releases::release::{HolderIdentity, Record, Revision, State};

    const IMAGE: &str = "x.io/team/orders@sha256:00";

    /// One object, with its pod where its kind has it.
    fn object(kind: &str, image: &str, more: &str) -> Object {
        let pod = format!("{{{more}containers: [{{name: c, image: '{image}'}}]}}");
        let (version, fields) = match kind {
            "Pod" => ("v1", format!("spec: {pod}")),
            "PodTemplate" => ("v1", format!("template: {{spec: {pod}}}")),
            "CronJob" => (
                "batch/v1",
                format!("spec: {{jobTemplate: {{spec: {{template: {{spec: {pod}}}}}}}}}"),
            ),
            // Custom resources may have several.
            "Fleet" => (
                "example.org/v1",
                format!("spec: {{front: {{pod: {pod}}}, back: [{{pod: {pod}}}]}}"),
            ),
            _ => ("apps/v1", format!("spec: {{template: {{spec: {pod}}}}}")),
        };
        let text = format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a}}\n{fields}\n");
        parse("m.yaml", &text).unwrap().remove(0)
    }

    /// What all pods of an object name.
    fn named_secrets(object: &Object) -> Value {
        let pods = object.pod_specs();
        let mut names = pods
            .iter()
            .map(|pointer| object.value.data.pointer(pointer).unwrap()[FIELD].clone());
        let first = names.next().unwrap();
        assert!(names.all(|name| name == first), "{:?}", object.value.data);
        first
    }

    #[test]
    fn every_pod_with_images_of_the_registry_names_it() {
        let secret = PullSecret {
            prefix: "x.io/team".to_owned(),
            name: "login".to_owned(),
        };
        let (named, own) = (json!([{"name": "login"}]), json!([{"name": "mine"}]));
        for kind in ["Pod", "PodTemplate", "CronJob", "Deployment", "Fleet"] {
            for (image, more, expected) in [
                (IMAGE, "", named.clone()),
                (
                    "mariadb:11.8",
                    &*format!("initContainers: [{{name: i, image: '{IMAGE}'}}], "),
                    named.clone(),
                ),
                (IMAGE, "imagePullSecrets: [{name: mine}], ", own.clone()),
                ("x.io/teams/orders:1", "", Value::Null),
            ] {
                let mut objects = [object(kind, image, more)];
                secret.attach(&mut objects);
                assert_eq!(named_secrets(&objects[0]), expected, "{kind} {image}");
            }
        }
    }

    fn history(objects: &[Object]) -> History {
        let revision = Revision {
            number: 1,
            state: State::Deployed,
            reason: String::new(),
            message: String::new(),
            created: jiff::Timestamp::UNIX_EPOCH,
            finished: None,
            deployer: HolderIdentity {
                host: String::new(),
                cache_id: String::new(),
                boot_id: String::new(),
                process: 1,
            },
            objects: objects.iter().map(|object| object.value.clone()).collect(),
            inventory: BTreeSet::new(),
            kept: BTreeSet::new(),
            completed: BTreeSet::new(),
        };
        History::new(vec![Record {
            revision,
            uid: String::new(),
            version: String::new(),
            renewed: jiff::Timestamp::UNIX_EPOCH,
        }])
    }

    #[test]
    fn what_keeps_its_image_keeps_its_login() {
        let then = object("Deployment", IMAGE, "imagePullSecrets: [{name: login}], ");
        let named = json!([{"name": "login"}]);
        for (now, expected) in [
            (object("Deployment", IMAGE, ""), named),
            (
                object("Deployment", IMAGE, "imagePullSecrets: [{name: mine}], "),
                json!([{"name": "mine"}]),
            ),
            (object("Deployment", "y.io/orders:1", ""), Value::Null),
            (object("StatefulSet", IMAGE, ""), Value::Null),
        ] {
            let mut objects = [now];
            keep(&history(std::slice::from_ref(&then)), &mut objects);
            assert_eq!(named_secrets(&objects[0]), expected);
        }
        let then = object("Fleet", IMAGE, "imagePullSecrets: [{name: login}], ");
        let mut objects = [object("Fleet", IMAGE, "")];
        keep(&history(&[then]), &mut objects);
        assert_eq!(named_secrets(&objects[0]), json!([{"name": "login"}]));
        let mut objects = [object("Deployment", IMAGE, "")];
        keep(&History::default(), &mut objects);
        assert_eq!(named_secrets(&objects[0]), Value::Null);
    }
}
