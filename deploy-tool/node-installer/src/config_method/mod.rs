//! How the entry gets into a node's configuration: a file of our own where there is a place for one, else a parsed edit.

use std::path::{Path, PathBuf};

use toml_edit::DocumentMut;

use crate::entry::{self, Entry, Form};

/// The name of files that are ours.
const NAME: &str = "50-wasm-engine";
/// CRI-O reads all of its files, the later ones over the earlier.
const CRIO_FOLDER: &str = "/etc/crio/crio.conf.d";
/// From here on, containerd merges what it imports; before, an import replaces the whole plugin.
const MERGING_VERSION: u64 = 2;

/// What a file of the configuration is to the entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigMethod {
    /// A file of our own, in a folder that the runtime reads.
    DropIn(PathBuf),
    /// A file of our own, from which k3s and RKE2 make the configuration at each start.
    Template(PathBuf),
    /// Somebody else's file.
    InPlace(PathBuf),
}

/// A runtime's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// Its form.
    pub form: Form,
    /// How the entry gets into it.
    pub method: ConfigMethod,
}

impl Configuration {
    /// containerd's, by its version, the path of its configuration, and what that says.
    ///
    /// # Errors
    /// When it cannot be read, or is of a version without a place for the entry.
    pub fn of_containerd(version: &str, path: &Path, text: &str) -> Result<Self, String> {
        let document: DocumentMut = text
            .parse()
            .map_err(|error| format!("{} is no TOML: {error}", path.display()))?;
        let form = match document.get("version").and_then(|version| version.as_integer()) {
            // What is not there is as containerd has it, which knows version 2 since 1.3.
            None if text.trim().is_empty() => Form::Containerd(2),
            Some(version @ 2..) => Form::Containerd(version.unsigned_abs()),
            _ => {
                return Err(format!(
                    "{} is of version 1 of containerd's configuration; `containerd config migrate` writes a newer one",
                    path.display()
                ));
            }
        };
        let major = version
            .split('.')
            .next()
            .and_then(|major| major.parse().ok())
            .unwrap_or(0_u64);
        let folder = path.parent().unwrap_or(path);
        let imports = document.get("imports").and_then(|imports| imports.as_array());
        let imports = imports.into_iter().flatten().filter_map(|import| import.as_str());
        // What is no full path begins at the folder of the file that names it.
        let mut folders = imports.filter_map(|import| Some(folder.join(import.strip_suffix("/*.toml")?)));
        let method = match (folders.next(), template(text)) {
            (Some(folder), _) if major >= MERGING_VERSION && !folder.to_string_lossy().contains('*') => {
                ConfigMethod::DropIn(folder.join(format!("{NAME}.toml")))
            }
            (_, Some(template)) => ConfigMethod::Template(path.with_file_name(template)),
            _ => ConfigMethod::InPlace(path.to_owned()),
        };
        Ok(Self { form, method })
    }

    /// The same where an earlier installation has put the entry, whatever place would be taken today.
    #[must_use]
    pub fn at(self, recorded: &Path) -> Self {
        let is_ours = recorded.file_stem().is_some_and(|stem| stem == NAME);
        let is_template = recorded.extension().is_some_and(|extension| extension == "tmpl");
        let method = match recorded.to_owned() {
            path if is_ours => ConfigMethod::DropIn(path),
            path if is_template => ConfigMethod::Template(path),
            path => ConfigMethod::InPlace(path),
        };
        Self { method, ..self }
    }

    /// The same with links followed, which must stay links: `path` is where the file is.
    #[must_use]
    pub fn moved(mut self, path: PathBuf) -> Self {
        let (ConfigMethod::DropIn(place) | ConfigMethod::Template(place) | ConfigMethod::InPlace(place)) =
            &mut self.method;
        *place = path;
        self
    }

    /// CRI-O's.
    pub fn of_crio() -> Self {
        Self {
            form: Form::Crio,
            method: ConfigMethod::DropIn(Path::new(CRIO_FOLDER).join(format!("{NAME}.conf"))),
        }
    }

    /// The file that is written.
    pub fn path(&self) -> &Path {
        match &self.method {
            ConfigMethod::DropIn(path) | ConfigMethod::Template(path) | ConfigMethod::InPlace(path) => path,
        }
    }

    /// The file with the entry in it, from what it is now.
    ///
    /// # Errors
    /// When it cannot be read, or is somebody else's.
    pub fn add_entry(&self, text: Option<&str>, entry: &Entry) -> Result<String, String> {
        let version = match self.form {
            Form::Containerd(version) => format!("version = {version}\n"),
            Form::Crio => String::new(),
        };
        match &self.method {
            ConfigMethod::InPlace(_) => entry::add_entry(text.unwrap_or(&version), self.form, entry),
            ConfigMethod::DropIn(_) => entry::add_entry(&version, self.form, entry),
            // A template is no TOML. Of k3s' own text nothing is copied: it may be another one in its next release.
            ConfigMethod::Template(path) => {
                let ours = entry::add_entry("", self.form, entry)?;
                let whole = format!("{{{{ template \"base\" . }}}}\n\n{ours}");
                match text {
                    Some(text) if !is_ours(text) => Err(format!(
                        "{} is somebody else's, and no TOML that could be edited; add this to it:\n{ours}",
                        path.display()
                    )),
                    _ => Ok(whole),
                }
            }
        }
    }

    /// The file without the entry; none where nothing else is in it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn remove_entries(&self, text: &str, handlers: &[String]) -> Result<Option<String>, String> {
        match self.method {
            ConfigMethod::InPlace(_) => entry::remove_entries(text, self.form, handlers).map(Some),
            ConfigMethod::DropIn(_) | ConfigMethod::Template(_) => Ok(None),
        }
    }

    /// For people.
    pub fn describe(&self) -> String {
        match &self.method {
            ConfigMethod::DropIn(path) => format!("a file of its own, {}", path.display()),
            ConfigMethod::Template(path) => format!("a template of its own, {}", path.display()),
            ConfigMethod::InPlace(path) => format!("an entry in {}", path.display()),
        }
    }
}

/// The name of the template, where the configuration is made from one: k3s and RKE2 say so in its first line.
/// <https://docs.k3s.io/advanced#configuring-containerd>
fn template(text: &str) -> Option<&str> {
    let mut lines = text.lines().filter(|line| line.starts_with("# File generated by "));
    let (_, rest) = lines.next()?.split_once("DO NOT EDIT. Use ")?;
    let name = rest.split_whitespace().next()?;
    (name.ends_with(".tmpl") && !name.contains('/')).then_some(name)
}

/// Whether a template is one that this has written: the base and our entry alone.
fn is_ours(text: &str) -> bool {
    let entry = text.strip_prefix("{{ template \"base\" . }}\n\n");
    entry.is_some_and(|entry| entry.contains("/opt/wasm-engine/") && !entry.contains("{{"))
}

#[cfg(test)]
mod tests;
