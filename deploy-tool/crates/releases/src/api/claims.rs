//! Edge: annotates cluster-scoped objects with the releases that use them, and keeps those that another release uses.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::Api;
use kube::api::{DynamicObject, ListParams, Patch, PatchParams};
use serde_json::json;

use crate::api::delete::DeletionTarget;
use crate::api::discover::Kinds;
use crate::plan::{Action, Step};
use crate::release::record::RELEASE_LABEL;
use crate::release::{Name, claim_annotation, claim_manager, claiming_releases};
use cluster::client::explain;
use cluster::{Cluster, path_segment};
use diagnostics::{Error, Result};

/// Annotates an object with the release, if it is not annotated already.
///
/// # Errors
/// When the server refuses.
pub async fn claim(
    cluster: &Cluster,
    api: &Api<DynamicObject>,
    release: &Name,
    stored: DynamicObject,
) -> Result<DynamicObject> {
    if stored.metadata.namespace.is_some() || claiming_releases(&stored).contains(release) {
        return Ok(stored);
    }
    let name = stored.metadata.name.as_deref().unwrap_or_default();
    let message = format!("cannot say on `{name}` that release {release} has it");
    let claim = json!({
        "apiVersion": stored.types.as_ref().map(|types| &types.api_version),
        "kind": stored.types.as_ref().map(|types| &types.kind),
        // With the uid, so that an apply does not create an object that was deleted in between.
        "metadata": {"name": name, "uid": stored.metadata.uid, "annotations": {claim_annotation(release): "true"}},
    });
    let patch = Patch::Apply(&claim);
    cluster
        .call(&message, api.patch(&path_segment(name), &parameters(release), &patch))
        .await
}

/// Removes the annotation of a release from an object, if the object still exists.
///
/// # Errors
/// When the server refuses.
pub async fn release_claim(cluster: &Cluster, kinds: &Kinds, release: &Name, target: &DeletionTarget) -> Result<()> {
    let identity = &target.identity;
    let kind = kinds.find_served(&identity.group_version_kind());
    let (Some(kind), true) = (kind, target.claimed_by.contains(release)) else {
        return Ok(());
    };
    let message = format!("cannot give up {}", identity.title());
    let nothing = json!({"apiVersion": kind.resource.api_version, "kind": identity.kind,
        "metadata": {"name": identity.name, "uid": target.uid}});
    let api: Api<DynamicObject> = Api::all_with(cluster.client.clone(), &kind.resource);
    let patch = Patch::Apply(&nothing);
    match cluster
        .answer(
            &message,
            api.patch(&path_segment(&identity.name), &parameters(release), &patch),
        )
        .await?
    {
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(()),
        Err(error) => Err(Error::cluster(message).cause(explain(&error))),
        Ok(_) => Ok(()),
    }
}

fn parameters(release: &Name) -> PatchParams {
    PatchParams::apply(&claim_manager(release)).force()
}

/// Keeps what belongs to the whole cluster and another release has as well.
///
/// # Errors
/// When the server does not answer.
pub async fn keep_shared(cluster: &Cluster, release: &Name, steps: &mut [Step]) -> Result<()> {
    let mut living = LivingReleases::new(cluster, release);
    for step in steps.iter_mut().filter(|step| step.action == Action::Prune) {
        let Some(live) = &step.live else { continue };
        if let Some(owner) = living.find_first(&claiming_releases(live)).await? {
            step.action = Action::Keep;
            step.given_up = true;
            step.notes.push(format!("left: release {owner} has it, too"));
        }
    }
    Ok(())
}

/// Which of the releases that objects name are still there.
pub struct LivingReleases<'a> {
    cluster: &'a Cluster,
    own: &'a Name,
    known: BTreeMap<Name, bool>,
}

impl<'a> LivingReleases<'a> {
    /// Those beside a release's own.
    pub fn new(cluster: &'a Cluster, own: &'a Name) -> Self {
        Self {
            cluster,
            own,
            known: BTreeMap::new(),
        }
    }

    /// The first of some releases that is there.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn find_first<'n>(&mut self, names: &'n BTreeSet<Name>) -> Result<Option<&'n Name>> {
        for name in names.iter().filter(|name| *name != self.own) {
            let is_there = match self.known.get(name) {
                Some(known) => *known,
                None => is_there(self.cluster, name).await?,
            };
            self.known.insert(name.clone(), is_there);
            if is_there {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }
}

/// Whether a release has records. They are deleted with their namespace. Without the permission to read them, the release
/// is assumed to exist.
async fn is_there(cluster: &Cluster, release: &Name) -> Result<bool> {
    let message = format!("cannot find out whether there is a release {release}");
    let namespaces: Api<Namespace> = Api::all(cluster.client.clone());
    let namespace = cluster
        .answer(&message, namespaces.get_metadata_opt(&release.namespace))
        .await?;
    if matches!(namespace, Ok(None)) {
        return Ok(false);
    }
    let secrets: Api<Secret> = Api::namespaced(cluster.client.clone(), &release.namespace);
    let parameters = ListParams::default()
        .labels(&format!("{RELEASE_LABEL}={}", release.name))
        .limit(1);
    let records = cluster.answer(&message, secrets.list_metadata(&parameters)).await?;
    Ok(records.map_or(true, |records| !records.items.is_empty()))
}
