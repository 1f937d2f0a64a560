//! Carries the crate of the templates on `microservice` into the program, and tells a release build which commit it is made from,
//! where that is known: in a checkout, with git.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    carry_crate()?;
    tell_revision();
    Ok(())
}

/// Writes a table of the files of templates/microservice/microservice, which are those of app/microservice: path and text.
fn carry_crate() -> Result<(), Box<dyn Error>> {
    let template = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("templates/microservice");
    let mut files = Vec::new();
    collect(&template.join("microservice"), &mut files)?;
    files.sort();
    let mut table = String::from("&[\n");
    for file in files {
        println!("cargo::rerun-if-changed={}", file.display());
        writeln!(table, "({:?}, include_str!({file:?})),", file.strip_prefix(&template)?)?;
    }
    table.push_str("]\n");
    fs::write(Path::new(&std::env::var("OUT_DIR")?).join("microservice.rs"), table)?;
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?
        } else {
            files.push(path)
        }
    }
    Ok(())
}

fn tell_revision() {
    // While somebody works on the tool, every commit would compile it again.
    if std::env::var("PROFILE").as_deref() != Ok("release") {
        return;
    }
    // It changes with every commit and checkout. A file that is not there would count as changed each time.
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]).filter(|log| Path::new(log).exists()) {
        println!("cargo::rerun-if-changed={log}");
    }
    if let Some(revision) = git(&["rev-parse", "--short=12", "HEAD"]) {
        println!("cargo::rustc-env=DEPLOY_TOOL_REVISION={revision}");
    }
}

/// What git says; nothing where there is no git, or no repository.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}
