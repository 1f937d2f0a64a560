//! Edge: asks the API server whether the user may do what a plan needs, before anything is written.
//!
//! <https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access>

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec};
use kube::Api;
use kube::api::PostParams;

use super::{Cluster, discover::Kinds};
use crate::manifest::Object;
use crate::plan::{self, Action, Permission, Plan};
use crate::release::{Identity, Name};
use crate::settings::PARALLEL_REQUESTS;
use diagnostics::code;
use diagnostics::{Failure, Outcome};

/// Everything, everywhere: what an administrator may do, answered by one question in place of dozens.
const EVERYTHING: &str = "*";

/// Finds out whether a plan can go through.
///
/// # Errors
/// When the user lacks permissions: all of them, with the rules that would give them.
pub async fn permissions(cluster: &Cluster, kinds: &Kinds, plan: &Plan) -> Outcome<()> {
    let steps = plan.steps.iter().map(|step| (&step.identity, step.action));
    all_of(
        cluster,
        plan::needed(&plan.release, steps, |identity| resource(kinds, identity)),
    )
    .await
}

/// A failure to deploy some objects. Where it is a missing permission, the server names the first alone: all that are
/// missing at once are of more use.
pub async fn explained(
    cluster: &Cluster,
    kinds: &Kinds,
    release: &Name,
    objects: impl IntoIterator<Item = Object>,
    failure: Failure,
) -> Failure {
    if failure.number() != Some(&code::apply::PERMISSION_MISSING) {
        return failure;
    }
    let settled = objects
        .into_iter()
        .map(|object| kinds.settle(object, &release.namespace));
    let identities = settled.map(|settled| settled.map(|(object, _)| object.identity()));
    let identities: Vec<Identity> = match identities.collect() {
        Ok(identities) => identities,
        Err(unknown) => return unknown,
    };
    let steps = identities.iter().map(|identity| (identity, Action::Create));
    let needed = plan::needed(release, steps, |identity| resource(kinds, identity));
    all_of(cluster, needed).await.err().unwrap_or(failure)
}

fn resource(kinds: &Kinds, identity: &Identity) -> Option<String> {
    let kind = kinds.find(&identity.group_version_kind())?;
    Some(kind.resource.plural)
}

/// Finds out whether the user has some permissions.
///
/// # Errors
/// When one is missing.
pub async fn all_of(cluster: &Cluster, needed: BTreeSet<Permission>) -> Outcome<()> {
    let everything = Permission {
        namespace: None,
        group: EVERYTHING.to_owned(),
        resource: EVERYTHING.to_owned(),
        verb: EVERYTHING,
    };
    if needed.is_empty() || is_allowed(cluster, &everything).await? {
        return Ok(());
    }
    let answers = stream::iter(needed).map(|permission| async move {
        let allowed = is_allowed(cluster, &permission).await?;
        Outcome::Ok((!allowed).then_some(permission))
    });
    let answers: Vec<Option<Permission>> = answers.buffered(PARALLEL_REQUESTS).try_collect().await?;
    let missing: BTreeSet<Permission> = answers.into_iter().flatten().collect();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(plan::missing(&cluster.context, &missing)),
    }
}

async fn is_allowed(cluster: &Cluster, permission: &Permission) -> Outcome<bool> {
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
    let what = "cannot find out what the user may do";
    let answer = cluster.call(what, api.create(&PostParams::default(), &review)).await?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}
