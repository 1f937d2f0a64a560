//! The images of the variants, from one source.

use std::collections::BTreeMap;

use bench::benchmark::Form;
use deploy_tool::built::Built;
use deploy_tool::cli::SourceArguments;
use deploy_tool::commands::build;
use deploy_tool::commands::module_source;
use deploy_tool::commands::variation::Variation;
use deploy_tool::settings::DEFAULT_IMAGE;
use diagnostics::{Error, Result};
use host::cache::Cache;
use host::cleanup::Cleanup;
use oci_artifacts::image::layout::pulled_size;
use oci_artifacts::image::{Compiled, Contents, ExtraFile, read_files, store};
use terminal::Printer;
use wasm_build::artifact_cache;
use wasm_build::native_form::NativeForm;

/// Makes the layers those of no other image: pulls find nothing on the node, and removing them takes nothing away.
const MARK: &str = "/etc/bench";

/// Builds an image for each form.
///
/// # Errors
/// When a step fails.
pub async fn images(
    printer: &Printer,
    cleanup: &Cleanup,
    cache: &Cache,
    source: &SourceArguments,
) -> Result<BTreeMap<Form, Built>> {
    let folder = source.images.join(DEFAULT_IMAGE);
    let mut definition = build::definition(source, DEFAULT_IMAGE)?;
    let mut files = read_files(&mut definition, |file| build::read(&folder.join(&file.source)))?;
    definition.files.push(ExtraFile {
        path: MARK.to_owned(),
        source: String::new(),
    });
    files.push(Vec::new());
    let parts = module_source::compile(
        printer,
        cleanup,
        cache,
        source,
        &definition,
        DEFAULT_IMAGE,
        Variation::default(),
    )
    .await?;
    let variation = Variation {
        native: NativeForm::SharedObject,
        ..Variation::default()
    };
    let shared = module_source::compile(printer, cleanup, cache, source, &definition, DEFAULT_IMAGE, variation).await?;
    let native = module_source::native(printer, cleanup, cache, source, &definition, DEFAULT_IMAGE).await?;
    let mut images = BTreeMap::new();
    for (form, program, compiled) in [
        (Form::Native, &native, None),
        (Form::Elf, &shared.module, shared.compiled.as_ref()),
        (Form::Aot, &parts.module, parts.compiled.as_ref()),
        (Form::Interpreter, &parts.module, None),
    ] {
        let compiled = compiled.map(|(module, engine)| Compiled {
            bytes: &module.bytes,
            engine,
        });
        definition.name = format!("localhost/bench-{}", form.name());
        definition.module = form.program().to_owned();
        let contents = Contents {
            definition: &definition,
            module: &program.bytes,
            compiled,
            files: files.clone(),
            annotations: BTreeMap::new(),
            index_annotations: BTreeMap::new(),
        };
        images.insert(form, pack(cache, form, &contents, program)?);
    }
    Ok(images)
}

fn pack(cache: &Cache, form: Form, contents: &Contents<'_>, program: &artifact_cache::Artifact) -> Result<Built> {
    let layout = build::pack(cache, form.name(), contents)?;
    let path = cache.path(format!("images/bench-{}-{}", form.name(), layout.digest().to_tag()))?;
    store::write(&path, &layout)?;
    let pulled = layout.manifests.first().map(pulled_size).transpose();
    Ok(Built {
        name: format!("bench-{}", form.name()),
        reference: layout.name.clone().unwrap_or_default(),
        digest: layout.digest().clone(),
        layout: path,
        module: program.path.clone(),
        packed_size_bytes: contents
            .compiled
            .map_or(contents.module, |compiled| compiled.bytes)
            .len(),
        image_size_bytes: pulled
            .map_err(|error| Error::input("cannot measure the image").cause(error))?
            .unwrap_or_default(),
        engine: contents.compiled.map(|compiled| compiled.engine.to_owned()),
        ..Built::default()
    })
}
