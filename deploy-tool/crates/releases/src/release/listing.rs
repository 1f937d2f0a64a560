//! From revisions to the table and the JSON of `history`, and to the manifests of one of them.

use k8s_openapi::api::core::v1::Secret;
use kube::api::DynamicObject;
use serde::Serialize;
use serde_json::Value;

use super::{History, Name, Revision, State};
use diagnostics::{Error, Result};
use terminal::aligned;

/// The value of [`Listing::schema`].
pub const SCHEMA: &str = "deploy-tool.dev/history/v1";
/// What stands in place of a secret value.
const MASK: &str = "(hidden)";

/// What `history --output json` prints. Fields are added, never renamed, while `schema` stays the same.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listing {
    /// `deploy-tool.dev/history/v1`
    pub schema: &'static str,
    /// The kubeconfig's context.
    pub context: String,
    /// The release's namespace.
    pub namespace: String,
    /// Its name.
    pub release: String,
    /// The revisions, the oldest first.
    pub revisions: Vec<Entry>,
}

/// One revision.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Its number.
    pub revision: u32,
    /// How far it came.
    pub state: State,
    /// When it began.
    pub created: String,
    /// When it ended.
    pub finished: Option<String>,
    /// Who made it.
    pub deployer: String,
    /// How many objects it has.
    pub objects: usize,
    /// The images of its workloads.
    pub images: Vec<String>,
    /// What for.
    pub reason: String,
    /// Why it failed.
    pub message: String,
}

impl Listing {
    /// That of a release.
    pub fn new(context: &str, release: &Name, history: &History) -> Self {
        let entry = |revision: &Revision| Entry {
            revision: revision.number,
            state: revision.state,
            created: format!("{:.0}", revision.created),
            finished: revision.finished.map(|finished| format!("{finished:.0}")),
            deployer: revision.deployer.to_string(),
            objects: revision.objects.len(),
            images: revision.images().into_iter().collect(),
            reason: revision.reason.clone(),
            message: revision.message.clone(),
        };
        Self {
            schema: SCHEMA,
            context: context.to_owned(),
            namespace: release.namespace.clone(),
            release: release.name.clone(),
            revisions: history.revisions().map(entry).collect(),
        }
    }
}

/// The table for people, the newest revision last.
pub fn table(listing: &Listing) -> String {
    if listing.revisions.is_empty() {
        return format!("release {}/{} has no revisions", listing.namespace, listing.release);
    }
    let header = ["REVISION", "STATE", "CREATED", "OBJECTS", "IMAGES", "REASON"];
    let row = |entry: &Entry| {
        let images: Vec<String> = entry.images.iter().map(|image| short(image)).collect();
        let reason = if entry.message.is_empty() {
            entry.reason.clone()
        } else {
            format!("{}: {}", entry.reason, entry.message)
        };
        [
            entry.revision.to_string(),
            entry.state.to_string(),
            entry.created.clone(),
            entry.objects.to_string(),
            if images.is_empty() {
                "-".to_owned()
            } else {
                images.join(", ")
            },
            reason,
        ]
    };
    aligned(header, listing.revisions.iter().map(row))
}

/// `localhost/orders:sha256-5b194cedbfff…` is `orders:5b194cedbfff`, `docker.io/library/mariadb:11.8` is `mariadb:11.8`.
fn short(image: &str) -> String {
    let last = image.rsplit('/').next().unwrap_or(image);
    match last.split_once(":sha256-").or(last.split_once("@sha256:")) {
        Some((name, digits)) => format!("{name}:{}", digits.chars().take(12).collect::<String>()),
        None => last.to_owned(),
    }
}

/// The objects of a revision, the values of Secrets masked.
pub fn objects(revision: &Revision) -> Vec<DynamicObject> {
    revision.objects.iter().cloned().map(mask_values).collect()
}

/// The manifests of a revision, the values of Secrets masked.
///
/// # Errors
/// When they cannot be written as YAML.
pub fn yaml(revision: &Revision) -> Result<String> {
    let documents = objects(revision).into_iter().map(|object| {
        yaml::write(&object)
            .map_err(|error| Error::cluster(format!("revision {} cannot be shown", revision.number)).cause(error))
    });
    let documents: Vec<String> = documents.collect::<Result<_>>()?;
    Ok(documents.join("---\n"))
}

fn mask_values(mut object: DynamicObject) -> DynamicObject {
    let is_secret = object
        .types
        .as_ref()
        .is_some_and(|types| types.kind == <Secret as kube::Resource>::kind(&()) && types.api_version == "v1");
    for field in ["data", "stringData"] {
        let values = object.data.get_mut(field).and_then(Value::as_object_mut);
        for (_, value) in values.into_iter().flatten().filter(|_| is_secret) {
            *value = Value::String(MASK.to_owned());
        }
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::Record;
    use crate::release::tests::{release, revision};

    fn history() -> History {
        let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app}\nspec: {template: {spec: {containers: [\
            {image: 'localhost/orders:sha256-0123456789abcdef'}, {image: 'docker.io/library/mariadb:11.8'}]}}}\n---\n\
            apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {password: aGVsbG8=}\n";
        let objects = crate::manifest::parse("x", text).unwrap();
        let first = Revision {
            objects: objects.into_iter().map(|object| object.value).collect(),
            ..revision(1)
        };
        let second = Revision {
            state: State::Failed,
            message: "the image is gone".into(),
            objects: Vec::new(),
            ..revision(2)
        };
        let record = |revision| Record {
            revision,
            uid: String::new(),
            version: String::new(),
            renewed: jiff::Timestamp::UNIX_EPOCH,
        };
        History::new([first, second].map(record).into())
    }

    #[test]
    fn a_revision_in_a_row() {
        let listing = Listing::new("kind-a", &release(), &history());
        assert_eq!(
            table(&listing),
            "REVISION  STATE     CREATED               OBJECTS  IMAGES                             REASON\n\
             1         deployed  1970-01-01T00:00:00Z  2        mariadb:11.8, orders:0123456789ab  up\n\
             2         failed    1970-01-01T00:00:00Z  0        -                                  up: the image is gone\n"
        );
        let json = serde_json::to_value(&listing).unwrap();
        assert_eq!((&json["schema"], &json["release"]), (&SCHEMA.into(), &"shop".into()));
        assert_eq!(
            json["revisions"][1],
            serde_json::json!({"revision": 2, "state": "failed", "created": "1970-01-01T00:00:00Z", "finished": null,
                "deployer": "me@here, process 7", "objects": 0, "images": [], "reason": "up", "message": "the image is gone"})
        );
        let none = Listing::new("kind-a", &release(), &History::default());
        assert_eq!(table(&none), "release shop/shop has no revisions");
    }

    #[test]
    fn secrets_are_masked() {
        let history = history();
        let text = yaml(history.revision(1).unwrap()).unwrap();
        assert!(
            text.contains("kind: Deployment") && text.contains("---\n") && text.contains(MASK),
            "{text}"
        );
        assert!(!text.contains("aGVsbG8="), "{text}");
        crate::manifest::parse("x", &text).unwrap();
    }
}
