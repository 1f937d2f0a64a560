//! The rounds: each figure is measured of every variant before the next one.

use std::collections::BTreeMap;

use crate::node;
use crate::runner::{Figures, Runner};
use bench::benchmark::node as script;
use bench::benchmark::{Load, Plan, Quantity, Samples, Variant};
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

/// What is measured of each variant, in this order.
#[derive(Clone, Copy, Debug)]
enum Step {
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
        variants: &[Variant],
        references: &BTreeMap<String, String>,
    ) -> Result<Self> {
        if references.is_empty() {
            return Ok(self);
        }
        let what = format!("node `{node}` cannot pull the images");
        let (printer, samples) = (self.printer, &mut self.samples);
        let pulling = async |progress: &Progress| {
            for round in 0..self.plan.rounds {
                for variant in variants {
                    let Some(image) = references.get(&format!("bench-{}", variant.form.name())) else {
                        continue;
                    };
                    progress.activity(image);
                    let said = node::run(node, &what, script::PULL, &[image]).await?;
                    let took = script::pull_ms(&said);
                    let took = took.ok_or_else(|| Error::cluster(&what).detail(&said))?;
                    samples.add(Quantity::Pull, &variant.name, round, took);
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
            let loads: Vec<Step> = Load::all().map(Step::Load).collect();
            for (title, steps) in [
                ("the runtime alone", &[Step::Start][..]),
                ("a pod comes up", &[Step::ComeUp]),
                ("load", &loads),
                ("scale and roll out under load", &[Step::Change]),
                ("many pods at once", &[Step::Many]),
            ] {
                let title = format!("round {} of {}: {title}", round + 1, self.plan.rounds);
                self.measure(&title, round, steps, runners).await?;
            }
        }
        Ok(self.samples)
    }

    async fn measure(&mut self, title: &str, round: u32, steps: &[Step], runners: &mut [Runner<'_>]) -> Result<()> {
        let (printer, cache, plan) = (self.printer, self.cache, self.plan);
        let samples = &mut self.samples;
        let measuring = async |progress: &Progress| {
            for step in steps {
                for runner in &mut *runners {
                    progress.activity(&format!("{}, {step:?}", runner.variant.name));
                    let figures: Figures = match *step {
                        Step::Start => runner.start(&plan).await?,
                        Step::ComeUp => runner.come_up(cache, &plan).await?,
                        Step::Load(load) => runner.load(cache, &plan, load).await?,
                        Step::Change => runner.change(&plan).await?,
                        Step::Many => runner.scale_up(&plan).await?,
                    };
                    for (quantity, figure) in figures {
                        samples.add(quantity, &runner.variant.name, round, figure);
                    }
                }
            }
            Ok(())
        };
        printer.step(title, measuring).await
    }
}
