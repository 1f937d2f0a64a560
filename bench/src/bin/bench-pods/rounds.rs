//! The rounds: with every figure, each contender has its turn.

use std::collections::BTreeMap;

use crate::node;
use crate::runner::{Figures, Runner};
use bench::benchmark::node as script;
use bench::benchmark::{Contender, Load, Plan, Quantity, Samples};
use diagnostics::{Error, Result};
use host::cache::Cache;
use terminal::{Printer, Progress};

/// A run, as far as it has come.
pub struct Rounds<'a> {
    /// Says what is going on.
    pub printer: &'a Printer,
    /// For files of the load.
    pub cache: &'a Cache,
    /// How much is measured.
    pub plan: Plan,
    /// What was measured.
    pub samples: Samples,
}

/// What each contender does in its turn, in this order.
#[derive(Clone, Copy, Debug)]
enum Turn {
    Start,
    ComeUp,
    Load(Load),
    Change,
    Many,
}

impl Rounds<'_> {
    /// Pulls the images from a registry, by the names that they have there.
    ///
    /// # Errors
    /// When the node cannot pull one.
    pub async fn pulls(
        mut self,
        node: &str,
        contenders: &[Contender],
        references: &BTreeMap<String, String>,
    ) -> Result<Self> {
        if references.is_empty() {
            return Ok(self);
        }
        let what = format!("node `{node}` cannot pull the images");
        let (printer, samples) = (self.printer, &mut self.samples);
        let pulling = async |progress: &Progress| {
            for round in 0..self.plan.rounds {
                for contender in contenders {
                    let Some(image) = references.get(&format!("bench-{}", contender.form.name())) else {
                        continue;
                    };
                    progress.activity(image);
                    let said = node::run(node, &what, script::PULL, &[image]).await?;
                    let took = script::pull_ms(&said);
                    let took = took.ok_or_else(|| Error::cluster(&what).detail(&said))?;
                    samples.add(Quantity::Pull, &contender.name, round, took);
                }
            }
            Ok(())
        };
        printer.step("images pulled from the registry", pulling).await?;
        Ok(self)
    }

    /// Measures everything that runs. At the end of a round there are no pods.
    ///
    /// # Errors
    /// When something cannot be measured.
    pub async fn run(mut self, runners: &mut [Runner<'_>]) -> Result<Samples> {
        for round in 0..self.plan.rounds {
            let loads: Vec<Turn> = Load::all().map(Turn::Load).collect();
            for (title, turns) in [
                ("the runtime alone", &[Turn::Start][..]),
                ("a pod comes up", &[Turn::ComeUp]),
                ("load", &loads),
                ("scale and roll out under load", &[Turn::Change]),
                ("many pods at once", &[Turn::Many]),
            ] {
                let title = format!("round {} of {}: {title}", round + 1, self.plan.rounds);
                self.turns(&title, round, turns, runners).await?;
            }
        }
        Ok(self.samples)
    }

    async fn turns(&mut self, title: &str, round: u32, turns: &[Turn], runners: &mut [Runner<'_>]) -> Result<()> {
        let (printer, cache, plan) = (self.printer, self.cache, self.plan);
        let samples = &mut self.samples;
        let taking = async |progress: &Progress| {
            for turn in turns {
                for runner in &mut *runners {
                    progress.activity(&format!("{}, {turn:?}", runner.contender.name));
                    let figures: Figures = match *turn {
                        Turn::Start => runner.start(&plan).await?,
                        Turn::ComeUp => runner.come_up(cache, &plan).await?,
                        Turn::Load(load) => runner.load(cache, &plan, load).await?,
                        Turn::Change => runner.change(&plan).await?,
                        Turn::Many => runner.scale_up(&plan).await?,
                    };
                    for (quantity, figure) in figures {
                        samples.add(quantity, &runner.contender.name, round, figure);
                    }
                }
            }
            Ok(())
        };
        printer.step(title, taking).await
    }
}
