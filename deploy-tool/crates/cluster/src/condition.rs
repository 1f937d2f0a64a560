//! Edge: waits until an object meets a condition.

use std::fmt::Debug;
use std::time::Duration;

use kube::runtime::wait;
use kube::{Api, Resource};
use serde::de::DeserializeOwned;

use crate::client::explain;
use crate::path_segment;

/// Interval of the reads of an object that cannot be watched.
const READ_INTERVAL: Duration = Duration::from_secs(1);

/// Waits until an object, or its absence, meets a condition; without a limit: the caller sets the deadline. Reads the object
/// where it cannot be watched, because the user may not or the connection breaks; `failure` is why the last read failed.
pub async fn await_condition<K>(
    api: &Api<K>,
    name: &str,
    is_met: impl Fn(Option<&K>) -> bool + Copy,
    failure: &mut Option<String>,
) -> Option<K>
where
    K: Clone + Debug + Send + DeserializeOwned + Resource + 'static,
{
    loop {
        if let Ok(found) = wait::await_condition(api.clone(), name, is_met).await {
            return found;
        }
        *failure = match api.get_opt(&path_segment(name)).await {
            Ok(found) if is_met(found.as_ref()) => return found,
            Ok(_) => None,
            Err(error) => Some(explain(&error)),
        };
        tokio::time::sleep(READ_INTERVAL).await;
    }
}
