//! Edge: lists of any length, page by page: neither the API server nor this process ever holds a long one at once.
//!
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks>

use kube::Api;
use kube::api::ListParams;
use serde::de::DeserializeOwned;

use crate::Cluster;
use diagnostics::Outcome;

/// What kubectl asks for at once.
const PAGE: u32 = 500;

/// All objects that the parameters select.
///
/// # Errors
/// When the server does not answer.
pub async fn all<K>(cluster: &Cluster, api: &Api<K>, parameters: &ListParams, what: &str) -> Outcome<Vec<K>>
where
    K: Clone + std::fmt::Debug + DeserializeOwned,
{
    reduced(cluster, api, parameters, what, Some).await
}

/// What is wanted of each object that the parameters select; the rest goes with its page.
///
/// # Errors
/// When the server does not answer.
pub async fn reduced<K, T>(
    cluster: &Cluster,
    api: &Api<K>,
    parameters: &ListParams,
    what: &str,
    wanted: impl Fn(K) -> Option<T>,
) -> Outcome<Vec<T>>
where
    K: Clone + std::fmt::Debug + DeserializeOwned,
{
    let mut found = Vec::new();
    let mut parameters = parameters.clone().limit(PAGE);
    loop {
        let page = match cluster.answer(what, api.list(&parameters)).await? {
            // The list is older than the server remembers: from the start, as it is now.
            Err(kube::Error::Api(status)) if status.code == 410 && parameters.continue_token.is_some() => {
                found.clear();
                parameters.continue_token = None;
                continue;
            }
            page => cluster.call(what, async { page }).await?,
        };
        found.extend(page.items.into_iter().filter_map(&wanted));
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => parameters.continue_token = Some(token),
            None => return Ok(found),
        }
    }
}
