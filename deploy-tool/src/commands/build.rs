//! `deploy-tool build`: sources → module → compiled ahead of time → image. Each result is kept by what went into it.

use std::path::Path;

use super::default_image;
use super::module_source::{self, SourcedModule};
use super::variation::{Form, Variation, native_form};
use crate::built::Built;
use crate::cli::{BuildArguments, SourceArguments};
use diagnostics::size::in_megabytes;
use diagnostics::{Error, Result};
use host::cache::Cache;
use host::cleanup::Cleanup;
use host::git;
use oci_artifacts::image::layout::pulled_size;
use oci_artifacts::image::{self, Compiled, Contents, Definition, Layout, LayoutError, store};
use oci_artifacts::provenance::{self, Origin};
use oci_artifacts::{bom, digest};
use terminal::{Printer, Progress};
use wasm_build::BUILDER_IMAGE;
use wasm_build::artifact_cache::BuildRecord;

/// Part of the key of every layer that is kept: the compressor and its level.
const LAYER_REVISION: &str = "gzip 4";
/// <https://github.com/opencontainers/image-spec/blob/main/annotations.md#pre-defined-annotation-keys>
const REVISION_ANNOTATION: &str = "org.opencontainers.image.revision";

/// Runs the command.
///
/// # Errors
/// When a step fails.
pub async fn run(printer: &Printer, cleanup: &Cleanup, arguments: BuildArguments) -> Result<()> {
    let BuildArguments {
        image,
        archive,
        module,
        revision,
        aot,
        low_priority,
        source,
    } = arguments;
    if low_priority {
        lower_priority()?;
    }
    let image = default_image::find(&source, image).await?;
    let cache = Cache::open()?;
    let variation = Variation {
        module: module.as_deref(),
        form: Form::new(Some(aot), false),
        native: native_form(aot),
        revision,
        low_priority,
    };
    let mut built = build(printer, cleanup, &cache, &source, &image, variation).await?;
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
    cleanup: &Cleanup,
    cache: &Cache,
    source: &SourceArguments,
    name: &str,
    variation: Variation<'_>,
) -> Result<Built> {
    let folder = source.images.join(name);
    let mut definition = definition(source, name)?;
    let files = image::read_files(&mut definition, |file| read(&folder.join(&file.source)))?;
    let commit = if variation.revision {
        Some(git::revision(source.folder()).await?)
    } else {
        None
    };
    let sourced = match variation.module {
        Some(path) => module_source::import_module(source, &definition, name, path).await?,
        None => module_source::compile(printer, cleanup, cache, source, &definition, name, variation).await?,
    };
    let packing = async |progress: &Progress| {
        let built = pack_module(cache, name, &definition, files, sourced, commit)?;
        let size = in_megabytes(built.packed_size_bytes as u64);
        progress.outcome(format!("image {} ({size})", built.reference));
        Ok(built)
    };
    printer.step(&format!("image of {name}"), packing).await
}

/// Packs a module into an image, with the documents that are known of it, and keeps the layout in the cache.
fn pack_module(
    cache: &Cache,
    name: &str,
    definition: &Definition,
    files: Vec<Vec<u8>>,
    sourced: SourcedModule,
    commit: Option<String>,
) -> Result<Built> {
    let SourcedModule {
        module,
        compiled,
        annotations,
        record,
    } = sourced;
    let contents = Contents {
        definition,
        module: &module.bytes,
        compiled: compiled.as_ref().map(|(compiled, engine)| Compiled {
            bytes: &compiled.bytes,
            engine,
        }),
        files,
        annotations,
        index_annotations: commit
            .iter()
            .map(|commit| (REVISION_ANNOTATION.to_owned(), commit.clone()))
            .collect(),
    };
    let sources = record.as_ref().map(|record| record.sources.clone());
    let mut layout = pack(cache, name, &contents)?;
    if let Some(record) = record {
        attach_documents(&mut layout, &contents, record, commit.as_deref())
            .map_err(|error| packing_error(name, error))?;
    }
    let path = cache.path(format!("images/{name}-{}", layout.digest().to_tag()))?;
    store::write(&path, &layout)?;
    let pulled = layout.manifests.first().map(pulled_size).transpose();
    let packed = contents.compiled.map_or(contents.module, |compiled| compiled.bytes);
    Ok(Built {
        name: name.to_owned(),
        reference: layout.name.clone().unwrap_or_default(),
        digest: layout.digest().clone(),
        layout: path,
        archive: None,
        module: module.path.clone(),
        compiled_module: compiled.as_ref().map(|(compiled, _)| compiled.path.clone()),
        sources,
        module_digest: digest::hex(&module.bytes),
        module_size_bytes: module.bytes.len(),
        packed_size_bytes: packed.len(),
        image_size_bytes: pulled.map_err(|error| packing_error(name, error))?.unwrap_or_default(),
        engine: contents.compiled.map(|compiled| compiled.engine.to_owned()),
    })
}

/// Attaches the bill of materials and the provenance to the image of a module that was compiled here.
fn attach_documents(
    layout: &mut Layout,
    contents: &Contents<'_>,
    record: BuildRecord,
    commit: Option<&str>,
) -> std::result::Result<(), LayoutError> {
    let origin = Origin {
        profile: &record.profile,
        sources: &record.sources,
        lock: &record.lock,
        builder_image: BUILDER_IMAGE,
        builder: &record.builder,
        engine: contents.compiled.map(|compiled| compiled.engine),
        commit,
    };
    image::attach(layout, bom::MEDIA_TYPE, record.bill)?;
    let statement = provenance::document(layout, contents.definition, &origin)?;
    Ok(image::attach(layout, provenance::MEDIA_TYPE, statement)?)
}

/// The rest of this host comes before this process.
fn lower_priority() -> Result<()> {
    const LEAST: i32 = 19;
    rustix::process::nice(LEAST)
        .map_err(|error| Error::prerequisite("cannot lower the priority of this process").cause(error))?;
    Ok(())
}

/// The name of the image that a definition makes, without a tag.
///
/// # Errors
/// When there is no such definition.
pub fn image_name(source: &SourceArguments, name: &str) -> Result<String> {
    Ok(definition(source, name)?.name)
}

/// A definition's fields; each has a default.
const EXAMPLE: &str = "package: app\nworkspace: ../..\nprofile: release\nfeatures: [tls]\nname: localhost/app\nmodule: /app.wasm\nuser: \"65532\"\n\
    stopSignal: SIGKILL\nfiles:\n- path: /etc/services\n  source: services";

/// The definition of an image: its file, or, where there is no folder of definitions, that of the package of its name.
///
/// # Errors
/// When the file is wrong, or there is neither a file nor a workspace.
pub fn definition(source: &SourceArguments, name: &str) -> Result<Definition> {
    let path = source.images.join(name).join("image.yaml");
    let failure = || Error::input(format!("the image definition `{}` cannot be used", path.display()));
    match std::fs::read_to_string(&path) {
        Ok(text) => Definition::parse(name, &text).map_err(|error| {
            failure()
                .cause(error)
                .hint(format!("these are all its fields, each with an example:\n{EXAMPLE}"))
        }),
        Err(_) if !source.images.exists() && source.folder().join("Cargo.toml").is_file() => {
            Ok(Definition::for_package(name))
        }
        Err(error) if source.images.is_dir() && !path.exists() => Err(failure().cause(error).hint(format!(
            "make it: an empty file means the package `{name}`, with every default; or name the folder that has it with --images"
        ))),
        Err(error) => Err(failure()
            .cause(error)
            .hint("run this in the project's folder, or name the definitions' folder with --images, or the one with Cargo.toml with --workspace")),
    }
}

/// Packs an image.
///
/// # Errors
/// When its files cannot be in a layer, or the cache cannot be written.
pub fn pack(cache: &Cache, name: &str, contents: &Contents<'_>) -> Result<Layout> {
    let mut packed = Vec::new();
    for variant in image::variants(contents).map_err(|error| packing_error(name, error))? {
        let key = digest::parts([LAYER_REVISION.as_bytes(), &variant.tar].map(|part| ("", part)));
        let path = cache.path(format!("layers/{key}.tar.gz"))?;
        let compressed = match std::fs::read(&path) {
            Ok(compressed) => compressed,
            Err(_) => {
                let compressed = image::compress(&variant.tar).map_err(|error| packing_error(name, error))?;
                cache.write(&path, &compressed)?;
                compressed
            }
        };
        packed.push((variant, compressed));
    }
    image::pack(contents, packed).map_err(|error| packing_error(name, error))
}

fn packing_error(name: &str, error: impl std::fmt::Display) -> Error {
    Error::input(format!("cannot pack the image of {name}")).cause(error)
}

/// Reads a file of an image.
///
/// # Errors
/// When it cannot be read.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| Error::input(format!("cannot read `{}`", path.display())).cause(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_there_is_no_definition_it_is_told_what_takes_its_place() {
        let home = tempfile::tempdir().unwrap();
        let source = SourceArguments {
            workspace: Some(home.path().to_owned()),
            images: home.path().join("oci"),
        };
        let name_or_error = |name: &str| match definition(&source, name) {
            Ok(definition) => definition.package,
            Err(failure) => failure.hints().join("\n"),
        };
        assert!(
            name_or_error("shop").contains("run this in the project's folder"),
            "{}",
            name_or_error("shop")
        );
        std::fs::write(home.path().join("Cargo.toml"), "").unwrap();
        assert_eq!(name_or_error("shop"), "shop");
        // Once there are definitions, each image has one.
        std::fs::create_dir_all(home.path().join("oci/shop")).unwrap();
        assert!(
            name_or_error("shop").contains("an empty file means the package `shop`"),
            "{}",
            name_or_error("shop")
        );
        std::fs::write(home.path().join("oci/shop/image.yaml"), "").unwrap();
        assert_eq!(name_or_error("shop"), "shop");
        std::fs::write(home.path().join("oci/shop/image.yaml"), "packag: shop\n").unwrap();
        assert!(
            name_or_error("shop").contains("these are all its fields"),
            "{}",
            name_or_error("shop")
        );
    }
}
