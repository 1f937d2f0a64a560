//! Edge: asks the API server whether the user may do what a plan needs, before anything is written.
//!
//! <https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access>

use crate::api::discover::Kinds;
use crate::manifest::Object;
use crate::plan;
use crate::plan::{Action, Plan, Step};
use crate::release::{Identity, Name};
use cluster::Cluster;
use cluster::access::require;
use diagnostics::code;
use diagnostics::{Error, Result};
use kube::core::GroupVersionKind;

/// Finds out whether a plan can go through.
///
/// # Errors
/// When the user lacks permissions: all of them, with the rules that would give them.
pub async fn require_permissions(cluster: &Cluster, kinds: &Kinds, plan: &Plan) -> Result<()> {
    let steps = plan
        .steps
        .iter()
        .map(|step| (&step.identity, needed_action(step), step.object.as_ref()));
    require(
        cluster,
        plan::needed(&plan.release, steps, |kind| plural_name(kinds, kind)),
    )
    .await
}

/// A failure to deploy some objects. Where it is a missing permission, the server names the first alone: all that are
/// missing at once are of more use.
pub async fn explain_refusal(
    cluster: &Cluster,
    kinds: &Kinds,
    release: &Name,
    objects: impl IntoIterator<Item = Object>,
    failure: Error,
) -> Error {
    if failure.number() != Some(&code::apply::PERMISSION_MISSING) {
        return failure;
    }
    let settled = objects
        .into_iter()
        .map(|object| kinds.resolve_object(object, &release.namespace));
    let objects: Vec<(Identity, Object)> = match settled
        .map(|settled| settled.map(|(object, _)| (object.identity(), object)))
        .collect()
    {
        Ok(objects) => objects,
        Err(unknown) => return unknown,
    };
    let steps = objects
        .iter()
        .map(|(identity, object)| (identity, Action::Create, Some(object)));
    let needed = plan::needed(release, steps, |kind| plural_name(kinds, kind));
    require(cluster, needed).await.err().unwrap_or(failure)
}

/// What a release gives up keeps everything but the release's own annotation.
fn needed_action(step: &Step) -> Action {
    if step.given_up { Action::Change } else { step.action }
}

fn plural_name(kinds: &Kinds, kind: &GroupVersionKind) -> Option<String> {
    Some(kinds.find(kind)?.resource.plural)
}
