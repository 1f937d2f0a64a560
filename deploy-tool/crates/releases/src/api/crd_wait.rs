//! Edge: waits until the API server serves the kind that a CustomResourceDefinition defines.
//!
//! <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/>

use kube::Api;
use kube::api::DynamicObject;

use crate::ESTABLISH_TIMEOUT;
use crate::manifest::{self, Object};
use cluster::await_condition;
use diagnostics::code;
use diagnostics::{Error, Result};
use rollout::{Phase, RolloutStatus};

/// Waits, if the object is a definition. Polls where the user may not watch.
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
    let mut last_error = None;
    let wait = await_condition(api, object.name(), is_decided, &mut last_error);
    let found = tokio::time::timeout(ESTABLISH_TIMEOUT, wait).await.ok().flatten();
    let status = found.map(|found| rollout::definition(&title, &found));
    match status.map(|RolloutStatus { phase, .. }| phase) {
        Some(Phase::Done(_)) => Ok(()),
        Some(Phase::Failed(diagnosis)) => Err(diagnosis.into_error(&[])),
        Some(Phase::Waiting(_)) | None => {
            let failure = Error::cluster(format!("{title} is not established"))
                .code(&code::apply::DEFINITION_REFUSED)
                .cause(format!("not within {} s", ESTABLISH_TIMEOUT.as_secs()));
            Err(last_error.into_iter().fold(failure, Error::cause).hint(format!(
                "look at its conditions: `kubectl describe crd {}`",
                object.name()
            )))
        }
    }
}
