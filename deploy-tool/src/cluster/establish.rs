//! Edge: waits until the API server serves the kind that a CustomResourceDefinition defines.
//!
//! <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/>

use kube::Api;
use kube::api::DynamicObject;
use kube::runtime::wait::await_condition;
use serde_json::Value;

use super::Cluster;
use crate::code;
use crate::failure::{Failure, Outcome};
use crate::manifest::{self, Object};
use crate::settings::ESTABLISH_TIMEOUT;

/// Waits, if the object is a definition.
///
/// # Errors
/// When it does not get established.
pub async fn established(cluster: &Cluster, api: &Api<DynamicObject>, object: &Object) -> Outcome<()> {
    if manifest::definitions(object).is_empty() {
        return Ok(());
    }
    let is_established =
        |object: Option<&DynamicObject>| object.is_some_and(|object| condition(object, "Established") == Some("True"));
    let watch = await_condition(api.clone(), object.name(), is_established);
    if let Ok(Ok(_)) = tokio::time::timeout(ESTABLISH_TIMEOUT, watch).await {
        return Ok(());
    }
    let failure = Failure::cluster(format!("{} is not established", object.title()))
        .code(&code::apply::DEFINITION_REFUSED)
        .next(format!(
            "look at its conditions: `kubectl describe crd {}`",
            object.name()
        ));
    let found = cluster.call("cannot read it", api.get(object.name())).await?;
    Err(match message(&found) {
        Some(message) => failure.because(message),
        None => failure.because(format!("not within {} s", ESTABLISH_TIMEOUT.as_secs())),
    })
}

fn conditions(object: &DynamicObject) -> impl Iterator<Item = &Value> {
    let conditions = object.data.pointer("/status/conditions").and_then(Value::as_array);
    conditions.into_iter().flatten()
}

fn condition<'o>(object: &'o DynamicObject, wanted: &str) -> Option<&'o str> {
    let is_wanted = |condition: &&Value| condition.get("type").is_some_and(|kind| kind == wanted);
    conditions(object).find(is_wanted)?.get("status")?.as_str()
}

/// What the first condition says that is not met.
fn message(object: &DynamicObject) -> Option<&str> {
    let unmet = |condition: &&Value| condition.get("status").is_some_and(|status| status == "False");
    conditions(object).find(unmet)?.get("message")?.as_str()
}
