//! The result of a run, as programs read it.

use serde::{Deserialize, Serialize};

use super::{Form, Goal, Plan, Quantity, Samples, Spread, Variant, goals};

/// The value of [`Report::schema`].
pub const SCHEMA: &str = "deploy-tool.dev/bench/v1";

/// What `bench --output json` prints. Fields are added, never renamed, while `schema` stays the same:
/// there a variant is a `contender`.
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
    /// What was measured.
    #[serde(rename = "contenders")]
    pub variants: Vec<Variant>,
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

/// A figure of a variant.
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
    #[serde(rename = "contender")]
    pub variant: String,
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
        variants: Vec<Variant>,
        samples: &Samples,
        skipped: Vec<Skipped>,
    ) -> Self {
        let native = variants.iter().find(|variant| variant.form == Form::Native);
        let figure = |quantity: Quantity, variant: &Variant| {
            Some(Figure {
                figure: quantity.id(),
                title: quantity.title(plan.replicas),
                unit: quantity.unit().to_owned(),
                more_is_better: quantity.more_is_better(),
                variant: variant.name.clone(),
                spread: samples.spread(quantity, &variant.name)?,
                ratio: native.and_then(|native| samples.ratio(quantity, &variant.name, &native.name)),
            })
        };
        let of_all = |quantity| variants.iter().filter_map(move |variant| figure(quantity, variant));
        Self {
            schema: SCHEMA.to_owned(),
            time,
            machine,
            plan,
            figures: Quantity::all().into_iter().flat_map(of_all).collect(),
            goals: goals(&variants, samples, plan.replicas),
            variants,
            skipped,
        }
    }

    /// The figure of a variant.
    pub fn figure(&self, id: &str, variant: &str) -> Option<&Figure> {
        self.figures
            .iter()
            .find(|candidate| candidate.figure == id && candidate.variant == variant)
    }

    /// The ids of the figures that there are, in their order, each once.
    pub fn ids(&self) -> Vec<&str> {
        let mut ids: Vec<&str> = self.figures.iter().map(|figure| figure.figure.as_str()).collect();
        ids.dedup();
        ids
    }
}
