//! The result of a run, as programs read it.

use serde::{Deserialize, Serialize};

use super::{Contender, Form, Goal, Plan, Quantity, Samples, Spread, goals};

/// The value of [`Report::schema`].
pub const SCHEMA: &str = "deploy-tool.dev/bench/v1";

/// What `bench --output json` prints. Fields are added, never renamed, while `schema` stays the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// `deploy-tool.dev/bench/v1`
    pub schema: String,
    /// When it ended.
    pub time: jiff::Timestamp,
    /// Where it was measured.
    pub machine: Machine,
    /// How much was measured.
    pub plan: Plan,
    /// Who was measured.
    pub contenders: Vec<Contender>,
    /// The figures.
    pub figures: Vec<Figure>,
    /// What they are to reach.
    pub goals: Vec<Goal>,
    /// What was not measured.
    pub skipped: Vec<Skipped>,
}

/// The node that everything ran on, and what is on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Machine {
    /// Its processor.
    pub processor: String,
    /// How many of its cores the node has.
    pub cores: u32,
    /// Bytes of memory.
    pub memory_bytes: u64,
    /// Its kernel.
    pub kernel: String,
    /// 1 or 2.
    pub cgroup_version: u32,
    /// The node's Kubernetes.
    pub kubernetes: String,
    /// The node's container runtime.
    pub container_runtime: String,
    /// What each RuntimeClass runs, as it says of itself.
    pub runtimes: Vec<String>,
    /// The version of this program.
    pub deploy_tool: String,
    /// The version of the engine that the module is compiled for.
    pub engine: String,
    /// How many programs waited for a processor, on average in the minute before the first figure.
    pub load_before: String,
}

/// A figure of a contender.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Figure {
    /// Which.
    pub figure: String,
    /// For people.
    pub title: String,
    /// In what it is.
    pub unit: String,
    /// Whether more of it is better.
    pub more_is_better: bool,
    /// Whose.
    pub contender: String,
    /// Over all rounds.
    pub spread: Spread,
    /// Its ratios to the native build's, each within a round.
    pub ratio: Option<Spread>,
}

/// A figure that was not measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Which.
    pub figure: String,
    /// Why.
    pub because: String,
}

impl Report {
    /// From all that was measured.
    pub fn new(
        time: jiff::Timestamp,
        machine: Machine,
        plan: Plan,
        contenders: Vec<Contender>,
        samples: &Samples,
        skipped: Vec<Skipped>,
    ) -> Self {
        let native = contenders.iter().find(|contender| contender.form == Form::Native);
        let figure = |quantity: Quantity, contender: &Contender| {
            Some(Figure {
                figure: quantity.id(),
                title: quantity.title(plan.replicas),
                unit: quantity.unit().to_owned(),
                more_is_better: quantity.more_is_better(),
                contender: contender.name.clone(),
                spread: samples.spread(quantity, &contender.name)?,
                ratio: native.and_then(|native| samples.ratio(quantity, &contender.name, &native.name)),
            })
        };
        let of_all = |quantity| {
            contenders
                .iter()
                .filter_map(move |contender| figure(quantity, contender))
        };
        Self {
            schema: SCHEMA.to_owned(),
            time,
            machine,
            plan,
            figures: Quantity::all().into_iter().flat_map(of_all).collect(),
            goals: goals(&contenders, samples, plan.replicas),
            contenders,
            skipped,
        }
    }

    /// The figure of a contender.
    pub fn figure(&self, id: &str, contender: &str) -> Option<&Figure> {
        self.figures
            .iter()
            .find(|candidate| candidate.figure == id && candidate.contender == contender)
    }

    /// The ids of the figures that there are, in their order, each once.
    pub fn ids(&self) -> Vec<&str> {
        let mut ids: Vec<&str> = self.figures.iter().map(|figure| figure.figure.as_str()).collect();
        ids.dedup();
        ids
    }
}
