//! `deploy-tool push`: build, unless it is built; log in; blobs, manifests, tags.

use std::path::Path;

use super::build::{self, Variation};
use crate::cli::PushArguments;
use crate::publish;
use diagnostics::{Failure, Outcome};
use host::cache::Cache;
use host::cleanup::Cleanup;
use oci_artifacts::image::store::{self, Outline};
use oci_artifacts::registry::{Connection, Purpose, Repository};
use terminal::Printer;

/// Runs the command.
///
/// # Errors
/// When a step fails.
pub async fn run(printer: &Printer, cleanup: &Cleanup, arguments: PushArguments) -> Outcome<()> {
    let (repository, tag) = repository(&arguments.to)?;
    let from = arguments
        .mount_from
        .as_deref()
        .map(|text| same_registry(text, &repository));
    let from = from.transpose()?;
    let tags = tags(&arguments, tag).await?;
    let login = arguments.registry.credentials().login(&repository).await?;
    let outline = outline(printer, cleanup, &arguments).await?;
    let trust = arguments.registry.trust();
    let purpose = Purpose::Push { from: from.clone() };
    let connection = Connection::open(&repository, purpose, login, &trust).await?;
    let pushed = publish::registry::push(printer, &connection, &outline, &tags, from.as_deref()).await?;
    printer.result(&pushed, &pushed.reference);
    Ok(())
}

fn repository(text: &str) -> Outcome<(Repository, Option<String>)> {
    Repository::parse(text)
        .map_err(|why| Failure::input(format!("`{text}` is no repository that can be pushed to")).because(why))
}

/// The path of another repository; a registry only takes blobs from its own.
fn same_registry(text: &str, target: &Repository) -> Outcome<String> {
    let (other, _) = repository(text)?;
    match other.registry == target.registry {
        true => Ok(other.path),
        false => Err(Failure::input(format!("nothing can be taken from `{other}`"))
            .because(format!("the registry of `{target}` is another one"))),
    }
}

/// The tags asked for, else one that says which commit it is. A file says nothing of commits.
async fn tags(arguments: &PushArguments, tag: Option<String>) -> Outcome<Vec<String>> {
    let asked: Vec<String> = tag.into_iter().chain(arguments.tags.clone()).collect();
    if !asked.is_empty() || is_file(&arguments.image) || arguments.module.is_some() {
        return Ok(asked);
    }
    publish::registry::described_tag(arguments.source.folder()).await
}

async fn outline(printer: &Printer, cleanup: &Cleanup, arguments: &PushArguments) -> Outcome<Outline> {
    let PushArguments {
        image,
        source,
        module,
        revision,
        ..
    } = arguments;
    match (is_file(image), module) {
        (true, Some(_)) => Err(Failure::input("a module cannot be packed into an image that is built")
            .because(format!("`{image}` is a file or folder"))
            .next("name an image to build: `--module` takes the place of its compilation")),
        (true, None) => store::outline(Path::new(image)),
        (false, module) => {
            let variation = Variation {
                module: module.as_deref(),
                revision: *revision,
                ..Variation::default()
            };
            let built = build::build(printer, cleanup, &Cache::open()?, source, image, variation).await?;
            store::outline(&built.layout)
        }
    }
}

/// Names of definitions are names of folders below another folder; what is here is a file.
fn is_file(image: &str) -> bool {
    image.contains('/') || image.ends_with(".tar")
}
