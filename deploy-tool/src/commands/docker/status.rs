//! `deploy-tool docker status`: what is installed, and whether the engine has loaded it.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::docker_runtime::configuration;
use crate::docker_runtime::engine::{self, Engine};
use crate::docker_runtime::record::{self, Installed};
use diagnostics::{ExitStatus, Result};
use terminal::Printer;

/// What `--output json` prints.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The version of this form.
    pub schema: &'static str,
    /// The engine's release.
    pub engine: String,
    /// The file of its configuration.
    pub configuration: String,
    /// By name, the program of each runtime that was added.
    pub runtimes: configuration::Runtimes,
    /// Differences from the installed state.
    pub problems: Vec<String>,
    /// The containers that need it.
    pub containers: Vec<String>,
}

/// The version of the form.
pub const SCHEMA: &str = "deploy-tool.dev/docker/v1";

/// Runs the command. The exit code tells whether there are problems.
///
/// # Errors
/// When the engine does not answer.
pub async fn run(printer: &Printer) -> Result<ExitStatus> {
    let engine = Engine::find().await?;
    let installed = record::read()?;
    let problems = match &installed {
        Some(installed) => problems(&engine, installed)?,
        None => Vec::new(),
    };
    let runtimes = installed.map(|installed| installed.runtimes).unwrap_or_default();
    let names: BTreeSet<&str> = runtimes.keys().map(String::as_str).collect();
    let containers = engine::containers(&names).await?;
    let report = Report {
        schema: SCHEMA,
        engine: engine.version,
        configuration: engine.configuration.display().to_string(),
        runtimes,
        problems,
        containers,
    };
    printer.result(&report, text(&report));
    Ok(if report.problems.is_empty() {
        ExitStatus::Done
    } else {
        ExitStatus::Prerequisite
    })
}

fn problems(engine: &Engine, installed: &Installed) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let text = record::text(&installed.configuration)?.unwrap_or_default();
    match configuration::parse(&text) {
        Ok(document) if configuration::has_runtimes(&document, &installed.runtimes) => {}
        _ => found.push(format!("{} has not got them", installed.configuration.display())),
    }
    for (name, path) in &installed.runtimes {
        if !engine.runtimes.contains(name) {
            found.push(format!("the engine does not know `{name}`"));
        }
        if !std::path::Path::new(path).exists() {
            found.push(format!("`{path}` is gone"));
        }
    }
    if !installed.is_finished {
        found.push("the installation was cut off".to_owned());
    }
    Ok(found)
}

fn text(report: &Report) -> String {
    if report.runtimes.is_empty() {
        return format!("Docker {}: no runtime for Wasm was installed", report.engine);
    }
    let mut lines: Vec<String> = report
        .runtimes
        .iter()
        .map(|(name, path)| format!("Docker {}: runtime `{name}` is {path}", report.engine))
        .collect();
    lines.extend(
        report
            .problems
            .iter()
            .map(|problem| format!("not as it was installed: {problem}; run `deploy-tool docker install` again")),
    );
    lines.push(match report.containers.len() {
        0 => "no container uses them".to_owned(),
        _ => format!("containers that use them: {}", report.containers.join(", ")),
    });
    lines.join("\n")
}
