//! Edge: looks at an existing crate. Writes nothing, and needs no network.

use std::path::{Path, PathBuf};

use super::manifests::Facts;
use super::verdict::{self, Verdict};
use super::{package, swap};
use crate::project::{NameError, ProjectName};
use diagnostics::{Error, Result};
use wasm_build::compile;
use wasm_build::traps::check::{self, Checked, Lookup};
use wasm_build::traps::{Finding, Location, Remedy, Weight, finding};
use wasm_build::workspace::path_crate::{PATCH, PathCrate};
use wasm_build::workspace::{Dependency, Package, Workspace};

/// Arguments about a crate.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// Its package, where the folder has several.
    pub package: Option<String>,
    /// The port that it listens on.
    pub port: Option<u16>,
    /// The path of the liveness probe.
    pub health: Option<String>,
}

/// The facts about an existing crate.
#[derive(Debug)]
pub struct Survey {
    /// The package.
    pub package: String,
    /// The name of its objects in a cluster.
    pub name: ProjectName,
    /// Its folder.
    pub folder: PathBuf,
    /// The folder of its workspace.
    pub root: PathBuf,
    /// Whether it runs as Wasm.
    pub verdict: Verdict,
    /// Why not, or not well.
    pub findings: Vec<Finding>,
    /// What could not be looked at.
    pub left_out: Vec<String>,
    /// The facts from its sources.
    pub facts: Facts,
    /// Its manifest, and the same with other dependencies in place of those that a guest cannot have.
    pub manifest: (String, String),
}

/// Looks at the crate of a folder.
///
/// # Errors
/// When there is none, it is not clear which, or its files cannot be read.
pub async fn survey(folder: &Path, overrides: &Overrides) -> Result<Survey> {
    let folder = crate_folder(folder)?;
    let workspace = compile::workspace(&folder).await?;
    let package = package::choose(&workspace, &folder, overrides.package.as_deref())?;
    let name = name(package)?;
    let Checked {
        findings,
        files,
        graph,
        left_out,
    } = check::package(&workspace, package, &[], Lookup::Cache).await?;
    let path = package.manifest();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Error::file(format!("cannot read `{}`", path.display()), &error))?;

    let swaps = find_swappable(package, &findings);
    let names: Vec<&str> = swaps.iter().map(|dependency| dependency.name.as_str()).collect();
    let mut findings: Vec<Finding> = no_binary(package).into_iter().chain(findings).collect();
    findings.extend(build_target(&workspace, package.folder())?);
    findings.extend(find_outside(&workspace, package));
    let findings = verdict::without_swapped(findings, &names);
    let after = swap::swap_dependencies(&text, &swaps)
        .map_err(|error| Error::input(format!("`{}` cannot be read", path.display())).cause(error))?;
    Ok(Survey {
        package: package.name.clone(),
        name,
        folder: package.folder().to_owned(),
        root: workspace.root.clone(),
        verdict: verdict::verdict(&findings, &names),
        facts: Facts::from_sources(&files, &graph, overrides.port, overrides.health.as_deref()),
        findings: finding::sorted(findings.into_iter().map(|finding| with_line(finding, &text)).collect()),
        left_out,
        manifest: (text, after),
    })
}

/// The folder itself, or the nearest one above it, that has a Cargo.toml.
fn crate_folder(folder: &Path) -> Result<PathBuf> {
    let shown = folder.display();
    let found = folder
        .canonicalize()
        .map_err(|error| Error::file(format!("cannot look at `{shown}`"), &error))?;
    let crate_folder = found.ancestors().find(|folder| folder.join("Cargo.toml").is_file());
    crate_folder.map(Path::to_owned).ok_or_else(|| {
        Error::input(format!("`{shown}` is no crate"))
            .cause("neither it nor a folder above it has a Cargo.toml")
            .hint("run this in the crate's folder; a new one: `deploy-tool new greeter`")
    })
}

/// The name of the package, as Kubernetes takes it.
fn name(package: &Package) -> Result<ProjectName> {
    let is_taken = |error: NameError| {
        let failure =
            Error::input(format!("`{}` cannot be the name of Kubernetes objects", package.name)).cause(&error);
        failure.hint("give the package another name in Cargo.toml")
    };
    let plain = package.name.to_ascii_lowercase().replace('_', "-");
    ProjectName::parse(&plain).or_else(|error| match &error.suggestion {
        Some(suggestion) => ProjectName::parse(suggestion).map_err(is_taken),
        None => Err(is_taken(error)),
    })
}

/// The package's own dependencies that others can take the place of. Where the server or the database is swapped, its runtime
/// has to be, too.
fn find_swappable<'p>(package: &'p Package, findings: &[Finding]) -> Vec<&'p Dependency> {
    let is_swap = |dependency: &Dependency| {
        findings.iter().any(|finding| {
            let is_named_dependency =
                matches!(&finding.location, Location::Crate { path } if *path == [dependency.name.clone()]);
            is_named_dependency && finding.remedy == Remedy::Swap
        })
    };
    let own = || {
        package
            .dependencies
            .iter()
            .filter(|dependency| dependency.is_of_guest() && swap::has_fork(dependency))
    };
    let some = own().any(is_swap);
    own()
        .filter(|dependency| is_swap(dependency) || (some && dependency.name == "tokio"))
        .collect()
}

/// The crates in folders that the builder does not see, whatever of the workspace names them.
fn find_outside(workspace: &Workspace, package: &Package) -> Vec<Finding> {
    let finding = |named: PathCrate| {
        // Cargo has read it.
        let manifest = std::fs::read_to_string(&named.manifest).unwrap_or_default();
        let line = match named.owner == PATCH {
            true => swap::line_of_patch(&manifest, &named.name),
            false => swap::line_of(&manifest, &named.name),
        };
        let shown = named.manifest.strip_prefix(package.folder()).unwrap_or(&named.manifest);
        Finding {
            trap: "outside",
            weight: Weight::Compile,
            remedy: Remedy::Line,
            location: Location::File {
                path: shown.to_owned(),
                line: line.unwrap_or(1),
            },
            what: format!(
                "`{}` is outside of the workspace, and the builder sees nothing else",
                named.folder.display()
            ),
            fix:
                "a Cargo.toml with both as `members`, in a folder above both; or `git` or a registry in place of `path`"
                    .to_owned(),
        }
    };
    workspace.outside().into_iter().map(finding).collect()
}

/// A module is made of the binary of the package's name.
fn no_binary(package: &Package) -> Option<Finding> {
    let binaries: Vec<&str> = package.binaries().collect();
    if binaries.contains(&package.name.as_str()) {
        return None;
    }
    let (what, fix) = match binaries.first() {
        Some(binary) => (
            format!(
                "its binaries are {}: none has the name of the package",
                binaries.join(", ")
            ),
            format!(
                "a [[bin]] with name = \"{}\" and path = \"{}\", in place of `{binary}`",
                package.name,
                package.binary_source(binary).display()
            ),
        ),
        None => (
            "it has no binary: a module is made of src/main.rs".to_owned(),
            "a src/main.rs that listens: `deploy-tool new` makes an example".to_owned(),
        ),
    };
    Some(Finding {
        trap: "binary",
        weight: Weight::Compile,
        remedy: if binaries.is_empty() {
            Remedy::Redesign
        } else {
            Remedy::Line
        },
        location: Location::File {
            path: "Cargo.toml".into(),
            line: 1,
        },
        what,
        fix,
    })
}

/// A default target in Cargo's configuration that makes every build one for Wasm, so that `cargo test` cannot run.
fn build_target(workspace: &Workspace, folder: &Path) -> Result<Option<Finding>> {
    let mut folders = vec![folder, workspace.root.as_path()];
    folders.dedup();
    for folder in folders {
        let path = folder.join(".cargo/config.toml");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(Error::file(format!("cannot read `{}`", path.display()), &error)),
        };
        let is_wasm = |line: &str| line.trim_start().starts_with("target") && line.contains("\"wasm32-");
        if let Some(line) = text.lines().position(is_wasm) {
            return Ok(Some(Finding {
                trap: "build-target",
                weight: Weight::Wrong,
                remedy: Remedy::Line,
                location: Location::File {
                    path: ".cargo/config.toml".into(),
                    line: line + 1,
                },
                what: "every build is one for Wasm: `cargo test` and `cargo run` make what this host cannot run"
                    .to_owned(),
                fix: "leave it out: `deploy-tool build` names wasm32-wasip1 itself".to_owned(),
            }));
        }
    }
    Ok(None)
}

/// A dependency of the manifest has a line there.
fn with_line(finding: Finding, manifest: &str) -> Finding {
    let line = match &finding.location {
        Location::Crate { path } => path.first().and_then(|first| swap::line_of(manifest, first)),
        Location::File { .. } => None,
    };
    let Some(line) = line else { return finding };
    let what = match &finding.location {
        Location::Crate { path } if path.len() > 1 => format!("{} (by {})", finding.what, path.join(" → ")),
        _ => finding.what.clone(),
    };
    Finding {
        location: Location::File {
            path: "Cargo.toml".into(),
            line,
        },
        what,
        ..finding
    }
}
