//! Edge: waits until the API server serves the kind that a CustomResourceDefinition defines.
//!
//! <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/>

use kube::Api;
use kube::api::DynamicObject;
use kube::runtime::wait::await_condition;

use crate::ESTABLISH_TIMEOUT;
use crate::manifest::{self, Object};
use diagnostics::code;
use diagnostics::{Error, Result};
use rollout::{Phase, RolloutStatus};

/// Waits, if the object is a definition.
///
/// # Errors
/// When it does not get established.
pub async fn await_established(api: &Api<DynamicObject>, object: &Object) -> Result<()> {
    if manifest::definitions(object).is_empty() {
        return Ok(());
    }
    let title = object.title();
    let is_decided = |found: Option<&DynamicObject>| {
        found.is_some_and(|found| !matches!(rollout::definition(&title, found).phase, Phase::Waiting(_)))
    };
    let watch = await_condition(api.clone(), object.name(), is_decided);
    let found = match tokio::time::timeout(ESTABLISH_TIMEOUT, watch).await {
        Ok(Ok(found)) => found,
        Ok(Err(_)) | Err(_) => None,
    };
    let status = found.map(|found| rollout::definition(&title, &found));
    match status.map(|RolloutStatus { phase, .. }| phase) {
        Some(Phase::Done(_)) => Ok(()),
        Some(Phase::Failed(diagnosis)) => Err(diagnosis.into_error(&[])),
        Some(Phase::Waiting(_)) | None => Err(Error::cluster(format!("{title} is not established"))
            .code(&code::apply::DEFINITION_REFUSED)
            .cause(format!("not within {} s", ESTABLISH_TIMEOUT.as_secs()))
            .hint(format!(
                "look at its conditions: `kubectl describe crd {}`",
                object.name()
            ))),
    }
}
