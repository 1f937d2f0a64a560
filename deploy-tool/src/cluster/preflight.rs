//! Edge: asks the API server whether the user may do what a plan needs, before anything is written.
//!
//! <https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access>

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec};
use kube::Api;
use kube::api::PostParams;

use super::{Cluster, discover::Kinds};
use crate::failure::Outcome;
use crate::plan::{self, Action, Permission, Plan};
use crate::release::{Identity, Name};
use crate::settings::PARALLEL_REQUESTS;

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

/// Finds out whether some objects can be made, though it is not known which of them are there.
///
/// # Errors
/// When the user lacks permissions.
pub async fn to_make(cluster: &Cluster, kinds: &Kinds, release: &Name, objects: &BTreeSet<Identity>) -> Outcome<()> {
    let steps = objects.iter().map(|identity| (identity, Action::Create));
    all_of(
        cluster,
        plan::needed(release, steps, |identity| resource(kinds, identity)),
    )
    .await
}

fn resource(kinds: &Kinds, identity: &Identity) -> Option<String> {
    let kind = kinds.find(&identity.group_version_kind())?;
    Some(kind.resource.plural)
}

/// Finds out whether the user has some permissions.
///
/// # Errors
/// When one is missing.
async fn all_of(cluster: &Cluster, needed: BTreeSet<Permission>) -> Outcome<()> {
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
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(ResourceAttributes {
                group: Some(permission.group.clone()),
                namespace: permission.namespace.clone(),
                resource: Some(permission.resource.clone()),
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
