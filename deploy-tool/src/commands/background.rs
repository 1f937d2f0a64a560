//! Edge: compiling ahead of time what `up --dev` has deployed, when that has ended.

use std::ffi::OsStr;

use crate::built::Built;
use crate::cli::SourceArguments;
use diagnostics::{Error, Result};
use host::cache::Cache;
use wasm_build::background::worker::Background;
use wasm_build::native_form::NativeForm;

/// Begins it, or finds it under way. Returns the process and its log, for people.
///
/// # Errors
/// When it cannot be started.
pub fn begin(cache: &Cache, source: &SourceArguments, image: &Built, native: NativeForm) -> Result<String> {
    let background = Background::new(cache, source.folder(), &source.images, &image.name)?;
    let program = std::env::current_exe()
        .map_err(|error| Error::prerequisite("cannot tell where this program is").cause(error))?;
    let mut arguments = vec![
        OsStr::new("build"),
        OsStr::new(&image.name),
        OsStr::new("--low-priority"),
        OsStr::new("--images"),
        source.images.as_os_str(),
    ];
    if let Some(workspace) = &source.workspace {
        arguments.extend([OsStr::new("--workspace"), workspace.as_os_str()]);
    }
    if native.is_shared_object() {
        arguments.extend(["--aot", "shared-object"].map(OsStr::new));
    }
    let sources = image.sources.as_deref().unwrap_or_default();
    let process = background.begin(&program, &arguments, sources)?;
    Ok(format!("process {process}, {}", background.log.display()))
}
