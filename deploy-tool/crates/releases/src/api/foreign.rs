//! Edge: what is in a namespace that its release has not made.

use futures::{StreamExt, TryStreamExt, stream};
use kube::Api;
use kube::api::{DynamicObject, ListParams};
use kube::core::ApiResource;

use crate::api::discover::Kinds;
use crate::release::{Name, is_foreign};
use cluster::Cluster;
use cluster::PARALLEL_REQUESTS;
use cluster::client::explain;
use diagnostics::{Failure, Outcome};

/// More than these need not be named.
const PAGE: u32 = 100;

/// The objects of others in a namespace, as titles; all of the release's own are deleted already.
///
/// # Errors
/// When the server does not answer, or refuses to list some kind: then nobody knows whose objects there are.
pub async fn objects(cluster: &Cluster, kinds: &Kinds, release: &Name, namespace: &str) -> Outcome<Vec<String>> {
    let lists = stream::iter(kinds.kept_in_namespaces()).map(|resource| async move {
        let found = list(cluster, namespace, &resource).await?;
        let foreign = found
            .iter()
            .filter(|object| is_foreign(release, &resource.kind, object));
        let titles = foreign.map(|object| format!("{} `{}`", resource.kind, kube::ResourceExt::name_any(object)));
        Outcome::Ok(titles.collect::<Vec<_>>())
    });
    let titles: Vec<Vec<String>> = lists.buffered(PARALLEL_REQUESTS).try_collect().await?;
    Ok(titles.into_iter().flatten().collect())
}

async fn list(
    cluster: &Cluster,
    namespace: &str,
    resource: &ApiResource,
) -> Outcome<Vec<kube::api::PartialObjectMeta<DynamicObject>>> {
    let what = format!(
        "cannot look for objects of kind {} in namespace `{namespace}`",
        resource.kind
    );
    let api: Api<DynamicObject> = Api::namespaced_with(cluster.client.clone(), namespace, resource);
    match cluster
        .answer(&what, api.list_metadata(&ListParams::default().limit(PAGE)))
        .await?
    {
        Ok(found) => Ok(found.items),
        // Kinds that can be listed only by name, or not any more.
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 405) => Ok(Vec::new()),
        Err(error) => Err(Failure::cluster(what).because(explain(&error))),
    }
}
