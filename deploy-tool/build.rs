//! Carries the crate of the templates on `microservice` into the program.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    carry_crate()
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
