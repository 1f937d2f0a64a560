//! Edge: the Cargo.toml of members, with other dependencies in place of those that a guest cannot have.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::swap;
use diagnostics::{Error, Result};
use wasm_build::traps::{Finding, Location, Remedy};
use wasm_build::workspace::{Dependency, Package};

/// The Cargo.toml of a member.
#[derive(Clone, Debug)]
pub struct CargoManifest {
    /// The member.
    pub package: String,
    /// Where it is.
    pub path: PathBuf,
    /// Its text.
    pub before: String,
    /// The same with other dependencies.
    pub after: String,
}

impl CargoManifest {
    /// Whether it has to change.
    pub fn differs(&self) -> bool {
        self.before != self.after
    }

    /// Its path from a folder, where it is in there.
    pub fn shown(&self, folder: &Path) -> &Path {
        self.path.strip_prefix(folder).unwrap_or(&self.path)
    }
}

/// The manifests of the members that a module is made of, and the names of the dependencies that are swapped in all of them.
///
/// # Errors
/// When one cannot be read.
pub fn swapped(members: &[&Package], findings: &[Finding]) -> Result<(Vec<CargoManifest>, BTreeSet<String>)> {
    let wanted = wanted(members, findings);
    let is_wanted = |dependency: &&Dependency| wanted.contains(dependency.name.as_str());
    let read = |member: &&Package| {
        let path = member.manifest();
        let before = std::fs::read_to_string(path)
            .map_err(|error| Error::file(format!("cannot read `{}`", path.display()), &error))?;
        let swaps: Vec<&Dependency> = of_guest(member)
            .filter(|one| swap::has_fork(one))
            .filter(is_wanted)
            .collect();
        let after = swap::swap_dependencies(&before, &swaps)
            .map_err(|error| Error::input(format!("`{}` cannot be read", path.display())).cause(error))?;
        Ok(CargoManifest {
            package: member.name.clone(),
            path: path.to_owned(),
            before,
            after,
        })
    };
    let manifests = members.iter().map(read).collect::<Result<_>>()?;
    // As a renamed one or one of a target alone, it stays where it is in one of the manifests.
    let stays = |name: &str| {
        let mut all = members.iter().flat_map(|member| of_guest(member));
        all.any(|one| one.name == name && !one.optional && !swap::has_fork(one))
    };
    let names = wanted.iter().filter(|name| !stays(name));
    Ok((manifests, names.map(|name| (*name).to_owned()).collect()))
}

/// The dependencies of members that others can take the place of. Where the server or the database is swapped, the runtime has to
/// be, too.
fn wanted<'m>(members: &[&'m Package], findings: &[Finding]) -> BTreeSet<&'m str> {
    let is_swap = |name: &str| {
        findings.iter().any(|finding| {
            let is_it =
                matches!(&finding.location, Location::Crate { path } if path.last().is_some_and(|last| last == name));
            is_it && finding.remedy == Remedy::Swap
        })
    };
    let swappable = || {
        let all = members.iter().flat_map(|member| of_guest(member));
        all.filter(|one| swap::has_fork(one)).map(|one| one.name.as_str())
    };
    let some = swappable().any(is_swap);
    swappable()
        .filter(|name| is_swap(name) || (some && *name == "tokio"))
        .collect()
}

fn of_guest(member: &Package) -> impl Iterator<Item = &Dependency> {
    member.dependencies.iter().filter(|one| one.is_of_guest())
}
