//! Edge: asks the API server whether the user may do something, before anything is written.
//!
//! <https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access>

use std::collections::BTreeSet;

use diagnostics::Result;
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec};
use kube::Api;
use kube::api::PostParams;

use super::client::{Cluster, PARALLEL_REQUESTS};
use super::permission::{self, Permission};

/// Everything, everywhere: what an administrator may do, answered by one question in place of dozens.
const EVERYTHING: &str = "*";

/// Finds out whether the user has some permissions.
///
/// # Errors
/// When one is missing.
pub async fn require(cluster: &Cluster, needed: BTreeSet<Permission>) -> Result<()> {
    let everything = Permission::new(None, EVERYTHING, EVERYTHING, EVERYTHING);
    if needed.is_empty() || is_allowed(cluster, &everything).await? {
        return Ok(());
    }
    let answers = stream::iter(needed).map(|permission| async move {
        let allowed = is_allowed(cluster, &permission).await?;
        Result::Ok((!allowed).then_some(permission))
    });
    let answers: Vec<Option<Permission>> = answers.buffered(PARALLEL_REQUESTS).try_collect().await?;
    let missing: BTreeSet<Permission> = answers.into_iter().flatten().collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(permission::missing(&cluster.context, &missing))
    }
}

async fn is_allowed(cluster: &Cluster, permission: &Permission) -> Result<bool> {
    let (resource, subresource) = match permission.resource.split_once('/') {
        Some((resource, subresource)) => (resource, Some(subresource.to_owned())),
        None => (permission.resource.as_str(), None),
    };
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(ResourceAttributes {
                group: Some(permission.group.clone()),
                namespace: permission.namespace.clone(),
                resource: Some(resource.to_owned()),
                subresource,
                verb: Some(permission.verb.to_owned()),
                ..ResourceAttributes::default()
            }),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let api: Api<SelfSubjectAccessReview> = Api::all(cluster.client.clone());
    let message = "cannot find out what the user may do";
    let answer = cluster
        .call(message, api.create(&PostParams::default(), &review))
        .await?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}
