//! Which subfolders of the manifests' folders are not read.

use std::path::PathBuf;

use releases::manifest;
use terminal::Printer;

/// Prints which ones.
pub fn say_left_out(printer: &Printer, manifests: &[PathBuf]) {
    let folders = manifest::left_out(manifests);
    if !folders.is_empty() {
        let arguments = manifest::arguments(&folders);
        printer.say(&format!(
            "subfolders with manifests are not read unless they are named: {arguments}; --recursive (-R) reads all"
        ));
    }
}
