//! Pure: which package of a workspace is meant.

use std::path::Path;

use diagnostics::{Error, Result};
use wasm_build::workspace::{Package, Workspace};

/// The package that is meant: the named one, else the one of a folder, else the only one with a binary.
///
/// # Errors
/// When it is not clear, or there is none of that name.
pub fn choose<'w>(workspace: &'w Workspace, folder: &Path, name: Option<&str>) -> Result<&'w Package> {
    if let Some(name) = name {
        return workspace.package(name).ok_or_else(|| {
            let names: Vec<&str> = workspace.packages.iter().map(|package| package.name.as_str()).collect();
            Error::input(format!("the workspace has no package `{name}`"))
                .cause(format!("it has: {}", names.join(", ")))
        });
    }
    if let Some(package) = workspace.packages.iter().find(|package| package.folder() == folder) {
        return Ok(package);
    }
    let programs: Vec<&Package> = workspace
        .packages
        .iter()
        .filter(|package| package.binaries().next().is_some())
        .collect();
    match programs.as_slice() {
        [only] => Ok(only),
        [] => Err(Error::input(format!(
            "no package of the workspace `{}` is a program",
            workspace.root.display()
        ))
        .cause("what becomes a module is a binary: src/main.rs")
        .hint("make one: `deploy-tool new greeter`")),
        several => {
            let names: Vec<&str> = several.iter().map(|package| package.name.as_str()).collect();
            Err(Error::input(format!(
                "it is not clear which package of `{}` is meant",
                workspace.root.display()
            ))
            .cause(format!("these are programs: {}", names.join(", ")))
            .hint(format!("name one: `deploy-tool init --package {}`", names[0])))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn workspace(packages: &[(&str, &str)]) -> Workspace {
        let package = |(name, kind): &(&str, &str)| {
            json!({"name": name, "manifest_path": format!("/w/{name}/Cargo.toml"), "dependencies": [],
                "targets": [{"name": name, "kind": [kind], "src_path": format!("/w/{name}/src/x.rs")}]})
        };
        let packages: Vec<_> = packages.iter().map(package).collect();
        serde_json::from_value(json!({"workspace_root": "/w", "packages": packages})).unwrap()
    }

    #[test]
    fn the_named_one_the_one_here_or_the_only_program() {
        let several = workspace(&[("a", "bin"), ("b", "bin"), ("c", "lib")]);
        let found = |folder: &str, name| choose(&several, Path::new(folder), name).map(|package| package.name.clone());
        assert_eq!(found("/w", Some("b")).unwrap(), "b");
        assert_eq!(found("/w/c", None).unwrap(), "c");
        let unclear = found("/w", None).unwrap_err().to_string();
        assert!(unclear.contains("a, b") && unclear.contains("--package a"), "{unclear}");
        assert!(found("/w", Some("x")).unwrap_err().to_string().contains("a, b, c"));
        let single = workspace(&[("a", "bin"), ("c", "lib")]);
        assert_eq!(choose(&single, Path::new("/w"), None).unwrap().name, "a");
        let none = workspace(&[("c", "lib")]);
        assert!(
            choose(&none, Path::new("/w"), None)
                .unwrap_err()
                .to_string()
                .contains("src/main.rs")
        );
    }
}
