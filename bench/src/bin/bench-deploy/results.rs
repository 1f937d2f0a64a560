//! Pure: what is measured, its spread, and the ratios to kubectl within a round.

use std::collections::BTreeMap;

use bench::benchmark::Spread;
use bench::process::Measurement;
use serde::Serialize;

use crate::manifests::Set;
use crate::tools::Deployer;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Case {
    set: Set,
    again: bool,
}

impl Case {
    /// Into an empty namespace, until everything is ready.
    pub fn first(set: Set) -> Self {
        Self { set, again: false }
    }

    /// Once more, which changes nothing.
    pub fn repeated(set: Set) -> Self {
        Self { set, again: true }
    }

    fn name(self) -> String {
        let what = if self.again { "nothing to do" } else { "first deploy" };
        format!("{} objects, {what}", self.set.name())
    }

    /// The share of kubectl's time that deploy-tool may take.
    fn goal(self) -> f64 {
        match self {
            Self {
                set: Set::Ten,
                again: false,
            } => 1.05,
            _ => 0.5,
        }
    }
}

/// All measurements.
#[derive(Debug, Default)]
pub struct Results(BTreeMap<(Case, Deployer), Vec<Measurement>>);

/// A line of the table.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// What was done.
    pub case: String,
    /// By whom.
    pub tool: &'static str,
    /// How long it took.
    pub seconds: Spread,
    /// How long a processor worked for the tool.
    pub processor_seconds: Spread,
    /// Its memory at most, in millions of bytes.
    pub memory_mb: Spread,
    /// Its time as a share of kubectl's in the same round.
    pub ratio: Spread,
    /// The share that deploy-tool may have in the middle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<f64>,
}

impl Results {
    /// Adds one.
    pub fn add(&mut self, case: Case, tool: Deployer, measured: Measurement) {
        self.0.entry((case, tool)).or_default().push(measured);
    }

    /// A row for each case and tool.
    pub fn rows(&self) -> Vec<Row> {
        self.0
            .keys()
            .filter_map(|(case, tool)| self.row(*case, *tool))
            .collect()
    }

    fn row(&self, case: Case, tool: Deployer) -> Option<Row> {
        let runs = self.0.get(&(case, tool))?;
        let base = self.0.get(&(case, Deployer::Kubectl))?;
        let figures = |figure: fn(&Measurement) -> f64| Spread::from_figures(runs.iter().map(figure));
        Some(Row {
            case: case.name(),
            tool: tool.name(),
            seconds: figures(|run| run.seconds)?,
            processor_seconds: figures(|run| run.processor_seconds)?,
            memory_mb: figures(|run| run.memory_mb)?,
            ratio: Spread::from_figures(runs.iter().zip(base).map(|(run, base)| run.seconds / base.seconds))?,
            goal: (tool == Deployer::DeployTool).then(|| case.goal()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_taken_within_a_round() {
        let mut results = Results::default();
        let took = |seconds| Measurement {
            seconds,
            ..Measurement::default()
        };
        for (kubectl, deploy_tool) in [(1.0, 0.5), (4.0, 1.0), (2.0, 2.0)] {
            results.add(Case::repeated(Set::Ten), Deployer::Kubectl, took(kubectl));
            results.add(Case::repeated(Set::Ten), Deployer::DeployTool, took(deploy_tool));
        }
        let rows = results.rows();
        let found: Vec<_> = rows
            .iter()
            .map(|row| (row.tool, row.seconds.median, row.ratio.median))
            .collect();
        assert_eq!(found, [("kubectl", 2.0, 1.0), ("deploy-tool", 1.0, 0.5)]);
        let Spread { min, max, .. } = rows[1].ratio;
        assert_eq!((min, max, rows[1].goal, rows[0].goal), (0.25, 1.0, Some(0.5), None));
    }
}
