//! What a run prints for programs is what docs/schema/bench.json says.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../../deploy-tool/tests/schema/check.rs"]
mod check;

use std::path::Path;

use bench::benchmark::{Machine, Plan, Quantity, Report, Samples, Skipped, variants};

#[test]
fn a_report_follows_its_schema() {
    let mut samples = Samples::default();
    for (name, failed) in [("native", 0.0), ("aot", 1.0)] {
        samples.add(Quantity::Start, name, 0, 20.0);
        samples.add(Quantity::RolloutFailed, name, 0, failed);
    }
    let skipped = vec![Skipped {
        figure: "pull".into(),
        because: "why".into(),
    }];
    let variants = variants(&["c".into()]);
    let time = jiff::Timestamp::UNIX_EPOCH;
    let report = Report::new(time, Machine::default(), Plan::QUICK, variants, &samples, skipped);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schema/bench.json");
    let schema = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(
        check::faults(&schema, &serde_json::to_value(&report).unwrap()),
        Vec::<String>::new()
    );
}
