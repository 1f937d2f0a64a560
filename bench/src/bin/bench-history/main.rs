//! Keeps the results of `bench --output json` night by night, draws them, and fails when one has become clearly worse.
//!
//! What is kept is the processor's time for a request as a ratio to the native build's of the same run: machines differ
//! from night to night, and this figure hardly does.

mod chart;
mod history;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Parser;

use crate::history::{History, Night};

/// Add a night's results to the history, draw it, and fail when one is above the alert line
#[derive(Debug, Parser)]
struct Arguments {
    /// What `bench --output json` printed
    #[arg(long)]
    results: PathBuf,
    /// The day, such as 2026-11-23
    #[arg(long)]
    day: String,
    /// The revision that was measured
    #[arg(long)]
    revision: String,
    /// One JSON line a night; made when it is missing
    #[arg(long)]
    history: PathBuf,
    /// Where the chart goes
    #[arg(long)]
    chart: PathBuf,
}

fn main() -> Result<()> {
    let Arguments {
        results,
        day,
        revision,
        history: path,
        chart,
    } = Arguments::parse();
    let text = std::fs::read_to_string(&results).with_context(|| format!("cannot read {}", results.display()))?;
    let night = Night::from_results(&text, day, revision).with_context(|| format!("in {}", results.display()))?;
    let kept = match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        kept => kept.with_context(|| format!("cannot read {}", path.display()))?,
    };
    let mut history = History::parse(&kept).with_context(|| format!("in {}", path.display()))?;
    history.add(night);
    std::fs::write(&path, history.text()?).with_context(|| format!("cannot write {}", path.display()))?;
    std::fs::write(&chart, chart::svg(&history)).with_context(|| format!("cannot write {}", chart.display()))?;
    let regressions = history.regressions();
    if !regressions.is_empty() {
        bail!("above the alert line: {}", regressions.join("; "));
    }
    Ok(())
}
