//! Edge: asks the API server whether the user may do what a plan needs, before anything is written.
//!
//! <https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access>

use crate::api::discover::Kinds;
use crate::manifest::Object;
use crate::plan;
use crate::plan::{Action, Plan};
use crate::release::{Identity, Name};
use cluster::Cluster;
use cluster::access::require;
use diagnostics::code;
use diagnostics::{Failure, Outcome};

/// Finds out whether a plan can go through.
///
/// # Errors
/// When the user lacks permissions: all of them, with the rules that would give them.
pub async fn permissions(cluster: &Cluster, kinds: &Kinds, plan: &Plan) -> Outcome<()> {
    let steps = plan.steps.iter().map(|step| (&step.identity, step.action));
    require(
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
    require(cluster, needed).await.err().unwrap_or(failure)
}

fn resource(kinds: &Kinds, identity: &Identity) -> Option<String> {
    let kind = kinds.find(&identity.group_version_kind())?;
    Some(kind.resource.plural)
}
