//! Edge: deletes objects and waits until they are gone.

use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::api::{DeleteParams, DynamicObject, ListParams, Preconditions};
use kube::runtime::wait::await_condition;
use kube::{Api, ResourceExt};

use super::{Cluster, discover::Placed};
use crate::failure::Outcome;
use crate::settings::FIELD_MANAGER;

/// What became of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// It is on its way out.
    Asked,
    /// It was not there.
    Absent,
    /// It is there, but somebody else made it.
    Foreign,
}

/// Asks for an object's deletion, after that of everything it owns.
///
/// # Errors
/// When the server refuses.
pub async fn delete(cluster: &Cluster, placed: &Placed) -> Outcome<Removal> {
    let name = placed.object.name();
    let what = format!("cannot delete {}", placed.object.title());
    let Some(found) = cluster.call(&what, placed.api.get_opt(name)).await? else {
        return Ok(Removal::Absent);
    };
    let ours = found
        .managed_fields()
        .iter()
        .any(|entry| entry.manager.as_deref() == Some(FIELD_MANAGER));
    if !ours {
        return Ok(Removal::Foreign);
    }
    // Exactly the object that was looked at, not one of the same name that came since.
    let preconditions = Preconditions {
        uid: found.uid(),
        resource_version: None,
    };
    let parameters = DeleteParams::foreground().preconditions(preconditions);
    match cluster.answer(&what, placed.api.delete(name, &parameters)).await? {
        Ok(_) => Ok(Removal::Asked),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(Removal::Absent),
        Err(error) => cluster.call(&what, async { Err(error) }).await,
    }
}

/// Waits until an object is gone; for ever, if it stays: the caller sets the deadline.
pub async fn gone(placed: &Placed) {
    let name = placed.object.name();
    let absent = |object: Option<&DynamicObject>| object.is_none();
    while await_condition(placed.api.clone(), name, absent).await.is_err() {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
}

/// The claims that a StatefulSet's controller made: it labels them as the set's pods.
///
/// # Errors
/// When the server does not answer.
pub async fn claims(cluster: &Cluster, namespace: &str, selector: &str) -> Outcome<Vec<String>> {
    let api: Api<PersistentVolumeClaim> = Api::namespaced(cluster.client.clone(), namespace);
    let what = format!("cannot list the volume claims of namespace `{namespace}`");
    let found = cluster
        .call(&what, api.list(&ListParams::default().labels(selector)))
        .await?;
    Ok(found.items.iter().map(ResourceExt::name_any).collect())
}

/// Deletes a volume claim and waits until it is gone.
///
/// # Errors
/// When the server refuses.
pub async fn delete_claim(cluster: &Cluster, namespace: &str, name: &str) -> Outcome<()> {
    let api: Api<PersistentVolumeClaim> = Api::namespaced(cluster.client.clone(), namespace);
    let what = format!("cannot delete the volume claim `{name}`");
    cluster
        .call(&what, api.delete(name, &DeleteParams::default()))
        .await
        .map(|_| ())
}
