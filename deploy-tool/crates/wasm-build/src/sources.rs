//! Edge: what a module is compiled from, and the traps in it.

use std::path::Path;

use crate::inputs::{self, Inputs};
use crate::traps::Weight;
use crate::traps::check::{self, Checked, Lookup};
use crate::vendor::{self, Vendor};
use crate::workspace::Workspace;
use crate::{build_context, features};
use diagnostics::{Error, Result};
use host::cache::{Cache, Scratch};
use oci_artifacts::bom::SourceTrap;
use oci_artifacts::image::Definition;
use terminal::Progress;

/// What a module is compiled from.
#[derive(Debug)]
pub struct Sources<'a> {
    /// The workspace of the package.
    pub workspace: &'a Workspace,
    /// The image that it is for.
    pub definition: &'a Definition,
    /// The files.
    pub inputs: Inputs,
    /// The digest of all of them.
    pub digest: String,
}

impl<'a> Sources<'a> {
    /// Reads them.
    ///
    /// # Errors
    /// When there is no such package, or a file cannot be read.
    pub fn read(workspace: &'a Workspace, definition: &'a Definition) -> Result<Self> {
        let package = &definition.package;
        // A missing file is reported when the sources are read.
        let lock = std::fs::read_to_string(workspace.root.join("Cargo.lock")).unwrap_or_default();
        let packages = workspace
            .package_sources(package, &lock)
            .map_err(|error| Error::input(format!("cannot build `{package}`")).cause(error))?;
        let inputs = inputs::read(workspace, &packages)?;
        Ok(Self {
            workspace,
            definition,
            digest: inputs.digest(),
            inputs,
        })
    }
}

impl Sources<'_> {
    /// The crates of their lock file, fetched where they are not there yet.
    ///
    /// # Errors
    /// When Cargo cannot fetch them.
    pub async fn vendor(&self, cache: &Cache, progress: &Progress) -> Result<Vendor> {
        vendor::fetch(cache, progress, &self.workspace.root, self.inputs.lock()).await
    }

    /// A fresh folder that has them as the compiler gets them.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn stage(&self, cache: &Cache) -> Result<Scratch> {
        let stage = cache.scratch("stage")?;
        build_context::fill(&stage.path, self.workspace, &self.inputs)?;
        Ok(stage)
    }

    /// The arguments by which Cargo takes the crates of a folder, and the features of the definition.
    ///
    /// # Errors
    /// When a manifest cannot be read.
    pub fn cargo_arguments(&self, vendor: &Path) -> Result<Vec<String>> {
        let lock = String::from_utf8_lossy(self.inputs.lock());
        let mut arguments = vendor::arguments(self.workspace, &lock, vendor)?;
        arguments.extend(features::argument(&self.definition.features));
        Ok(arguments)
    }

    /// The traps among them and their crates.
    ///
    /// # Errors
    /// When they cannot be looked at.
    pub async fn check(&self, cache: &Cache) -> Result<Checked> {
        let Some(package) = self.workspace.package(&self.definition.package) else {
            return Err(Error::input(format!(
                "there is no package `{}`",
                self.definition.package
            )));
        };
        let vendor = Vendor::find(cache, self.inputs.lock())?;
        let lookup = vendor
            .as_ref()
            .map_or(Lookup::Cache, |vendor| Lookup::Vendor(vendor.folder()));
        check::package(self.workspace, package, &self.definition.features, lookup).await
    }

    /// The traps in the sources. Those of crates are found by the bill of materials.
    ///
    /// # Errors
    /// When the sources cannot be read.
    pub fn traps(&self) -> Result<Vec<SourceTrap>> {
        let Self {
            workspace,
            inputs,
            definition,
            ..
        } = self;
        let Some(package) = workspace.package(&definition.package) else {
            return Ok(Vec::new());
        };
        let lock = String::from_utf8_lossy(inputs.lock());
        let found = check::sources(workspace, package, &definition.features, &lock)?;
        // It has compiled.
        let found = found.into_iter().filter(|finding| finding.weight != Weight::Compile);
        let reported = found.map(|finding| SourceTrap {
            name: finding.trap.to_owned(),
            text: format!("{finding}; fix: {}", finding.fix),
        });
        Ok(reported.collect())
    }
}
