//! Edge: looks at the crates and the sources of a package.

use std::path::{Path, PathBuf};

use super::walk::{self, SourceFile};
use super::{
    CrateSource, Finding, GuestCrate, GuestGraph, build_script, compiler, crates, finding, graph, paths, source,
};
use crate::workspace::{Package, Workspace};
use crate::{TARGET, features as cargo_features, vendor};
use diagnostics::{Error, Result};
use host::process;

/// The facts about a package.
#[derive(Debug)]
pub struct Checked {
    /// The traps, the worst first.
    pub findings: Vec<Finding>,
    /// Its source files, and those of the members that it depends on.
    pub files: Vec<SourceFile>,
    /// Its crates.
    pub graph: GuestGraph,
    /// What could not be looked at, a sentence each.
    pub left_out: Vec<String>,
}

/// Where its crates are.
#[derive(Clone, Copy, Debug)]
pub enum Lookup<'a> {
    /// In Cargo's own cache, as far as they are there: nothing is fetched.
    Cache,
    /// In a folder of `cargo vendor`.
    Vendor(&'a Path),
}

/// Looks at a package of a workspace, with features beside its default ones. Nothing is written, and nothing is fetched.
///
/// # Errors
/// When Cargo cannot be started, or a file cannot be read.
pub async fn package(
    workspace: &Workspace,
    package: &Package,
    features: &[String],
    lookup: Lookup<'_>,
) -> Result<Checked> {
    let lock = std::fs::read_to_string(workspace.root.join("Cargo.lock")).unwrap_or_default();
    let members = workspace.members_of(package, &lock);
    let mut left_out = Vec::new();
    let mut graph = match resolve_crates(workspace, package, features, &lock, lookup).await? {
        Ok(graph) => graph,
        Err(why) => {
            left_out.push(format!(
                "which crates go into the module is told by the manifest and Cargo.lock alone, until `cargo fetch` has them: {why}"
            ));
            let root = std::fs::read_to_string(workspace.root.join("Cargo.toml")).unwrap_or_default();
            GuestGraph::from_files(&package.dependencies, workspace, &lock, &root)
        }
    };
    left_out.extend(crates::forks_note(&graph));
    leave_to_manifests(&mut graph, &members);
    let (files, unreadable) = read_members(&members, package, features, package.folder(), sources_of)?;
    left_out.extend(
        unreadable
            .iter()
            .map(|path| format!("{} is not valid Rust", path.display())),
    );
    let (scripts, no_rust) = read_members(&members, package, features, package.folder(), build_script_of)?;
    left_out.extend(
        no_rust
            .iter()
            .map(|path| format!("{} is not valid Rust", path.display())),
    );
    let findings = [
        crates::check_crates(&graph),
        check_manifests(&members, package.folder())?,
        paths::check_sources(&files),
        build_script::check(&scripts),
    ]
    .concat();
    Ok(Checked {
        findings: finding::sorted(findings),
        files,
        graph,
        left_out,
    })
}

/// The traps that the sources of a package show, with paths from the workspace's folder: the same in every checkout.
///
/// # Errors
/// When a file cannot be read.
pub fn sources(workspace: &Workspace, package: &Package, features: &[String], lock: &str) -> Result<Vec<Finding>> {
    let members = workspace.members_of(package, lock);
    let (mut files, _) = read_members(&members, package, features, &workspace.root, sources_of)?;
    for file in files.iter_mut().filter(|file| file.path.is_absolute()) {
        file.path = file.path.file_name().map_or_else(PathBuf::new, PathBuf::from);
    }
    Ok(finding::sorted(paths::check_sources(&files)))
}

/// The files of a member that reading begins with; whether it is the package that becomes the module.
type Entries = fn(&Package, bool) -> Vec<&Path>;

fn sources_of(member: &Package, is_module: bool) -> Vec<&Path> {
    if is_module {
        member.module_sources().collect()
    } else {
        member.library_sources().collect()
    }
}

fn build_script_of(member: &Package, _: bool) -> Vec<&Path> {
    member.build_script().into_iter().collect()
}

/// The crates that are members have their `rust-version` in manifests, where it is found by its line.
fn leave_to_manifests(graph: &mut GuestGraph, members: &[&Package]) {
    let is_member = |one: &GuestCrate| {
        let has_name = members.iter().any(|member| member.name == one.name);
        has_name && one.source == CrateSource::Folder
    };
    let crates = graph.crates.iter_mut().chain(&mut graph.of_build);
    for member in crates.filter(|one| is_member(one)) {
        member.rust_version = None;
    }
}

/// The traps in the manifests of members, with paths from a folder.
fn check_manifests(members: &[&Package], base: &Path) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for member in members {
        let path = member.manifest();
        let text = std::fs::read_to_string(path)
            .map_err(|error| Error::file(format!("cannot read `{}`", path.display()), &error))?;
        let shown = path.strip_prefix(base).unwrap_or(path).to_owned();
        findings.extend(compiler::check_member(member, shown, &text));
    }
    Ok(findings)
}

/// The files of a package and of the members that it depends on, with paths from a folder; and what of them is no Rust.
fn read_members(
    members: &[&Package],
    package: &Package,
    features: &[String],
    base: &Path,
    entries: Entries,
) -> Result<(Vec<SourceFile>, Vec<PathBuf>)> {
    let (mut files, mut unreadable) = (Vec::new(), Vec::new());
    for member in members {
        // Features that it enables in dependencies are not resolved here.
        let is_module = member.name == package.name;
        let enabled_features = if is_module { features } else { &[] };
        let (found, no_rust) = walk::files(member, entries(member, is_module), base, enabled_features)?;
        files.extend(found);
        unreadable.extend(no_rust);
    }
    Ok((files, unreadable))
}

/// The crates as Cargo resolves them for a guest, or why it cannot.
async fn resolve_crates(
    workspace: &Workspace,
    package: &Package,
    features: &[String],
    lock: &str,
    lookup: Lookup<'_>,
) -> Result<Result<GuestGraph, String>> {
    let run = async |arguments: &[&str]| {
        let mut command = process::command("cargo", arguments);
        // Quiet, or that another Cargo is waited for would be read as the reason of a failure.
        command.args(["--frozen", "--quiet"]).current_dir(&workspace.root);
        if let Lookup::Vendor(folder) = lookup {
            command.args(vendor::arguments(workspace, lock, folder)?);
        }
        process::capture(command).await
    };
    let features = cargo_features::argument(features);
    let tree = async |edges: &str| {
        let mut arguments = vec![
            "tree",
            "--package",
            &package.name,
            "--target",
            TARGET,
            edges,
            "--prefix=depth",
            "--format",
            graph::FORMAT,
        ];
        arguments.extend(features.as_deref());
        run(&arguments).await
    };
    let linked = tree("--edges=normal,no-proc-macro").await?;
    if !linked.success {
        return Ok(Err(first_line(&linked.stderr)));
    }
    let compiled = tree("--edges=normal,build").await?;
    let metadata = run(&["metadata", "--format-version=1", "--filter-platform", TARGET]).await?;
    if !metadata.success {
        return Ok(Err(first_line(&metadata.stderr)));
    }
    let read = |tree: &str| {
        GuestGraph::from_tree(tree, &metadata.stdout)
            .map_err(|error| Error::prerequisite("cannot understand what `cargo metadata` says").cause(error))
    };
    let mut graph = read(&linked.stdout)?;
    let is_linked = |one: &GuestCrate| {
        let mut linked = graph.crates.iter();
        linked.any(|guest_crate| (&guest_crate.name, &guest_crate.version) == (&one.name, &one.version))
    };
    graph.of_build = read(&compiled.stdout)?
        .crates
        .into_iter()
        .filter(|one| !is_linked(one))
        .collect();
    read_build_scripts(&mut graph);
    Ok(Ok(graph))
}

/// Checks the build scripts of crates. One with conditions on the target or features is ignored, as is one that cannot be read;
/// those of members are [read](build_scripts) with their sources.
fn read_build_scripts(graph: &mut GuestGraph) {
    for guest_crate in graph.crates.iter_mut().filter(|one| one.source != CrateSource::Folder) {
        let Some(path) = &guest_crate.build_script else {
            continue;
        };
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let uses = source::uses(&text, &guest_crate.features).unwrap_or_default();
        let code = build_script::native_code(&uses).filter(|code| !code.is_conditional);
        guest_crate.native_code = code.map(|code| code.what);
    }
}

fn first_line(stderr: &str) -> String {
    let mut lines = stderr.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or("cargo does not say why");
    first.trim_start_matches("error: ").to_owned()
}
