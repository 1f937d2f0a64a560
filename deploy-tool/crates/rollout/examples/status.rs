//! How far the workloads of a namespace are, from what kubectl prints:
//!
//! ```sh
//! kubectl get deployments,statefulsets,daemonsets,jobs,replicasets,pods,events --output json | cargo run --example status
//! ```

use std::error::Error;

use jiff::Timestamp;
use rollout::{Clock, Objects, Target, evaluate};
use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    let list = serde_json::from_reader(std::io::stdin())?;
    for line in report(&list, Timestamp::now())? {
        println!("{line}");
    }
    Ok(())
}

/// One line for each object of a list that something can be waited for.
fn report(list: &Value, now: Timestamp) -> Result<Vec<String>, Box<dyn Error>> {
    let items = || list["items"].as_array().into_iter().flatten();
    let mut objects = Objects::default();
    for item in items() {
        objects.insert(item)?;
    }
    // What has an owner is judged with it.
    let roots = items().filter(|item| item.pointer("/metadata/ownerReferences").is_none());
    // Every event counts, however old: nothing has just been applied.
    let clock = Clock::new(now, Timestamp::UNIX_EPOCH);
    let targets = roots.filter_map(Target::from_object);
    Ok(targets
        .map(|target| evaluate(&target, &objects, clock).sentence())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_with_a_wrong_image_name() -> Result<(), Box<dyn Error>> {
        let list = serde_json::from_str(include_str!("shop.json"))?;
        let lines = report(&list, "2026-01-01T00:01:00Z".parse()?)?;
        assert_eq!(lines.len(), 2);
        assert!(lines[0].contains("StatefulSet `db`: 1 of 1 ready"), "{}", lines[0]);
        let why = "node `worker-1` cannot pull the image `Nginx:1.29`: ";
        assert!(lines[1].contains(why), "{}", lines[1]);
        Ok(())
    }
}
