//! Edge: lists of any length, page by page: neither the API server nor this process ever holds a long one at once.
//!
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks>

use kube::Api;
use kube::api::{DynamicObject, ListParams, ObjectList, PartialObjectMeta};
use serde::de::DeserializeOwned;

use crate::Cluster;
use diagnostics::Result;

/// What kubectl asks for at once. Parameters may have another limit.
const PAGE: u32 = 500;

/// All objects that the parameters select.
///
/// # Errors
/// When the server does not answer.
pub async fn all<K>(cluster: &Cluster, api: &Api<K>, parameters: &ListParams, message: &str) -> Result<Vec<K>>
where
    K: Clone + std::fmt::Debug + DeserializeOwned,
{
    extract(cluster, api, parameters, message, Some).await
}

/// Lists objects page by page, and keeps only the result of `wanted` for each, to save memory.
///
/// # Errors
/// When the server does not answer.
pub async fn extract<K, T>(
    cluster: &Cluster,
    api: &Api<K>,
    parameters: &ListParams,
    message: &str,
    wanted: impl Fn(K) -> Option<T>,
) -> Result<Vec<T>>
where
    K: Clone + std::fmt::Debug + DeserializeOwned,
{
    let fetch = async |parameters: &ListParams| api.list(parameters).await;
    let found = pages(cluster, parameters.clone(), message, fetch, wanted).await?;
    cluster.call(message, async { found }).await
}

/// Lists the metadata of objects, and keeps the result of `wanted` for each. The outer error is that the server does not
/// answer, the inner one its answer.
///
/// # Errors
/// When the server does not answer.
pub async fn of_metadata<T>(
    cluster: &Cluster,
    api: &Api<DynamicObject>,
    message: &str,
    wanted: impl Fn(PartialObjectMeta<DynamicObject>) -> Option<T>,
) -> Result<kube::Result<Vec<T>>> {
    let fetch = async |parameters: &ListParams| api.list_metadata(parameters).await;
    pages(cluster, ListParams::default(), message, fetch, wanted).await
}

async fn pages<K: Clone, T>(
    cluster: &Cluster,
    mut parameters: ListParams,
    message: &str,
    fetch: impl AsyncFn(&ListParams) -> kube::Result<ObjectList<K>>,
    wanted: impl Fn(K) -> Option<T>,
) -> Result<kube::Result<Vec<T>>> {
    let mut found = Vec::new();
    parameters.limit.get_or_insert(PAGE);
    loop {
        let page = match cluster.answer(message, fetch(&parameters)).await? {
            Ok(page) => page,
            // The list is older than the server remembers: from the start, as it is now.
            Err(kube::Error::Api(status)) if status.code == 410 && parameters.continue_token.is_some() => {
                found.clear();
                parameters.continue_token = None;
                continue;
            }
            Err(error) => return Ok(Err(error)),
        };
        found.extend(page.items.into_iter().filter_map(&wanted));
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => parameters.continue_token = Some(token),
            None => return Ok(Ok(found)),
        }
    }
}
