//! `deploy-tool build`: sources → module → compiled ahead of time → image. Each result is kept by what went into it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cache::Cache;
use crate::cli::{BuildArguments, SourceArguments};
use crate::docker::{self, LocalImage};
use crate::failure::{Failure, Outcome};
use crate::image::{self, Compiled, Contents, Definition, Layout, store};
use crate::module::inspect::{self, Module};
use crate::module::workspace::{Package, Workspace};
use crate::module::{compile, inputs};
use crate::printer::{Printer, Progress};
use crate::settings::{BUILDER_IMAGE, ENGINE_LABEL, RECIPE_LABEL};
use crate::{digest, git, lock};

/// Part of every cache key: to be raised when the way modules are compiled changes.
const COMPILE_REVISION: &str = "1";

/// The same of layers: the compressor and its level.
const LAYER_REVISION: &str = "gzip 4";
/// <https://github.com/opencontainers/image-spec/blob/main/annotations.md#pre-defined-annotation-keys>
const REVISION_ANNOTATION: &str = "org.opencontainers.image.revision";

/// A built image. As JSON it is the `data` of the result of `build --output json`.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Built {
    /// Which definition it was built from.
    pub name: String,
    /// The exact reference.
    pub reference: String,
    /// The digest of its index.
    pub digest: String,
    /// The folder of its OCI layout.
    pub layout: PathBuf,
    /// The same as one file, where it was asked for.
    pub archive: Option<PathBuf>,
    /// The module as the compiler made it.
    pub module: PathBuf,
    /// The same module, compiled ahead of time.
    pub compiled_module: Option<PathBuf>,
    /// SHA-256 of the module before it was compiled ahead of time.
    pub module_digest: String,
    /// Bytes of that module.
    pub module_size_bytes: usize,
    /// Bytes of the module in the image.
    pub packed_size_bytes: usize,
    /// Bytes that a node of x86-64 pulls.
    pub image_size_bytes: u64,
    /// The version of WasmEdge that compiled it ahead of time and must run it.
    pub engine: Option<String>,
}

/// What an image is to be besides its definition.
#[derive(Clone, Copy, Debug, Default)]
pub struct Variation {
    /// Without native code.
    pub plain: bool,
    /// With the commit it is built from.
    pub revision: bool,
}

/// Runs the command.
///
/// # Errors
/// When a step fails.
pub async fn run(printer: &Printer, arguments: BuildArguments) -> Outcome<()> {
    let BuildArguments {
        image,
        archive,
        plain,
        revision,
        source,
    } = arguments;
    let cache = Cache::open()?;
    let mut built = build(printer, &cache, &source, &image, Variation { plain, revision }).await?;
    if let Some(archive) = archive {
        store::write_archive(&archive, &store::read(&built.layout)?)?;
        built.archive = Some(archive);
    }
    printer.result(&built, &built.reference);
    Ok(())
}

/// Builds the image of a definition.
///
/// # Errors
/// When a step fails.
pub async fn build(
    printer: &Printer,
    cache: &Cache,
    source: &SourceArguments,
    name: &str,
    variation: Variation,
) -> Outcome<Built> {
    let folder = source.images.join(name);
    let definition = definition(&folder)?;
    let files = definition.files.iter().map(|file| read(&folder.join(&file.source)));
    let files = files.collect::<Outcome<Vec<_>>>()?;
    let workspace = compile::workspace(&source.workspace).await?;
    let index_annotations = match variation.revision {
        true => BTreeMap::from([(REVISION_ANNOTATION.to_owned(), git::revision(&source.workspace).await?)]),
        false => BTreeMap::new(),
    };
    let (builder, engine) = builder().await?;
    let module = printer
        .step(&format!("Wasm module of {name}"), async |progress| {
            module(cache, progress, &workspace, &definition, &builder).await
        })
        .await?;
    let compiled = match variation.plain {
        true => None,
        false => Some(
            printer
                .step(&format!("module of {name} compiled ahead of time"), async |progress| {
                    ahead_of_time(cache, progress, &module.bytes, &builder, &engine).await
                })
                .await?,
        ),
    };
    let contents = Contents {
        definition: &definition,
        module: &module.bytes,
        compiled: compiled.as_ref().map(|compiled| Compiled {
            bytes: &compiled.bytes,
            engine: &engine,
        }),
        files,
        annotations: workspace
            .package(&definition.package)
            .map(Package::annotations)
            .unwrap_or_default(),
        index_annotations,
    };
    let packing = async |progress: &Progress| {
        let layout = pack(cache, name, &contents)?;
        let path = cache.path(format!("images/{name}-{}", image::tag(layout.digest())))?;
        store::write(cache, &path, &layout)?;
        let built = Built {
            name: name.to_owned(),
            reference: layout.name.clone().unwrap_or_default(),
            digest: layout.digest().to_owned(),
            layout: path,
            archive: None,
            module: module.path.clone(),
            compiled_module: compiled.as_ref().map(|compiled| compiled.path.clone()),
            module_digest: digest::hex(&module.bytes),
            module_size_bytes: module.bytes.len(),
            packed_size_bytes: compiled.as_ref().unwrap_or(&module).bytes.len(),
            image_size_bytes: layout.manifests.first().map_or(0, |first| layout.pulled_size(first)),
            engine: contents.compiled.map(|compiled| compiled.engine.to_owned()),
        };
        progress.outcome(format!(
            "image {} ({:.1} MB)",
            built.reference,
            megabytes(built.packed_size_bytes)
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
    workspace: &Workspace,
    definition: &Definition,
    builder: &str,
) -> Outcome<Kept> {
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
    if let Ok(bytes) = std::fs::read(&path) {
        progress.outcome(format!(
            "Wasm module of {package}: unchanged ({:.1} MB)",
            megabytes(bytes.len())
        ));
        return Ok(Kept { path, bytes });
    }
    let bytes = compile::module(cache, progress, workspace, &inputs, definition).await?;
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

fn pack(cache: &Cache, name: &str, contents: &Contents<'_>) -> Outcome<Layout> {
    let impossible =
        |error: &dyn std::fmt::Display| Failure::input(format!("cannot pack the image of {name}")).because(error);
    let mut packed = Vec::new();
    for variant in image::variants(contents).map_err(|error| impossible(&error))? {
        let key = digest::parts([LAYER_REVISION.as_bytes(), &variant.tar].map(|part| ("", part)));
        let path = cache.path(format!("layers/{key}.tar.gz"))?;
        let compressed = match std::fs::read(&path) {
            Ok(compressed) => compressed,
            Err(_) => {
                let compressed = image::compress(&variant.tar).map_err(|error| impossible(&error))?;
                cache.write(&path, &compressed)?;
                compressed
            }
        };
        packed.push((variant, compressed));
    }
    Ok(image::pack(contents, packed))
}

fn read(path: &Path) -> Outcome<Vec<u8>> {
    std::fs::read(path).map_err(|error| Failure::input(format!("cannot read `{}`", path.display())).because(error))
}

#[expect(clippy::cast_precision_loss, reason = "shown with one digit after the point")]
fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}
