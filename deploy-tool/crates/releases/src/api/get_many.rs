//! Edge: reads objects with few requests: one list where several share a kind and a namespace, else one by one.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};
use kube::api::{DynamicObject, ListParams, TypeMeta};

use crate::api::discover::Kinds;
use crate::api::discover::{Kind, api};
use crate::release::Identity;
use cluster::PARALLEL_REQUESTS;
use cluster::{Cluster, path_segment};
use diagnostics::Result;

/// One page of a list. Where a namespace has more, the rest is read one by one rather than page by page.
const PAGE: u32 = 500;

/// What objects share that are read at once: version, kind and namespace.
type GroupKey = (String, String, Option<String>);

/// The objects that are there. Kinds that the cluster does not know have none.
///
/// # Errors
/// When the server does not answer, or refuses.
pub async fn read_objects(
    cluster: &Cluster,
    kinds: &Kinds,
    identities: impl IntoIterator<Item = Identity>,
) -> Result<BTreeMap<Identity, DynamicObject>> {
    let mut groups: BTreeMap<GroupKey, (Kind, Vec<Identity>)> = BTreeMap::new();
    for identity in identities {
        let Some(kind) = kinds.find_served(&identity.group_version_kind()) else {
            continue;
        };
        let key = (
            kind.resource.api_version.clone(),
            identity.kind.clone(),
            identity.namespace.clone(),
        );
        groups.entry(key).or_insert((kind, Vec::new())).1.push(identity);
    }
    let groups = groups.into_values();
    let found = stream::iter(groups.map(|(kind, group)| read_group(cluster, kind, group)));
    let found: Vec<Vec<_>> = found.buffered(PARALLEL_REQUESTS).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

/// The objects of one kind and namespace.
async fn read_group(
    cluster: &Cluster,
    kind: Kind,
    mut wanted: Vec<Identity>,
) -> Result<Vec<(Identity, DynamicObject)>> {
    let namespace = wanted.first().and_then(|identity| identity.namespace.clone());
    let api = api(cluster, &kind, namespace.as_deref());
    let message = format!("cannot read the objects of kind {}", kind.resource.kind);
    let mut found = Vec::new();
    if wanted.len() > 1 {
        let list = cluster
            .answer(&message, api.list(&ListParams::default().limit(PAGE)))
            .await?;
        // Without the permission to list, the user may still read by name.
        if let Ok(list) = list {
            let complete = list.metadata.continue_.is_none_or(|token| token.is_empty());
            for object in list.items {
                let name = object.metadata.name.as_deref();
                if let Some(place) = wanted.iter().position(|identity| Some(identity.name.as_str()) == name) {
                    found.push((wanted.swap_remove(place), with_type(&kind, object)));
                }
            }
            if complete {
                return Ok(found);
            }
        }
    }
    let rest = stream::iter(wanted).map(|identity| {
        let api = api.clone();
        async move {
            let message = format!("cannot read {}", identity.title());
            let object = cluster
                .call(&message, api.get_opt(&path_segment(&identity.name)))
                .await?;
            Result::Ok((identity, object))
        }
    });
    let rest: Vec<_> = rest.buffered(PARALLEL_REQUESTS).try_collect().await?;
    let rest = rest.into_iter();
    found.extend(rest.filter_map(|(identity, object)| Some((identity, with_type(&kind, object?)))));
    Ok(found)
}

/// Adds the apiVersion and kind, which the items of a list do not have.
fn with_type(kind: &Kind, object: DynamicObject) -> DynamicObject {
    DynamicObject {
        types: Some(TypeMeta {
            api_version: kind.resource.api_version.clone(),
            kind: kind.resource.kind.clone(),
        }),
        ..object
    }
}
