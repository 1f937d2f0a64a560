//! Says how far the workloads are that `kubectl` prints:
//!
//! ```sh
//! kubectl get deployments,replicasets,statefulsets,daemonsets,jobs,pods,events --output json |
//!     cargo run -p rollout --example status
//! ```

use std::error::Error;
use std::io::stdin;

use jiff::Timestamp;
use rollout::{Clock, Objects, Target, TargetKind};
use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    let list: Value = serde_json::from_reader(stdin())?;
    let items = list["items"].as_array().ok_or("this is no list of objects")?;
    let mut objects = Objects::default();
    for item in items {
        objects.insert(item)?;
    }
    // Nobody has applied anything: everything since the beginning counts.
    let clock = Clock::new(Timestamp::now(), Timestamp::UNIX_EPOCH);
    let targets = items.iter().filter_map(Target::of);
    for target in targets.filter(|target| target.kind != TargetKind::Pod) {
        println!("{}", rollout::evaluate(&target, &objects, clock).sentence());
    }
    Ok(())
}
