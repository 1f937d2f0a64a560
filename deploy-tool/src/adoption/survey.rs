//! Edge: looks at an existing crate. Writes nothing, and needs no network.

use std::path::{Path, PathBuf};

use super::cargo_manifest::{self, CargoManifest};
use super::manifests::Facts;
use super::verdict::{self, Swapped, Verdict};
use super::{package, swap};
use crate::project::{NameError, ProjectName};
use diagnostics::{Error, Result};
use wasm_build::compile;
use wasm_build::traps::check::{self, Checked, Lookup};
use wasm_build::traps::{CrateSource, Finding, GuestCrate, Location, Remedy, Weight, finding};
use wasm_build::workspace::path_crate::{PATCH, PathCrate};
use wasm_build::workspace::{Package, Workspace};

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
    /// Its Cargo.toml, and those of the members that it depends on.
    pub manifests: Vec<CargoManifest>,
    /// The folder that all of the workspace is in.
    pub base: PathBuf,
}

impl Survey {
    /// The manifests that have to change.
    pub fn changed(&self) -> impl Iterator<Item = &CargoManifest> {
        self.manifests.iter().filter(|manifest| manifest.differs())
    }
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
    let lock = std::fs::read_to_string(workspace.root.join("Cargo.lock")).unwrap_or_default();
    // Those of build scripts and procedural macros run on the host, with what they have.
    let is_linked = |member: &&Package| {
        let linked = |one: &GuestCrate| one.name == member.name && one.source == CrateSource::Folder;
        member.name == package.name || graph.crates.iter().any(linked)
    };
    let members: Vec<&Package> = workspace
        .members_of(package, &lock)
        .into_iter()
        .filter(is_linked)
        .collect();
    let (manifests, names) = cargo_manifest::swapped(&members, &findings)?;
    let swapped = Swapped {
        members: workspace.packages.iter().map(|member| member.name.clone()).collect(),
        names,
    };
    let mut findings: Vec<Finding> = no_binary(package).into_iter().chain(findings).collect();
    findings.extend(build_target(&workspace, package.folder())?);
    findings.extend(find_outside(&workspace, package));
    let findings = verdict::without_swapped(findings, &swapped);
    let line = |finding| with_line(finding, package, &manifests);
    Ok(Survey {
        package: package.name.clone(),
        name,
        folder: package.folder().to_owned(),
        root: workspace.root.clone(),
        base: workspace.base().to_owned(),
        verdict: verdict::verdict(&findings, &swapped),
        facts: Facts::from_sources(&files, &graph, overrides.port, overrides.health.as_deref()),
        findings: finding::sorted(findings.into_iter().map(line).collect()),
        left_out,
        manifests,
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
        Error::input(format!("`{shown}` is not a crate"))
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

/// The crates in folders that the builder does not see, whatever of the workspace names them.
fn find_outside(workspace: &Workspace, package: &Package) -> Vec<Finding> {
    let finding = |named: PathCrate| {
        // Cargo has read it.
        let manifest = std::fs::read_to_string(&named.manifest).unwrap_or_default();
        let line = if named.owner == PATCH {
            swap::line_of_patch(&manifest, &named.name)
        } else {
            swap::line_of(&manifest, &named.name)
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

/// A dependency of the package or of a member that it depends on has a line in the manifest.
fn with_line(finding: Finding, package: &Package, manifests: &[CargoManifest]) -> Finding {
    let Location::Crate { path } = &finding.location else {
        return finding;
    };
    let manifest_of = |name: &String| manifests.iter().find(|manifest| manifest.package == *name);
    let before = path.split_last().map_or(&[][..], |(_, before)| before);
    let members: Vec<&CargoManifest> = before.iter().map_while(manifest_of).collect();
    // The crates behind the last member.
    let brought = &path[members.len()..];
    let manifest = members.last().copied().or_else(|| manifest_of(&package.name));
    let line = |manifest: &CargoManifest| swap::line_of(&manifest.before, brought.first()?);
    let Some((manifest, line)) = manifest.and_then(|manifest| Some((manifest, line(manifest)?))) else {
        return finding;
    };
    let what = match brought.len() {
        1 => finding.what.clone(),
        _ => format!("{} (by {})", finding.what, brought.join(" → ")),
    };
    Finding {
        location: Location::File {
            path: manifest.shown(package.folder()).to_owned(),
            line,
        },
        what,
        ..finding
    }
}
