//! Edge: lists the objects in a namespace that do not belong to its release.

use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, CustomResourceDefinitionSpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{DynamicObject, ListParams, PartialObjectMeta};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, ResourceExt};

use crate::api::discover::{Kinds, explain_unreachable};
use crate::release::{Name, is_foreign};
use cluster::client::explain;
use cluster::{Cluster, PARALLEL_REQUESTS, list};
use diagnostics::{Error, Result};

/// Lists the titles of foreign objects in a namespace, after the objects of the release were deleted.
///
/// # Errors
/// When a kind cannot be listed: then it is unknown whether there are foreign objects.
pub async fn list_objects(cluster: &Cluster, kinds: &Kinds, release: &Name, namespace: &str) -> Result<Vec<String>> {
    refuse_unreachable_groups(cluster, kinds, namespace).await?;
    let lists = stream::iter(kinds.namespaced_kinds())
        .map(|resource| async move { list_kind(cluster, kinds, release, namespace, &resource).await });
    let found: Vec<Vec<UnmanagedObject>> = lists.buffered(PARALLEL_REQUESTS).try_collect().await?;
    let mut found: Vec<UnmanagedObject> = found.into_iter().flatten().collect();
    // Objects without an owner first: a user has created them, and dependents may be many.
    found.sort_by_key(|object| object.is_owned);
    Ok(found.into_iter().map(|object| object.title).collect())
}

/// Lists the titles of the custom resources of a definition in all namespaces, after those of the release were deleted.
///
/// # Errors
/// When they cannot be listed: then it is unknown whether there are foreign ones.
pub async fn list_custom_objects(cluster: &Cluster, definition: &str) -> Result<Vec<String>> {
    let message = format!("cannot find out what others have of CustomResourceDefinition `{definition}`");
    let definitions: Api<CustomResourceDefinition> = Api::all(cluster.client.clone());
    let Some(definition) = cluster.call(&message, definitions.get_opt(definition)).await? else {
        return Ok(Vec::new());
    };
    let CustomResourceDefinitionSpec {
        group, names, versions, ..
    } = definition.spec;
    let Some(version) = versions.into_iter().find(|version| version.served) else {
        return Err(Error::cluster(message)
            .cause("none of its versions is served")
            .hint("serve a version of it, or delete it with `kubectl delete customresourcedefinition`"));
    };
    let kind = GroupVersionKind::gvk(&group, &version.name, &names.kind);
    let resource = ApiResource::from_gvk_with_plural(&kind, &names.plural);
    let api: Api<DynamicObject> = Api::all_with(cluster.client.clone(), &resource);
    let title = |object: PartialObjectMeta<DynamicObject>| {
        let namespace = object
            .namespace()
            .map_or_else(String::new, |namespace| format!("{namespace}/"));
        let is_there = object.metadata.deletion_timestamp.is_none();
        is_there.then(|| format!("{} `{namespace}{}`", names.kind, object.name_any()))
    };
    let found = list::of_metadata(cluster, &api, &message, title).await?;
    found.map_err(|error| Error::cluster(message).cause(explain(&error)))
}

/// Fails for API groups whose server does not answer, as their objects cannot be listed; not for one whose APIService was
/// deleted, as it may have been an object of the release.
async fn refuse_unreachable_groups(cluster: &Cluster, kinds: &Kinds, namespace: &str) -> Result<()> {
    let groups = kinds.unreachable_groups();
    if groups.is_empty() {
        return Ok(());
    }
    let message = format!("cannot find out what others have in namespace `{namespace}`");
    let kind = GroupVersionKind::gvk("apiregistration.k8s.io", "v1", "APIService");
    let api: Api<DynamicObject> = Api::all_with(cluster.client.clone(), &ApiResource::from_gvk(&kind));
    let services = cluster.answer(&message, api.list(&ListParams::default())).await?;
    let is_served = |group: &&&str| {
        // Who may not read APIServices takes them for being there.
        services.as_ref().map_or(true, |services| {
            let mut groups = services
                .iter()
                .filter_map(|service| service.data["spec"]["group"].as_str());
            groups.any(|served| served == **group)
        })
    };
    match groups.iter().find(is_served) {
        Some(group) => Err(explain_unreachable(&message, group)),
        None => Ok(()),
    }
}

struct UnmanagedObject {
    title: String,
    is_owned: bool,
}

async fn list_kind(
    cluster: &Cluster,
    kinds: &Kinds,
    release: &Name,
    namespace: &str,
    resource: &ApiResource,
) -> Result<Vec<UnmanagedObject>> {
    let message = format!(
        "cannot look for objects of kind {} in namespace `{namespace}`",
        resource.kind
    );
    let api: Api<DynamicObject> = Api::namespaced_with(cluster.client.clone(), namespace, resource);
    let wanted = |object: PartialObjectMeta<DynamicObject>| {
        is_foreign(release, &resource.kind, &object, |owner| is_in_namespace(kinds, owner)).then(|| UnmanagedObject {
            title: format!("{} `{}`", resource.kind, object.name_any()),
            is_owned: !object.owner_references().is_empty(),
        })
    };
    match list::of_metadata(cluster, &api, &message, wanted).await? {
        Ok(found) => Ok(found),
        // Kinds that can be listed only by name, or not any more.
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 405) => Ok(Vec::new()),
        Err(error) => Err(Error::cluster(message).cause(explain(&error))),
    }
}

/// Whether an owner is a namespaced object: then it is in the same namespace, and decides for its dependents.
fn is_in_namespace(kinds: &Kinds, owner: &OwnerReference) -> bool {
    let (group, version) = owner.api_version.split_once('/').unwrap_or(("", &owner.api_version));
    let kind = GroupVersionKind::gvk(group, version, &owner.kind);
    kinds.find(&kind).is_some_and(|kind| kind.namespaced)
}
