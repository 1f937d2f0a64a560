//! Edge: compiled modules and their bills of materials, each kept by what went into it.

use std::path::{Path, PathBuf};

use crate::builder::Builder;
use crate::native_form::NativeForm;
use crate::profile::Profile;
use crate::sources::Sources;
use crate::{compile, crate_tree};
use diagnostics::code::image::NOT_ON_HOST;
use diagnostics::size::in_megabytes;
use diagnostics::{Error, Result};
use host::cache::Cache;
use oci_artifacts::bom;
use oci_artifacts::digest;
use oci_artifacts::image::Definition;
use oci_artifacts::wasm::inspect::{self, Module};
use terminal::Progress;

/// Part of every cache key: to be raised when the way modules are compiled changes.
const COMPILE_REVISION: &str = "1";
/// The same of bills: the ending of their files.
const BILL_ENDING: &str = "2.cdx.json";

/// A file that was made, now or earlier.
#[derive(Debug)]
pub struct Artifact {
    /// Where it is.
    pub path: PathBuf,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// How a module was built, for its provenance.
#[derive(Debug)]
pub struct BuildRecord {
    /// The bill of its crates.
    pub bill: Vec<u8>,
    /// The Cargo profile.
    pub profile: String,
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
pub fn import_module(path: &Path) -> Result<Artifact> {
    let shown = path.display();
    let bytes = std::fs::read(path).map_err(|error| Error::input(format!("cannot read `{shown}`")).cause(error))?;
    inspect::inspect(&bytes)
        .map_err(|error| Error::input(format!("the module `{shown}` would not run")).cause(error))?;
    Ok(Artifact {
        path: path.to_owned(),
        bytes,
    })
}

/// Whether the module of some sources is kept.
///
/// # Errors
/// When the cache cannot be used.
pub fn is_made(builder: &Builder, sources: &Sources<'_>, profile: &Profile) -> Result<bool> {
    Ok(module_path(builder, sources.definition, profile, &sources.digest)?.is_file())
}

fn module_path(builder: &Builder, definition: &Definition, profile: &Profile, sources: &str) -> Result<PathBuf> {
    let (package, profile_name) = (definition.package.as_str(), profile.name.as_str());
    let fixed = [COMPILE_REVISION, package, profile_name, &builder.recipe, sources];
    let settings = profile.settings.iter().map(|setting| ("", setting.as_bytes()));
    let made_of = fixed.into_iter().map(|part| ("", part.as_bytes())).chain(settings);
    let made_of = made_of.chain(features(definition));
    builder.cache.path(format!("modules/{}.wasm", digest::parts(made_of)))
}

/// The part of the cache key for features; nothing without any.
fn features(definition: &Definition) -> impl Iterator<Item = (&str, &[u8])> {
    definition
        .features
        .iter()
        .map(|feature| ("feature", feature.as_bytes()))
}

fn compiled_path(builder: &Builder, module: &[u8], form: NativeForm) -> Result<PathBuf> {
    let made_of = [COMPILE_REVISION.as_bytes(), builder.recipe.as_bytes(), module].map(|part| ("", part));
    builder
        .cache
        .path(format!("aot/{}.{}", digest::parts(made_of), form.file_extension()))
}

/// Whether a module of the sources with this digest was compiled ahead of time to that form, and is kept.
///
/// # Errors
/// When the cache cannot be used.
pub fn is_compiled(builder: &Builder, definition: &Definition, sources: &str, form: NativeForm) -> Result<bool> {
    let profile = Profile::from_workspace(&definition.profile);
    match std::fs::read(module_path(builder, definition, &profile, sources)?) {
        Ok(module) => Ok(compiled_path(builder, &module, form)?.is_file()),
        Err(_) => Ok(false),
    }
}

/// The module of some sources.
///
/// # Errors
/// When it does not compile, or would not run.
pub async fn module(
    builder: &Builder,
    progress: &Progress,
    sources: &Sources<'_>,
    profile: &Profile,
) -> Result<(Artifact, BuildRecord)> {
    let Sources {
        definition,
        inputs,
        digest,
        ..
    } = sources;
    let package = &definition.package;
    let path = module_path(builder, definition, profile, digest)?;
    let (bytes, outcome) = match std::fs::read(&path) {
        Ok(bytes) => (bytes, "unchanged"),
        Err(_) => compile_module(builder, progress, sources, profile, &path).await?,
    };
    let bill = bill(&builder.cache, progress, sources, &path, &bytes).await?;
    progress.outcome(format!(
        "Wasm module of {package}: {outcome} ({})",
        in_megabytes(bytes.len() as u64)
    ));
    let record = BuildRecord {
        bill,
        profile: profile.name.clone(),
        lock: digest::hex(inputs.lock()),
        sources: digest.clone(),
        builder: builder.recipe.clone(),
    };
    Ok((Artifact { path, bytes }, record))
}

/// Compiles a module, unless another build has done so while this one waited for its turn.
async fn compile_module(
    builder: &Builder,
    progress: &Progress,
    sources: &Sources<'_>,
    profile: &Profile,
    path: &Path,
) -> Result<(Vec<u8>, &'static str)> {
    let _lock = builder.lock(progress, &compile::compile_task(profile)).await?;
    if let Ok(bytes) = std::fs::read(path) {
        return Ok((bytes, "unchanged"));
    }
    let bytes = compile::package(builder, progress, sources, profile, &compile::MODULE).await?;
    inspect_module(&bytes)?;
    builder.cache.write(path, &bytes)?;
    Ok((bytes, "compiled"))
}

/// The native build of a module, by the profile of its definition.
///
/// # Errors
/// When it does not compile.
pub async fn native(builder: &Builder, progress: &Progress, sources: &Sources<'_>) -> Result<Artifact> {
    let Sources { definition, digest, .. } = sources;
    let package = &definition.package;
    let profile = Profile::from_workspace(&definition.profile);
    let made_of = [COMPILE_REVISION, package, &profile.name, &builder.recipe, digest];
    let made_of = made_of.into_iter().map(|part| ("", part.as_bytes()));
    let made_of = made_of.chain(features(definition));
    let path = builder.cache.path(format!("native/{}", digest::parts(made_of)))?;
    let _lock = builder.lock(progress, &compile::compile_task(&profile)).await?;
    if let Ok(bytes) = std::fs::read(&path) {
        progress.outcome(format!("native build of {package}: unchanged"));
        return Ok(Artifact { path, bytes });
    }
    let bytes = compile::package(builder, progress, sources, &profile, &compile::NATIVE).await?;
    builder.cache.write(&path, &bytes)?;
    progress.outcome(format!(
        "native build of {package}: compiled ({})",
        in_megabytes(bytes.len() as u64)
    ));
    Ok(Artifact { path, bytes })
}

async fn bill(
    cache: &Cache,
    progress: &Progress,
    sources: &Sources<'_>,
    module: &Path,
    bytes: &[u8],
) -> Result<Vec<u8>> {
    let path = module.with_extension(BILL_ENDING);
    if let Ok(bill) = std::fs::read(&path) {
        return Ok(bill);
    }
    let vendor = sources.vendor(cache, progress).await?;
    let lock = String::from_utf8_lossy(sources.inputs.lock());
    let tree = crate_tree::read(cache, vendor.folder(), sources).await?;
    let traps = sources.traps()?;
    let bill = bom::document(&tree, &lock, &digest::hex(bytes), &traps)
        .map_err(|error| Error::prerequisite("cannot list the crates of the module").cause(error))?;
    cache.write(&path, &bill)?;
    Ok(bill)
}

/// A module compiled ahead of time.
///
/// # Errors
/// When WasmEdge refuses it.
pub async fn ahead_of_time(
    builder: &Builder,
    progress: &Progress,
    module: &[u8],
    form: NativeForm,
) -> Result<Artifact> {
    let path = compiled_path(builder, module, form)?;
    let _lock = builder.lock(progress, compile::AHEAD_OF_TIME).await?;
    let kind = if form.is_shared_object() {
        " to a shared object"
    } else {
        ""
    };
    let title = format!("compiled ahead of time{kind} for WasmEdge {}", builder.engine);
    if let Ok(bytes) = std::fs::read(&path) {
        progress.outcome(format!("{title}: unchanged"));
        return Ok(Artifact { path, bytes });
    }
    let bytes = compile::ahead_of_time(builder, progress, module, form).await?;
    if !inspect_module(&bytes)?.ahead_of_time {
        return Err(
            Error::prerequisite("WasmEdge compiled the module, but put no native code into it")
                .cause("the result is not in the form that was asked for")
                .code(&NOT_ON_HOST)
                .hint("make the builder image again"),
        );
    }
    builder.cache.write(&path, &bytes)?;
    progress.outcome(title);
    Ok(Artifact { path, bytes })
}

fn inspect_module(bytes: &[u8]) -> Result<Module> {
    inspect::inspect(bytes).map_err(|error| Error::input("the module would not run").cause(error))
}
