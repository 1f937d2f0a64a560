//! Edge: compiled modules and their bills of materials, each kept by what went into it.

use std::path::{Path, PathBuf};

use super::inputs::{self, Inputs};
use super::inspect::{self, Module};
use super::workspace::Workspace;
use super::{compile, crates};
use crate::bom;
use crate::cache::Cache;
use crate::failure::{Failure, Outcome};
use crate::image::Definition;
use crate::printer::Progress;
use crate::{digest, lock};

/// Part of every cache key: to be raised when the way modules are compiled changes.
const COMPILE_REVISION: &str = "1";
/// The same of bills: the ending of their files.
const BILL_ENDING: &str = "1.cdx.json";

/// A file that was made, now or earlier.
#[derive(Debug)]
pub struct Kept {
    /// Where it is.
    pub path: PathBuf,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// What is known of a module's making.
#[derive(Debug)]
pub struct Making {
    /// The bill of its crates.
    pub bill: Vec<u8>,
    /// The digest of its sources.
    pub sources: String,
    /// The digest of Cargo.lock.
    pub lock: String,
    /// The recipe of the builder.
    pub builder: String,
}

/// A module that was made elsewhere.
///
/// # Errors
/// When it cannot be read, or would not run.
pub fn given(path: &Path) -> Outcome<Kept> {
    let shown = path.display();
    let bytes = std::fs::read(path).map_err(|error| Failure::input(format!("cannot read `{shown}`")).because(error))?;
    inspect::inspect(&bytes)
        .map_err(|error| Failure::input(format!("the module `{shown}` would not run")).because(error))?;
    Ok(Kept {
        path: path.to_owned(),
        bytes,
    })
}

/// The module of a definition.
///
/// # Errors
/// When it does not compile, or would not run.
pub async fn module(
    cache: &Cache,
    progress: &Progress,
    workspace: &Workspace,
    definition: &Definition,
    builder: &str,
) -> Outcome<(Kept, Making)> {
    let Definition { package, profile, .. } = definition;
    let packages = workspace
        .sources_of(package)
        .map_err(|error| Failure::input(format!("cannot build `{package}`")).because(error))?;
    let inputs = inputs::read(workspace, &packages)?;
    let sources = inputs.digest();
    let made_of = [
        COMPILE_REVISION,
        package.as_str(),
        profile.as_str(),
        builder,
        sources.as_str(),
    ]
    .map(|part| ("", part.as_bytes()));
    let path = cache.path(format!("modules/{}.wasm", digest::parts(made_of)))?;
    let _lock = lock::builder(cache, progress).await?;
    let (bytes, how) = match std::fs::read(&path) {
        Ok(bytes) => (bytes, "unchanged"),
        Err(_) => {
            let bytes = compile::module(cache, progress, workspace, &inputs, definition).await?;
            inspected(&bytes)?;
            cache.write(&path, &bytes)?;
            (bytes, "compiled")
        }
    };
    let bill = bill(cache, progress, workspace, package, &inputs, &path, &bytes).await?;
    progress.outcome(format!(
        "Wasm module of {package}: {how} ({:.1} MB)",
        megabytes(bytes.len())
    ));
    let making = Making {
        bill,
        lock: digest::hex(inputs.lock()),
        sources,
        builder: builder.to_owned(),
    };
    Ok((Kept { path, bytes }, making))
}

async fn bill(
    cache: &Cache,
    progress: &Progress,
    workspace: &Workspace,
    package: &str,
    inputs: &Inputs,
    module: &Path,
    bytes: &[u8],
) -> Outcome<Vec<u8>> {
    let path = module.with_extension(BILL_ENDING);
    if let Ok(bill) = std::fs::read(&path) {
        return Ok(bill);
    }
    let vendor = crates::fetch(cache, progress, &workspace.root, inputs.lock()).await?;
    let tree = crates::tree(&vendor, &workspace.root, package).await?;
    let lock = String::from_utf8_lossy(inputs.lock());
    let bill = bom::document(&tree, &lock, &digest::hex(bytes))
        .map_err(|error| Failure::prerequisite("cannot list the crates of the module").because(error))?;
    cache.write(&path, &bill)?;
    Ok(bill)
}

/// A module compiled ahead of time.
///
/// # Errors
/// When WasmEdge refuses it.
pub async fn ahead_of_time(
    cache: &Cache,
    progress: &Progress,
    module: &[u8],
    builder: &str,
    engine: &str,
) -> Outcome<Kept> {
    let made_of = [COMPILE_REVISION.as_bytes(), builder.as_bytes(), module].map(|part| ("", part));
    let path = cache.path(format!("aot/{}.wasm", digest::parts(made_of)))?;
    let _lock = lock::builder(cache, progress).await?;
    if let Ok(bytes) = std::fs::read(&path) {
        progress.outcome(format!("compiled ahead of time for WasmEdge {engine}: unchanged"));
        return Ok(Kept { path, bytes });
    }
    let bytes = compile::ahead_of_time(cache, progress, module).await?;
    if !inspected(&bytes)?.ahead_of_time {
        return Err(
            Failure::prerequisite("WasmEdge compiled the module, but put no native code into it")
                .because("the result has no custom section `wasmedge`")
                .next("make the builder again: run `make images`"),
        );
    }
    cache.write(&path, &bytes)?;
    progress.outcome(format!("compiled ahead of time for WasmEdge {engine}"));
    Ok(Kept { path, bytes })
}

fn inspected(bytes: &[u8]) -> Outcome<Module> {
    inspect::inspect(bytes).map_err(|error| Failure::input("the module would not run").because(error))
}

/// For people.
#[expect(clippy::cast_precision_loss, reason = "shown with one digit after the point")]
pub fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}
