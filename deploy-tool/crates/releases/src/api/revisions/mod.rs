//! Edge: the revisions of a release, stored as Secrets in its namespace. The pending one is the lock of the release.
//!
//! Every write has the resourceVersion that was read (compare-and-swap): of two concurrent writers, one is refused.
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions>

mod lease;
mod lock;

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{DeleteParams, ListParams, Preconditions};

pub use lease::ReleaseLease;
pub use lock::{acquire, begin_revision, refuse_locked};

use crate::manifest::Object;
use crate::release::record::{self, RELEASE_LABEL, SECRET_TYPE};
use crate::release::{History, Identity, Name, Record};
use cluster::client::{Cluster, explain};
use cluster::list;
use diagnostics::{Error, Result, code};

/// A revision may be 1 MiB large: so many come in one answer.
const PAGE: u32 = 20;

/// The revisions of a release.
///
/// # Errors
/// When the server does not answer, or a revision cannot be read.
pub async fn read_history(cluster: &Cluster, release: &Name) -> Result<History> {
    let message = format!("cannot read the revisions of release {release}");
    let parameters = ListParams::default()
        .labels(&format!("{RELEASE_LABEL}={}", release.name))
        .fields(&format!("type={SECRET_TYPE}"))
        .limit(PAGE);
    let secrets = list::all(cluster, &secrets_of(cluster, release), &parameters, &message).await?;
    let records = secrets.iter().map(record::record).collect::<Result<Vec<_>>>()?;
    Ok(History::new(records))
}

/// Refuses manifests that name no namespace any more, when the release of one that they define has these objects: they
/// would be taken for another release, and what has left them would stay for ever.
///
/// # Errors
/// When there is such a release, or the server does not say whether there is.
pub async fn refuse_unnamed(cluster: &Cluster, release: &Name, objects: &[Object]) -> Result<()> {
    let identities: BTreeSet<Identity> = objects.iter().map(Object::identity).collect();
    for alternative in release.alternatives(objects) {
        let history = match read_history(cluster, &alternative).await {
            Ok(history) => history,
            // Who may not read a release has not made it.
            Err(failure) if failure.number() == Some(&code::apply::PERMISSION_MISSING) => continue,
            Err(failure) => return Err(failure),
        };
        let inventory = history.inventory();
        let Some(shared) = inventory.intersection(&identities).next() else {
            continue;
        };
        return Err(Error::input("the manifests do not say of which release they are")
            .code(&code::release::ANOTHER_RELEASE)
            .cause(format!(
                "no object of theirs is in a namespace, and release {alternative} has {}",
                shared.title()
            ))
            .hint(format!("name the release: --namespace {}", alternative.namespace))
            .hint("or make another one of them, with --namespace and --release"));
    }
    Ok(())
}

/// Deletes the records of some revisions, by their uid: newer records with the same numbers are kept.
///
/// # Errors
/// When the server refuses.
pub async fn delete_records<'r>(
    cluster: &Cluster,
    release: &Name,
    records: impl IntoIterator<Item = &'r Record>,
) -> Result<()> {
    let api = secrets_of(cluster, release);
    for record in records {
        let number = record.revision.number;
        let message = format!("cannot delete the record of revision {number} of release {release}");
        let name = record::secret_name(release, number);
        let preconditions = Preconditions {
            uid: Some(record.uid.clone()),
            resource_version: None,
        };
        let parameters = DeleteParams::default().preconditions(preconditions);
        match cluster.answer(&message, api.delete(&name, &parameters)).await? {
            // It is deleted or replaced already.
            Err(error) if is_conflict(&error) => {}
            Err(error) => return Err(Error::cluster(message).cause(explain(&error))),
            Ok(_) => {}
        }
    }
    Ok(())
}

fn is_conflict(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if matches!(status.code, 404 | 409))
}

fn secrets_of(cluster: &Cluster, release: &Name) -> Api<Secret> {
    Api::namespaced(cluster.client.clone(), &release.namespace)
}
