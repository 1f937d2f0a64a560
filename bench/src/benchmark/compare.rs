//! Whether a run is worse than an earlier one. Ratios to the native build are compared, never times: two machines differ.

use serde::Serialize;

use super::Report;

/// A figure that got worse.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Worse {
    /// Which.
    pub title: String,
    /// Whose.
    #[serde(rename = "contender")]
    pub variant: String,
    /// The earlier ratio to the native build's, or the earlier figure where that has none.
    pub before: f64,
    /// The same now.
    pub now: f64,
}

/// What a comparison has found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// How many figures were compared.
    pub compared: usize,
    /// Those that got worse by more than the threshold.
    pub worse: Vec<Worse>,
}

/// Compares what both runs have.
pub fn compare(reference: &Report, now: &Report, threshold: f64) -> Comparison {
    let mut comparison = Comparison::default();
    for figure in &now.figures {
        let Some(before) = reference.figure(&figure.figure, &figure.variant) else {
            continue;
        };
        let (earlier, later, is_worse) = match (before.ratio, figure.ratio) {
            (Some(before), Some(now)) if figure.more_is_better => {
                (before.median, now.median, now.median * threshold < before.median)
            }
            (Some(before), Some(now)) => (before.median, now.median, now.median > before.median * threshold),
            // Where the native build has nothing, such as failed requests, nothing was to be there.
            _ if before.unit.is_empty() => {
                let (before, now) = (before.spread.median, figure.spread.median);
                (before, now, now > before)
            }
            _ => continue,
        };
        comparison.compared += 1;
        if is_worse {
            comparison.worse.push(Worse {
                title: figure.title.clone(),
                variant: figure.variant.clone(),
                before: earlier,
                now: later,
            });
        }
    }
    comparison
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::benchmark::{Machine, Plan, Quantity, Samples, variants};

    fn report(native: f64, aot: f64, failed: f64) -> Report {
        let mut samples = Samples::default();
        samples.add(Quantity::Start, "native", 0, native);
        samples.add(Quantity::Start, "aot", 0, aot);
        samples.add(Quantity::RolloutFailed, "native", 0, 0.0);
        samples.add(Quantity::RolloutFailed, "aot", 0, failed);
        let all = variants(&["c".into()]);
        let time = jiff::Timestamp::UNIX_EPOCH;
        Report::new(time, Machine::default(), Plan::QUICK, all, &samples, Vec::new())
    }

    #[test]
    fn a_slower_machine_is_no_worse_run() {
        let reference = report(10.0, 20.0, 0.0);
        let cases = [
            (report(100.0, 200.0, 0.0), 0),
            (report(100.0, 239.0, 0.0), 0),
            (report(100.0, 241.0, 0.0), 1),
            (report(10.0, 5.0, 1.0), 1),
        ];
        for (now, worse) in cases {
            let found = compare(&reference, &now, 1.2);
            assert_eq!(found.worse.len(), worse, "{found:?}");
            assert_eq!(found.compared, 4);
        }
    }
}
