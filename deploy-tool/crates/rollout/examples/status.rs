//! How far the workloads of a namespace are, from what kubectl prints:
//!
//! ```sh
//! kubectl get deployments,statefulsets,daemonsets,jobs,replicasets,pods,events --output json | cargo run --example status
//! ```

use std::collections::BTreeMap;
use std::error::Error;

use jiff::Timestamp;
use rollout::{Clock, Objects, State, Target, event_key, state};
use serde::de::DeserializeOwned;
use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    let list = serde_json::from_reader(std::io::stdin())?;
    for line in report(&list, Timestamp::now())? {
        println!("{line}");
    }
    Ok(())
}

/// One line for each object of a list that something can be waited for.
fn report(list: &Value, now: Timestamp) -> Result<Vec<String>, serde_json::Error> {
    let items = || list["items"].as_array().into_iter().flatten();
    let mut objects = Objects::default();
    for item in items() {
        store(&mut objects, item)?;
    }
    // What has an owner is judged with it.
    let roots = items().filter(|item| item.pointer("/metadata/ownerReferences").is_none());
    let targets = roots.filter_map(Target::of);
    // Every event counts, however old: nothing has just been applied.
    let clock = Clock::new(now, Timestamp::UNIX_EPOCH);
    let lines = targets.map(|target| match state(&target, &objects, clock) {
        State::Done(sentence) => format!("ready: {sentence}"),
        State::Waiting(reason) => format!("waiting: {reason}"),
        State::Failed(problem) => format!("failed: {}\n  next: {}", problem.sentence, problem.next),
    });
    Ok(lines.collect())
}

/// Keeps an object where this crate looks for it.
fn store(objects: &mut Objects, item: &Value) -> Result<(), serde_json::Error> {
    match item["kind"].as_str().unwrap_or_default() {
        "Deployment" => insert(&mut objects.deployments, item),
        "StatefulSet" => insert(&mut objects.stateful_sets, item),
        "DaemonSet" => insert(&mut objects.daemon_sets, item),
        "Job" => insert(&mut objects.jobs, item),
        "ReplicaSet" => insert(&mut objects.replica_sets, item),
        "Pod" => insert(&mut objects.pods, item),
        "Event" => {
            let event = serde_json::from_value(item.clone())?;
            objects.events.insert(event_key(&event), event);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn insert<K: DeserializeOwned>(store: &mut BTreeMap<String, K>, item: &Value) -> Result<(), serde_json::Error> {
    let text = |field: &str| item["metadata"][field].as_str().unwrap_or_default();
    let key = format!("{}/{}", text("namespace"), text("name"));
    store.insert(key, serde_json::from_value(item.clone())?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_with_a_wrong_image_name() -> Result<(), Box<dyn Error>> {
        let list = serde_json::from_str(include_str!("shop.json"))?;
        let lines = report(&list, "2026-01-01T00:01:00Z".parse()?)?;
        let ready = "ready: StatefulSet `db`: 1 of 1 ready";
        let failed =
            "failed: container `web` of pod `web-2-x7k2p`: node `worker-1` cannot pull the image `Nginx:1.29`: ";
        assert_eq!(lines[0], ready);
        assert!(lines[1].starts_with(failed), "{}", lines[1]);
        assert!(
            lines[1].ends_with("\n  next: correct `image` in the manifest"),
            "{}",
            lines[1]
        );
        assert_eq!(lines.len(), 2);
        Ok(())
    }
}
