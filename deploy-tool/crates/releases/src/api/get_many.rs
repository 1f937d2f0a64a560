//! Edge: reads objects with few requests: one list where many share a kind and a namespace, else one by one.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};
use kube::api::{DynamicObject, ListParams, TypeMeta};

use crate::api::discover::Kinds;
use crate::api::discover::{Kind, api};
use crate::release::Identity;
use cluster::PARALLEL_REQUESTS;
use cluster::{Cluster, path_segment};
use diagnostics::Result;

/// So many objects of a kind and a namespace are read by a list.
const FEWEST_LISTED: usize = 8;
/// How many objects a list may have for each that is wanted: a namespace may be full of Secrets of 1 MiB of others. Where
/// it has more, the rest is read one by one rather than page by page.
const MOST_PER_WANTED: usize = 2;
/// The longest list.
const MOST_LISTED: usize = 500;

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
async fn read_group(cluster: &Cluster, kind: Kind, wanted: Vec<Identity>) -> Result<Vec<(Identity, DynamicObject)>> {
    let namespace = wanted.first().and_then(|identity| identity.namespace.clone());
    let api = api(cluster, &kind, namespace.as_deref());
    let message = format!("cannot read the objects of kind {}", kind.resource.kind);
    let mut found = Vec::new();
    let mut wanted: BTreeMap<String, Identity> = wanted
        .into_iter()
        .map(|identity| (identity.name.clone(), identity))
        .collect();
    if wanted.len() >= FEWEST_LISTED {
        let limit = (wanted.len() * MOST_PER_WANTED).min(MOST_LISTED);
        let parameters = ListParams {
            limit: u32::try_from(limit).ok(),
            ..ListParams::default()
        };
        let list = cluster.answer(&message, api.list(&parameters)).await?;
        // Without the permission to list, the user may still read by name.
        if let Ok(list) = list {
            let complete = list.metadata.continue_.is_none_or(|token| token.is_empty());
            for object in list.items {
                if let Some(identity) = wanted.remove(object.metadata.name.as_deref().unwrap_or_default()) {
                    found.push((identity, with_type(&kind, object)));
                }
            }
            if complete {
                return Ok(found);
            }
        }
    }
    let rest = stream::iter(wanted.into_values()).map(|identity| {
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
