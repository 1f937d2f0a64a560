//! Reads the manifests of a release.

use std::path::PathBuf;

use crate::cli::ClusterArguments;
use diagnostics::Result;
use releases::manifest::{self, Object};
use releases::release::Name;
use terminal::Printer;

/// Reads the objects of the manifests that the arguments name, in the order in which they are applied, and the release's name.
///
/// # Errors
/// When they cannot be read, an object cannot be sent as it is written, or the release has no name.
pub fn load(printer: &Printer, arguments: &ClusterArguments) -> Result<(Name, Vec<Object>)> {
    let paths = arguments.manifests()?;
    let objects = manifest::sort_by_wave(manifest::load(&paths)?);
    print_left_out(printer, &paths);
    manifest::refuse_inexact(&objects)?;
    let (namespace, release) = (arguments.namespace.as_deref(), arguments.release.as_deref());
    Ok((Name::new(namespace, release, &objects)?, objects))
}

/// Prints which subfolders of the manifests' folders are not read.
fn print_left_out(printer: &Printer, manifests: &[PathBuf]) {
    let folders = manifest::left_out(manifests);
    if !folders.is_empty() {
        let arguments = manifest::arguments(&folders);
        printer.info(&format!(
            "subfolders with manifests are not read unless they are named: {arguments}; --recursive (-R) reads all"
        ));
    }
}
