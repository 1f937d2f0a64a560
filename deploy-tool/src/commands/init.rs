//! `deploy-tool init`: checks whether an existing crate runs as Wasm, and adds missing files. Existing files are not changed.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::adoption::cargo_manifest::CargoManifest;
use crate::adoption::manifests::Facts;
use crate::adoption::survey::Overrides;
use crate::adoption::{Survey, Verdict, add, survey, swap};
use crate::cli::InitArguments;
use diagnostics::{ExitStatus, Result};
use host::process;
use terminal::{Printer, Styled};
use wasm_build::traps::{Finding, Weight, compiler};

/// So many findings are shown; programs get all.
const MOST_SHOWN: usize = 20;
/// The resolver that minds which compiler a crate wants.
/// <https://doc.rust-lang.org/cargo/reference/config.html#resolverincompatible-rust-versions>
const RESOLVER: (&str, &str) = ("CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS", "fallback");

/// What `--output json` prints.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    schema: &'static str,
    package: String,
    name: String,
    folder: PathBuf,
    verdict: Verdict,
    findings: Vec<Finding>,
    /// What could not be looked at, or is not added.
    notes: Vec<String>,
    /// The files that were added, from the folder.
    added: Vec<String>,
    /// How Cargo.toml has to change, and those of members that the package depends on.
    difference: Option<String>,
    /// The folder that the difference has paths from.
    patch_folder: Option<PathBuf>,
    /// Whether it was changed.
    written: bool,
    facts: Facts,
    next: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// When there is no crate, or a file cannot be written.
pub async fn run(printer: &Printer, arguments: InitArguments) -> Result<ExitStatus> {
    let report = report(&arguments).await?;
    printer.result(&report, text(&report));
    Ok(match report.verdict {
        Verdict::Impossible => ExitStatus::Input,
        Verdict::Ready | Verdict::AfterChanges => ExitStatus::Done,
    })
}

/// Checks a crate, and adds missing files.
///
/// # Errors
/// When there is no crate, or a file cannot be written.
pub async fn report(arguments: &InitArguments) -> Result<Report> {
    let overrides = Overrides {
        package: arguments.package.clone(),
        port: arguments.port,
        health: arguments.health.clone(),
    };
    let survey = survey(&arguments.path, &overrides).await?;
    // Where replacing dependencies is not enough, it is not recommended.
    let patch = patch(&survey).filter(|_| survey.verdict != Verdict::Impossible);
    let (difference, patch_folder) = patch.unzip();
    let (mut added, mut notes) = (Vec::new(), survey.left_out.clone());
    let written = arguments.write && difference.is_some();
    let mut has_lock = survey.root.join("Cargo.lock").is_file();
    if survey.verdict != Verdict::Impossible {
        let missing = add::find_missing(&survey)?;
        add::add(&survey.folder, &missing.files)?;
        added.extend(missing.files.into_iter().map(|(path, _)| path));
        notes.extend(missing.notes);
        if written {
            add::replace(survey.changed())?;
        }
        // Where more than one step makes a lock file that the builder's compiler takes, they are told.
        if !has_lock && difference.is_none() && lock_steps(&survey).len() == 1 {
            has_lock = lock(&survey.root).await?;
            added.extend(has_lock.then(|| "Cargo.lock".to_owned()));
        }
    }
    let outcome = Outcome {
        added: &added,
        difference: difference.as_deref(),
        written,
        has_lock,
    };
    let next = next_steps(&survey, &outcome);
    Ok(Report {
        schema: "deploy-tool.dev/init/v1",
        name: survey.name.as_str().to_owned(),
        package: survey.package,
        folder: survey.folder,
        verdict: survey.verdict,
        findings: survey.findings,
        notes,
        added,
        difference,
        patch_folder,
        written,
        facts: survey.facts,
        next,
    })
}

/// How manifests have to change, as one patch, and the folder that its paths are from: the package's own, or that of all of the
/// workspace, where those of other members are among them.
fn patch(survey: &Survey) -> Option<(String, PathBuf)> {
    let is_own = |manifest: &CargoManifest| manifest.package == survey.package;
    let folder = if survey.changed().all(is_own) {
        &survey.folder
    } else {
        &survey.base
    };
    let changed = survey.changed();
    let differences = changed.map(|manifest| {
        let path = manifest.shown(folder).display().to_string();
        swap::difference(&path, &manifest.before, &manifest.after)
    });
    let text: String = differences.collect();
    (!text.is_empty()).then(|| (text, folder.clone()))
}

/// What makes a lock file that the builder's compiler takes, from the manifests.
fn lock_steps(survey: &Survey) -> Vec<String> {
    let own = survey
        .manifests
        .iter()
        .find(|manifest| manifest.package == survey.package);
    let own = own.map_or("", |manifest| &manifest.after);
    let document: toml_edit::DocumentMut = own.parse().unwrap_or_default();
    let says_compiler = document
        .get("package")
        .and_then(|package| package.get("rust-version"))
        .is_some();
    let mut steps = Vec::new();
    // Without it, the resolver takes this host's compiler for the builder's.
    if !says_compiler && (document.contains_key("dependencies") || document.contains_key("target")) {
        let (major, minor) = compiler::BUILDER_RUST;
        steps.push(format!(
            "say in Cargo.toml, under [package], which compiler the builder has: rust-version = \"{major}.{minor}\""
        ));
    }
    steps.push(format!("{}={} cargo generate-lockfile", RESOLVER.0, RESOLVER.1));
    if survey
        .manifests
        .iter()
        .any(|manifest| manifest.after.contains("mysql_async"))
    {
        // By which the driver is built.
        steps.extend(compiler::pin("subprocess").map(|(_, command)| command));
    }
    steps
}

/// Creates Cargo.lock offline. Returns whether that has succeeded.
async fn lock(root: &Path) -> Result<bool> {
    let mut command = process::command("cargo", ["generate-lockfile", "--offline"]);
    command.current_dir(root).env(RESOLVER.0, RESOLVER.1);
    Ok(process::capture(command).await?.success)
}

/// What this run has found and done, as far as the next steps depend on it.
struct Outcome<'a> {
    /// The files that were added.
    added: &'a [String],
    /// How manifests have to change.
    difference: Option<&'a str>,
    /// Whether they were changed.
    written: bool,
    /// Whether there is a Cargo.lock now.
    has_lock: bool,
}

/// What to do then, a command or a sentence each.
fn next_steps(survey: &Survey, outcome: &Outcome<'_>) -> Vec<String> {
    if survey.verdict == Verdict::Impossible {
        return vec!["a service that runs, to move the code into: deploy-tool new greeter".to_owned()];
    }
    let mut next = Vec::new();
    let current_folder = std::env::current_dir().and_then(|folder| folder.canonicalize());
    if current_folder.ok().as_ref() != Some(&survey.folder) {
        next.push(format!("cd {}", survey.folder.display()));
    }
    let must = survey.findings.iter().filter(|finding| finding.weight != Weight::Wrong);
    let differs = outcome.difference.is_some();
    if differs && !outcome.written {
        next.push("change Cargo.toml as shown: deploy-tool init --write".to_owned());
    }
    if must.count() > usize::from(differs) && survey.verdict == Verdict::AfterChanges {
        next.push("change what is named above; deploy-tool init looks again".to_owned());
    }
    if !outcome.has_lock {
        next.extend(lock_steps(survey));
    } else if differs {
        next.push(format!("{}={} cargo update --workspace", RESOLVER.0, RESOLVER.1));
    }
    let variables = &survey.facts.database_variables;
    if !outcome.added.is_empty() && !variables.is_empty() {
        next.push(format!(
            "give the database's address and login: Secret `{}` in namespace `{}`, with {}",
            Facts::secret(&survey.name),
            survey.name.as_str(),
            variables.join(", ")
        ));
    }
    next.extend(["deploy-tool cluster up", "deploy-tool up"].map(str::to_owned));
    next
}

fn text(report: &Report) -> Styled {
    let mut text = format!(
        "{} {}\n",
        report.package,
        match report.verdict {
            Verdict::Ready => "runs as Wasm as it is",
            Verdict::AfterChanges => "runs as Wasm after changes",
            Verdict::Impossible => "cannot run as Wasm",
        }
    );
    for finding in report.findings.iter().take(MOST_SHOWN) {
        text.push_str(&format!("  {finding}\n      fix: {}\n", finding.fix));
    }
    let more = report.findings.len().saturating_sub(MOST_SHOWN);
    if more > 0 {
        text.push_str(&format!("  and {more} more: --output json has all\n"));
    }
    if let Some(difference) = &report.difference {
        let what = match report.patch_folder.as_ref().filter(|folder| **folder != report.folder) {
            None => "Cargo.toml".to_owned(),
            Some(folder) => format!("Cargo.toml of members of the workspace {}", folder.display()),
        };
        text.push_str(&if report.written {
            format!("{what} was changed:\n")
        } else {
            format!("{what} has to change:\n")
        });
        text.push_str(difference);
    }
    for note in &report.notes {
        text.push_str(&format!("note: {note}\n"));
    }
    match report.added.as_slice() {
        [] if report.verdict == Verdict::Impossible => text.push_str("nothing is added\n"),
        [] if report.written => {}
        [] => text.push_str("nothing to add: everything is there\n"),
        added => {
            let port = if report.facts.port_is_known {
                format!("port {}", report.facts.port)
            } else {
                format!(
                    "port {}, for lack of a better one: --port names another",
                    report.facts.port
                )
            };
            let alive = match &report.facts.alive {
                Some(route) => format!("probes ask {route}"),
                None => "no route says that it lives, so probes try the port: --health names one".to_owned(),
            };
            text.push_str(&format!("added, for {port}; {alive}:\n"));
            added.iter().for_each(|file| text.push_str(&format!("  {file}\n")));
        }
    }
    text.push_str("next:\n");
    report
        .next
        .iter()
        .for_each(|step| text.push_str(&format!("  {step}\n")));
    Styled::from(text.trim_end())
}
