//! `deploy-tool bundle`: an image as a folder that crun and runc run. It appears whole or not at all.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use serde::Serialize;

use super::image_source::{configuration, fetch, no_image, subject, unreadable};
use crate::cli::BundleArguments;
use diagnostics::code;
use diagnostics::{Error, Result};
use host::cache::Cache;
use oci_artifacts::Digest;
use oci_artifacts::bundle::{self, ChoiceError, Container, ROOTFS, SPECIFICATION_FILE, Unpacker, UserDatabase};
use oci_artifacts::image::{Blob, Layout, VARIANT, VARIANT_ANNOTATION, artifact, specification, store};
use oci_artifacts::inspect::{Configuration, Subject};
use terminal::Printer;

/// What programs look up names by, and what a guest has no other way to get.
const HOST_FILES: [&str; 2] = ["/etc/hosts", "/etc/resolv.conf"];
/// The default PATH of an image without one.
const SEARCH_PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What `--output json` prints.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    schema: &'static str,
    folder: String,
    /// The digest of the platform's manifest.
    digest: Digest,
    /// Whether crun hands it to WasmEdge.
    wasm: bool,
    arguments: Vec<String>,
    run: String,
}

/// Runs the command.
///
/// # Errors
/// When there is no such image, or the folder cannot be made.
pub async fn run(printer: &Printer, arguments: BundleArguments) -> Result<()> {
    let report = bundle(&arguments, |text| printer.warning(text)).await?;
    printer.result(&report, text(&report));
    Ok(())
}

/// Writes the folder of the bundle. `warn` is called with problems that are no errors.
///
/// # Errors
/// When there is no such image, or the folder cannot be made.
pub async fn bundle(arguments: &BundleArguments, warn: impl Fn(&str)) -> Result<Report> {
    refuse_occupied(&arguments.folder)?;
    let source = arguments.image.as_str();
    match subject(source, "made into a bundle")? {
        Subject::Module => Err(no_image(source, "it is a module alone").hint(format!(
            "pack it: `deploy-tool build --module {source} --archive image.tar`"
        ))),
        Subject::Layout(path) => create_bundle(arguments, &store::read_partial(&path)?).await,
        Subject::Remote(reference) => {
            let scratch = Cache::open()?.scratch("bundle")?;
            let wanted = arguments.platform.as_deref();
            let is_wanted = |entry: &specification::Descriptor| bundle::is_candidate(entry, wanted, architecture());
            let registry = &arguments.registry;
            let layout = fetch(source, &reference, registry, &scratch.path, u64::MAX, is_wanted, warn).await?;
            create_bundle(arguments, &layout).await
        }
    }
}

fn text(report: &Report) -> String {
    let kind = if report.wasm {
        "a Wasm module"
    } else {
        "a Linux program"
    };
    format!(
        "{}: {kind}, {}\n{}",
        report.folder,
        report.arguments.join(" "),
        report.run
    )
}

/// This machine's processor in the words of images.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        value => value,
    }
}

fn refuse_occupied(folder: &Path) -> Result<()> {
    let occupied = match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) => error.kind() != ErrorKind::NotFound,
    };
    if occupied {
        Err(Error::input(format!(
            "`{}` is there already, and not an empty folder",
            folder.display()
        ))
        .hint("name another folder, or remove this one"))
    } else {
        Ok(())
    }
}

async fn create_bundle(arguments: &BundleArguments, layout: &Layout) -> Result<Report> {
    let source = &arguments.image;
    let manifest = choose_manifest(arguments, layout)?;
    let parts = specification::Manifest::from_blob(manifest).map_err(|error| no_image(source, error))?;
    if let Some(artifact_type) = artifact::artifact(&parts) {
        return Err(no_image(source, format!("it is {artifact_type}")));
    }
    let configuration = configuration(layout, &parts.config.digest)?;
    let started = configuration.arguments(&arguments.command);
    let Some(program) = started.first() else {
        return Err(Error::input(format!("`{source}` does not say what is started"))
            .cause("it has neither an entrypoint nor a command")
            .hint("name one: deploy-tool bundle IMAGE FOLDER -- COMMAND"));
    };
    let variant = variant(&parts, &configuration, program);
    let folder = &arguments.folder;
    let cannot = |error: std::io::Error| Error::file(format!("cannot make the bundle `{}`", folder.display()), &error);
    let made = scratch_beside(folder).map_err(cannot)?;
    let root = made.path().join(ROOTFS);
    fs::create_dir(&root).map_err(cannot)?;
    // A container without root cannot be given files of others.
    let keeps_owners = rustix::process::geteuid().is_root() && !arguments.rootless;
    let mut unpacker = Unpacker::new(&root, keeps_owners);
    for layer in &parts.layers {
        unpack(&mut unpacker, source, layout, &layer.digest).await?;
    }
    unpacker.finish().map_err(cannot)?;
    if variant.is_some() {
        refuse_no_module(source, &root, program)?;
    }
    let container = container(arguments, &configuration, &root, variant)?;
    let document = bundle::specification(&container);
    write(&made.path().join(SPECIFICATION_FILE), &format!("{document:#}\n")).map_err(cannot)?;
    fs::set_permissions(made.path(), Permissions::from_mode(0o755)).map_err(cannot)?;
    // An empty folder gives way.
    fs::rename(made.path(), folder).map_err(cannot)?;
    // There is nothing left to remove.
    let _ = made.keep();
    let name = folder
        .file_name()
        .map_or("container".into(), |name| name.to_string_lossy());
    Ok(Report {
        schema: "deploy-tool.dev/bundle/v1",
        folder: folder.display().to_string(),
        digest: manifest.digest.clone(),
        wasm: container.variant.is_some(),
        arguments: started,
        run: format!("crun run --bundle {} {name}", folder.display()),
    })
}

/// The manifest of the platform that was asked for, else of this machine's.
fn choose_manifest<'l>(arguments: &BundleArguments, layout: &'l Layout) -> Result<&'l Blob> {
    let platform = arguments.platform.as_deref();
    bundle::choose(layout, platform, architecture()).map_err(|error| {
        let platforms = match error {
            ChoiceError::Platforms(platforms) => platforms,
            ChoiceError::Layout(error) => return no_image(&arguments.image, error),
        };
        let platform = platform.map_or_else(|| format!("linux/{}", architecture()), str::to_owned);
        let platforms: Vec<String> = platforms.into_iter().collect();
        Error::input(format!(
            "`{}` has no image for the platform `{platform}`",
            arguments.image
        ))
        .code(&code::image::PLATFORM_ABSENT)
        .cause(format!("it names {}", platforms.join(", ")))
    })
}

/// An empty folder on the file system of the bundle's, from where it can be renamed.
fn scratch_beside(folder: &Path) -> std::io::Result<tempfile::TempDir> {
    let parent = match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent)?;
    tempfile::Builder::new().prefix(".bundle-").tempdir_in(parent)
}

/// How the image in `root` is run.
fn container(
    arguments: &BundleArguments,
    configuration: &Configuration,
    root: &Path,
    variant: Option<String>,
) -> Result<Container> {
    let source = &arguments.image;
    let database = UserDatabase::read(root).map_err(|error| unreadable(source, &error))?;
    let user = bundle::user(configuration.user(), &database)
        .map_err(|why| Error::input(format!("`{source}` cannot be run as its user")).cause(why))?;
    let ids = || (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let host_files = HOST_FILES.iter().filter(|file| Path::new(file).exists());
    Ok(Container {
        arguments: configuration.arguments(&arguments.command),
        environment: environment(configuration, &arguments.env, variant.is_some()),
        working_directory: configuration.working_directory().to_owned(),
        user,
        hostname: "bundle".to_owned(),
        variant,
        rootless: arguments.rootless.then(ids),
        host_files: host_files.map(ToString::to_string).collect(),
    })
}

/// By what crun takes it for Wasm, where it does.
fn variant(manifest: &specification::Manifest, configuration: &Configuration, program: &str) -> Option<String> {
    let annotation = manifest.annotations.get(VARIANT_ANNOTATION).map(String::as_str);
    match annotation.or_else(|| configuration.label(VARIANT_ANNOTATION)) {
        Some("compat") => Some("compat".to_owned()),
        _ => program.ends_with(".wasm").then(|| VARIANT.to_owned()),
    }
}

/// The image's, over which those go that were asked for.
fn environment(configuration: &Configuration, overrides: &[String], is_wasm: bool) -> Vec<String> {
    let name = |variable: &str| variable.split('=').next().unwrap_or_default().to_owned();
    let mut all = configuration.environment();
    let has_path = all.iter().any(|variable| name(variable) == "PATH");
    if !is_wasm && !has_path {
        all.insert(0, SEARCH_PATH.to_owned());
    }
    all.retain(|variable| overrides.iter().all(|given| name(given) != name(variable)));
    all.extend_from_slice(overrides);
    all
}

async fn unpack(unpacker: &mut Unpacker, source: &str, layout: &Layout, digest: &Digest) -> Result<()> {
    let blob: &Blob = layout
        .blob(digest)
        .ok_or_else(|| no_image(source, format!("it has no layer `{digest}`")))?;
    let cannot = |error: std::io::Error| match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Error::file(format!("cannot unpack `{source}`"), &error),
        _ => Error::input(format!("cannot unpack `{source}`")).cause(format!("layer {digest}: {error}")),
    };
    let file = store::open(blob).map_err(cannot)?;
    unpacker.unpack(file, &blob.media_type).await.map_err(cannot)
}

fn refuse_no_module(source: &str, root: &Path, program: &str) -> Result<()> {
    let failure = Error::input(format!("`{source}` has no module `{program}`"));
    match bundle::contains_module(root, program) {
        Ok(true) => Ok(()),
        Ok(false) => Err(failure.cause("the file of that name is no WebAssembly module")),
        Err(error) => Err(failure.cause(error)),
    }
    .map_err(|failure| failure.hint(format!("see what it has: `deploy-tool inspect {source}`")))
}

/// For its owner alone: there may be passwords in it.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}
