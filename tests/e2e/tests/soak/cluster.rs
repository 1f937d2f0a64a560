//! What the cluster has in the end, past the proxy.

use std::collections::{BTreeMap, BTreeSet};

use e2e::object;
use serde_json::Value;

use crate::model::Model;

/// Where the revisions are kept, and how far each came.
const REVISION_TYPE: &str = "deploy-tool.dev/revision";
const REVISION_LABEL: &str = "deploy-tool.dev/revision";
const STATE_LABEL: &str = "deploy-tool.dev/state";

/// Every object is as the manifests say, and of those that once were nothing is left.
pub fn holds_exactly(namespace: &str, model: &Model, once: &BTreeSet<(&'static str, String)>) {
    let mut live: BTreeMap<(&str, String), Value> = BTreeMap::new();
    for kind in ["Deployment", "Service", "ConfigMap", "ServiceAccount"] {
        for item in object(namespace, kind)["items"].as_array().unwrap() {
            let name = item["metadata"]["name"].as_str().unwrap().to_owned();
            live.insert((kind, name), item.clone());
        }
    }
    for (key, wanted) in &model.objects {
        let found = live.get(key).unwrap_or_else(|| panic!("{key:?} is missing"));
        includes(wanted, found, &format!("{key:?}"));
        assert_eq!(found["metadata"]["labels"], wanted["metadata"]["labels"], "{key:?}");
    }
    let left: Vec<_> = once
        .iter()
        .filter(|(kind, name)| {
            let key = (*kind, name.clone());
            let going = &live.get(&key).unwrap_or(&Value::Null)["metadata"]["deletionTimestamp"];
            live.contains_key(&key) && going.is_null() && !model.objects.contains_key(&key)
        })
        .collect();
    assert!(left.is_empty(), "left of what was removed: {left:?}");
}

/// Revisions in a row, not too many, one deployed: the newest.
pub fn has_history(namespace: &str, most: usize) {
    let secrets = object(namespace, "secrets");
    let secrets = secrets["items"].as_array().unwrap().iter();
    let mut revisions: Vec<(u32, String)> = secrets
        .filter(|secret| secret["type"] == REVISION_TYPE)
        .map(|secret| {
            let label = |name: &str| secret["metadata"]["labels"][name].as_str().unwrap();
            (label(REVISION_LABEL).parse().unwrap(), label(STATE_LABEL).to_owned())
        })
        .collect();
    revisions.sort();
    eprintln!("revisions: {revisions:?}");
    assert!((1..=most).contains(&revisions.len()), "{revisions:?}");
    assert_eq!(revisions.last().unwrap().1, "deployed", "{revisions:?}");
    assert!(revisions.iter().all(|(_, state)| state != "pending"), "{revisions:?}");
}

/// Every field of the manifest has its value in the cluster.
fn includes(wanted: &Value, found: &Value, path: &str) {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            for (name, wanted) in wanted {
                includes(
                    wanted,
                    found.get(name).unwrap_or(&Value::Null),
                    &format!("{path}.{name}"),
                );
            }
        }
        (Value::Array(wanted), Value::Array(found)) => {
            assert_eq!(wanted.len(), found.len(), "{path}");
            for (number, (wanted, found)) in wanted.iter().zip(found).enumerate() {
                includes(wanted, found, &format!("{path}[{number}]"));
            }
        }
        _ => assert_eq!(wanted, found, "{path}"),
    }
}
