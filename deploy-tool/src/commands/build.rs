//! `deploy-tool build`: sources → module → compiled ahead of time → image. Each result is kept by what went into it.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cache::Cache;
use crate::cli::{BuildArguments, SourceArguments};
use crate::docker::{self, LocalImage};
use crate::failure::{Failure, Outcome};
use crate::image::{self, Contents, Definition};
use crate::module::inspect::{self, Module};
use crate::module::{compile, inputs};
use crate::printer::{Printer, Progress};
use crate::settings::{BUILDER_IMAGE, ENGINE_LABEL, RECIPE_LABEL};
use crate::{digest, lock};

/// Part of every cache key: to be raised when the way modules are compiled changes.
const COMPILE_REVISION: &str = "1";

/// A built image. As JSON it is the `data` of the result of `build --output json`.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Built {
    /// Which definition it was built from.
    pub name: String,
    /// The exact reference.
    pub reference: String,
    /// The digest of its manifest.
    pub digest: String,
    /// The OCI archive.
    pub archive: PathBuf,
    /// The module as the compiler made it.
    pub module: PathBuf,
    /// The same module, compiled ahead of time.
    pub compiled_module: PathBuf,
    /// SHA-256 of the module before it was compiled ahead of time.
    pub module_digest: String,
    /// Bytes of that module.
    pub module_size_bytes: usize,
    /// Bytes of the module in the image.
    pub packed_size_bytes: usize,
    /// The version of WasmEdge that compiled it and must run it.
    pub engine: String,
}

/// Runs the command.
///
/// # Errors
/// When a step fails.
pub async fn run(printer: &Printer, arguments: BuildArguments) -> Outcome<()> {
    let BuildArguments { image, source } = arguments;
    let cache = Cache::open()?;
    let built = build(printer, &cache, &source, &image).await?;
    printer.result(&built, &built.reference);
    Ok(())
}

/// Builds the image of a definition.
///
/// # Errors
/// When a step fails.
pub async fn build(printer: &Printer, cache: &Cache, source: &SourceArguments, name: &str) -> Outcome<Built> {
    let folder = source.images.join(name);
    let definition = definition(&folder)?;
    let files = definition.files.iter().map(|file| read(&folder.join(&file.source)));
    let files = files.collect::<Outcome<Vec<_>>>()?;
    let (builder, engine) = builder().await?;
    let module = printer
        .step(&format!("Wasm module of {name}"), async |progress| {
            module(cache, progress, &source.workspace, &definition, &builder).await
        })
        .await?;
    let plain_module_digest = digest::hex(&module.bytes);
    let compiled = printer
        .step(&format!("module of {name} compiled ahead of time"), async |progress| {
            ahead_of_time(cache, progress, &module.bytes, &builder, &engine).await
        })
        .await?;
    let packing = async |progress: &Progress| {
        let contents = Contents {
            definition: &definition,
            module: &compiled.bytes,
            files,
            plain_module_digest: plain_module_digest.clone(),
            engine: engine.clone(),
        };
        let built = pack(cache, name, &contents, &module, &compiled)?;
        progress.outcome(format!(
            "image {} ({:.1} MB)",
            built.reference,
            megabytes(compiled.bytes.len())
        ));
        Ok(built)
    };
    printer.step(&format!("image of {name}"), packing).await
}

fn definition(folder: &Path) -> Outcome<Definition> {
    let path = folder.join("image.yaml");
    let failure = || Failure::input(format!("the image definition `{}` cannot be used", path.display()));
    let text = std::fs::read_to_string(&path).map_err(|error| {
        failure()
            .because(error)
            .next("run this in the project's folder, or name the definitions' folder with --images")
    })?;
    Definition::parse(&text).map_err(|error| failure().because(error))
}

/// The builder's recipe and its version of WasmEdge.
async fn builder() -> Outcome<(String, String)> {
    let image: LocalImage = docker::required_image(BUILDER_IMAGE).await?;
    let engine = image.label(ENGINE_LABEL).ok_or_else(|| {
        Failure::prerequisite(format!(
            "the image `{BUILDER_IMAGE}` does not say which WasmEdge it has"
        ))
        .because(format!("its label `{ENGINE_LABEL}` is missing"))
        .next("make it again: run `make images`")
    })?;
    Ok((
        image.label(RECIPE_LABEL).unwrap_or(&image.id).to_owned(),
        engine.to_owned(),
    ))
}

/// A file that was made, now or earlier.
struct Kept {
    path: PathBuf,
    bytes: Vec<u8>,
}

async fn module(
    cache: &Cache,
    progress: &Progress,
    folder: &Path,
    definition: &Definition,
    builder: &str,
) -> Outcome<Kept> {
    let Definition { package, profile, .. } = definition;
    let workspace = compile::workspace(folder).await?;
    let packages = workspace
        .sources_of(package)
        .map_err(|error| Failure::input(format!("cannot build `{package}`")).because(error))?;
    let inputs = inputs::read(&workspace, &packages)?;
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
    if let Ok(bytes) = std::fs::read(&path) {
        progress.outcome(format!(
            "Wasm module of {package}: unchanged ({:.1} MB)",
            megabytes(bytes.len())
        ));
        return Ok(Kept { path, bytes });
    }
    let bytes = compile::module(cache, progress, &workspace, &inputs, definition).await?;
    inspected(&bytes)?;
    cache.write(&path, &bytes)?;
    progress.outcome(format!(
        "Wasm module of {package}: compiled ({:.1} MB)",
        megabytes(bytes.len())
    ));
    Ok(Kept { path, bytes })
}

async fn ahead_of_time(
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

fn pack(cache: &Cache, name: &str, contents: &Contents<'_>, module: &Kept, compiled: &Kept) -> Outcome<Built> {
    let impossible =
        |error: &dyn std::fmt::Display| Failure::input(format!("cannot pack the image of {name}")).because(error);
    let image = image::pack(contents).map_err(|error| impossible(&error))?;
    let archive = cache.path(format!("images/{name}-{}.tar", image.tag()))?;
    let bytes = image::archive(&image).map_err(|error| impossible(&error))?;
    if std::fs::metadata(&archive).map_or(true, |found| found.len() != bytes.len() as u64) {
        cache.write(&archive, &bytes)?;
    }
    Ok(Built {
        name: name.to_owned(),
        reference: image.reference(),
        digest: image.digest(),
        archive,
        module: module.path.clone(),
        compiled_module: compiled.path.clone(),
        module_digest: contents.plain_module_digest.clone(),
        module_size_bytes: module.bytes.len(),
        packed_size_bytes: compiled.bytes.len(),
        engine: contents.engine.clone(),
    })
}

fn read(path: &Path) -> Outcome<Vec<u8>> {
    std::fs::read(path).map_err(|error| Failure::input(format!("cannot read `{}`", path.display())).because(error))
}

#[expect(clippy::cast_precision_loss, reason = "shown with one digit after the point")]
fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}
