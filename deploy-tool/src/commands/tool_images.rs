//! `deploy-tool images`: the images that deploy-tool works with, before they are needed.

use crate::settings::{DEFAULT_NODE_IMAGE, INSTALLER_IMAGE};
use diagnostics::Result;
use host::cache::Cache;
use host::cleanup::Cleanup;
use host::tool_image;
use terminal::Printer;
use wasm_build::BUILDER_IMAGE;

/// Runs the command.
///
/// # Errors
/// When one can be neither pulled nor made.
pub async fn run(printer: &Printer, cleanup: &Cleanup) -> Result<()> {
    let cache = Cache::open()?;
    for image in [BUILDER_IMAGE, DEFAULT_NODE_IMAGE, INSTALLER_IMAGE] {
        tool_image::refresh(printer, cleanup, &cache, image).await?;
    }
    Ok(())
}
