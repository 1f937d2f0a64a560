//! `deploy-tool push`: build, unless it is built; log in; blobs, manifests, tags.

use std::path::Path;

use super::image_source::no_image;
use super::variation::Variation;
use super::{build, default_image};
use crate::cli::PushArguments;
use crate::publish;
use diagnostics::code;
use diagnostics::{Error, Result};
use host::cache::Cache;
use host::cleanup::Cleanup;
use oci_artifacts::image::LayoutError;
use oci_artifacts::image::store::{self, Outline};
use oci_artifacts::inspect;
use oci_artifacts::registry::{Connection, Purpose, Repository};
use terminal::Printer;

/// Runs the command.
///
/// # Errors
/// When a step fails.
pub async fn run(printer: &Printer, cleanup: &Cleanup, arguments: PushArguments) -> Result<()> {
    let (repository, tag) = repository(&arguments.to)?;
    let from = arguments
        .mount_from
        .as_deref()
        .map(|text| same_registry(text, &repository));
    let from = from.transpose()?;
    let image = default_image::find(&arguments.source, arguments.image.clone()).await?;
    let tags = tags(&arguments, &image, tag).await;
    let purpose = Purpose::Push { from: from.clone() };
    let found = arguments.registry.credentials().login(&repository, &purpose).await?;
    let outline = outline(printer, cleanup, &arguments, &image).await?;
    let tls = arguments.registry.tls_options();
    let connection = Connection::open(&repository, purpose, found, &tls).await?;
    connection.warnings().iter().for_each(|text| printer.warning(text));
    let pushed = publish::registry::push(printer, &connection, &outline, &tags, from.as_deref()).await?;
    printer.result(&pushed, &pushed.reference);
    Ok(())
}

fn repository(text: &str) -> Result<(Repository, Option<String>)> {
    Repository::parse(text)
        .map_err(|why| Error::input(format!("`{text}` is not a repository that can be pushed to")).cause(why))
}

/// The path of another repository; a registry only takes blobs from its own.
fn same_registry(text: &str, target: &Repository) -> Result<String> {
    let (source, _) = repository(text)?;
    if source.registry == target.registry {
        Ok(source.path)
    } else {
        Err(Error::input(format!("nothing can be taken from `{source}`"))
            .cause(format!("the registry of `{target}` is another one")))
    }
}

/// The requested tags, else one of `git describe`. A file has no commit.
async fn tags(arguments: &PushArguments, image: &str, tag: Option<String>) -> Vec<String> {
    let tags: Vec<String> = tag.into_iter().chain(arguments.tags.clone()).collect();
    if !tags.is_empty() || is_file(image) || arguments.module.is_some() {
        return tags;
    }
    let described = publish::registry::described_tag(arguments.source.folder()).await;
    described.into_iter().collect()
}

async fn outline(printer: &Printer, cleanup: &Cleanup, arguments: &PushArguments, image: &str) -> Result<Outline> {
    let PushArguments {
        source,
        module,
        revision,
        platform,
        ..
    } = arguments;
    let outline = match (is_file(image), module) {
        (true, Some(_)) => Err(Error::input("a module cannot be packed into an image that is built")
            .cause(format!("`{image}` is a file or folder"))
            .hint("name an image to build: `--module` takes the place of its compilation")),
        (true, None) => store::partial_outline(Path::new(image)),
        (false, module) => {
            let variation = Variation {
                module: module.as_deref(),
                revision: *revision,
                ..Variation::default()
            };
            let built = build::build(printer, cleanup, &Cache::open()?, source, image, variation).await?;
            store::outline(&built.layout)
        }
    }?;
    match platform {
        Some(platform) => select_platform(outline, image, platform),
        None => require_complete(outline, image),
    }
}

/// The image of one platform.
fn select_platform(mut outline: Outline, image: &str, platform: &str) -> Result<Outline> {
    let damaged = |error: LayoutError| no_image(image, error);
    let platforms = inspect::images(&outline.layout).map_err(damaged)?;
    let platforms: Vec<String> = platforms
        .iter()
        .filter_map(|(found, _)| Some(found.as_ref()?.to_string()))
        .collect();
    let chosen = outline.layout.select_platform(platform).map_err(damaged)?;
    outline.layout = chosen.ok_or_else(|| {
        let why = if platforms.is_empty() {
            "it is of one platform, and does not say which".to_owned()
        } else {
            format!("it has {}", platforms.join(", "))
        };
        Error::input(format!("`{image}` has no image for the platform `{platform}`")).cause(why)
    })?;
    Ok(outline)
}

/// Refuses an index without some of its images: no registry takes it.
fn require_complete(outline: Outline, image: &str) -> Result<Outline> {
    let absent = outline.layout.absent_platforms();
    if absent.is_empty() {
        return Ok(outline);
    }
    let absent: Vec<String> = absent.into_iter().collect();
    let images = inspect::images(&outline.layout).map_err(|error| no_image(image, error))?;
    let platform = images.iter().find_map(|(platform, _)| platform.as_ref());
    let failure = Error::input(format!("`{image}` is not whole"))
        .code(&code::image::PLATFORM_ABSENT)
        .cause(format!(
            "its index names images that are not there: {}",
            absent.join(", ")
        ));
    Err(match platform {
        Some(platform) => failure.hint(format!("push the image of one platform: --platform {platform}")),
        None => failure,
    }
    .hint("or copy the whole image: `skopeo copy --all docker://IMAGE oci:FOLDER`"))
}

/// Whether the argument is a file: a definition is named by its folder below oci/.
fn is_file(image: &str) -> bool {
    image.contains('/') || image.ends_with(".tar")
}
