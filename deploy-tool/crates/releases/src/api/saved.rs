//! Edge: whether a saved plan still fits the cluster.

use k8s_openapi::api::core::v1::Namespace;
use kube::Api;

use crate::api::discover::Kinds;
use crate::api::get_many;
use crate::plan::saved::Saved;
use crate::plan::{self, Plan};
use cluster::Cluster;
use cluster::client::explain;
use diagnostics::{Error, Result};

/// The namespace that is as old as its cluster.
const OLDEST_NAMESPACE: &str = "kube-system";

/// The identity of a cluster, which does not depend on the name of the context; none when the user may not read it.
///
/// # Errors
/// When the server does not answer.
pub async fn read_cluster_identity(cluster: &Cluster) -> Result<Option<String>> {
    let api: Api<Namespace> = Api::all(cluster.client.clone());
    let message = "cannot tell which cluster this is";
    match cluster.answer(message, api.get(OLDEST_NAMESPACE)).await? {
        Ok(namespace) => Ok(namespace.metadata.uid),
        Err(kube::Error::Api(status)) if matches!(status.code, 403 | 404) => Ok(None),
        Err(error) => Err(Error::cluster(message)
            .cause(explain(&error))
            .hint("look at the API server, then run the same command again")),
    }
}

/// The plan, ready to be applied exactly; nothing has been written so far.
///
/// # Errors
/// When it was made for another cluster, or one of its objects has been changed, made or deleted since.
pub async fn refuse_stale(cluster: &Cluster, kinds: &mut Kinds, saved: Saved) -> Result<Plan> {
    plan::refuse_other_cluster(
        &saved,
        &cluster.context,
        read_cluster_identity(cluster).await?.as_deref(),
    )?;
    let mut plan = saved.plan;
    kinds.add_definitions(plan.steps.iter().filter_map(|step| step.object.as_ref()));
    let identities = plan.steps.iter().map(|step| step.identity.clone());
    let mut live = get_many::read_objects(cluster, kinds, identities).await?;
    plan::refuse_changes(&plan, &live)?;
    for step in &mut plan.steps {
        step.live = live.remove(&step.identity);
    }
    plan.exact = true;
    Ok(plan)
}
