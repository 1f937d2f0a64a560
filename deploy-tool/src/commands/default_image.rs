//! Edge: which image is meant where none is named.

use crate::cli::SourceArguments;
use crate::settings::DEFAULT_IMAGE;
use diagnostics::{Error, Result};
use wasm_build::compile;

/// The image that is named. Else `app`, or the only one there is: the definition in the definitions' folder, or, where there is
/// no such folder, the program of the workspace.
///
/// # Errors
/// When there are several or none.
pub async fn find(source: &SourceArguments, named: Option<String>) -> Result<String> {
    if let Some(named) = named {
        return Ok(named);
    }
    let found = if source.images.exists() {
        definitions(source)
    } else {
        programs(source).await?
    };
    match found.as_slice() {
        [only] => Ok(only.clone()),
        // Whoever reads its definition says what is missing.
        [] => Ok(DEFAULT_IMAGE.to_owned()),
        all if all.iter().any(|name| name == DEFAULT_IMAGE) => Ok(DEFAULT_IMAGE.to_owned()),
        [first, ..] => Err(Error::input("it is not clear which image is meant")
            .cause(format!("there are several: {}", found.join(", ")))
            .hint(format!("name one: `{first}`"))),
    }
}

fn definitions(source: &SourceArguments) -> Vec<String> {
    let folders = std::fs::read_dir(&source.images).into_iter().flatten().flatten();
    let defined = folders.filter(|folder| folder.path().join("image.yaml").is_file());
    let mut names: Vec<String> = defined
        .map(|folder| folder.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

async fn programs(source: &SourceArguments) -> Result<Vec<String>> {
    let workspace = compile::workspace(source.folder()).await?;
    let programs = workspace
        .packages
        .iter()
        .filter(|package| package.binaries().next().is_some());
    Ok(programs.map(|package| package.name.clone()).collect())
}
