//! Carries the scripts and definitions that make this project's images into the program, see src/tool_image/recipes.rs.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Files, and folders with everything in them, from the project's folder: what `scripts/images builder`, `node` and
/// `installer` read, and `scripts/kind`.
const CARRIED: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "deploy-tool/crates/node-protocol",
    "deploy-tool/node-installer",
    "oci/builder",
    "oci/node/Dockerfile",
    "oci/node/crun-runtime.toml",
    "oci/node/engine",
    "oci/node/installer",
    "oci/node/registry-hosts.toml",
    "oci/node/restricted",
    "oci/node/runtime-entry",
    "oci/offline/debian",
    "oci/offline/kindest-node",
    "oci/versions",
    "scripts/images",
    "scripts/kind",
    "scripts/packages",
    "scripts/pull",
    "scripts/restricted-host/detect.sh",
    "scripts/step.sh",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let project = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?)
        .join("../../..")
        .canonicalize()?;
    let mut files = Vec::new();
    for carried in CARRIED {
        let path = project.join(carried);
        println!("cargo::rerun-if-changed={}", path.display());
        collect(&path, &mut files)?;
    }
    files.sort();
    let mut table = String::from("&[\n");
    for file in files {
        let executable = fs::metadata(&file)?.permissions().mode() & 0o100 != 0;
        let name = file.strip_prefix(&project)?.display().to_string();
        let source = file.display().to_string();
        writeln!(
            table,
            "File {{ path: {name:?}, is_executable: {executable}, bytes: include_bytes!({source:?}) }},"
        )?;
    }
    table.push_str("]\n");
    fs::write(Path::new(&std::env::var("OUT_DIR")?).join("recipes.rs"), table)?;
    Ok(())
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        collect(&entry?.path(), files)?;
    }
    Ok(())
}
