//! Chooses how the entry is added to a configuration: in a drop-in file where the runtime reads one, else by an edit.

use std::path::{Path, PathBuf};

use toml_edit::DocumentMut;

use crate::entry::{self, Entry, Form};

/// The stem of the names of the installer's own files.
const NAME: &str = "50-wasm-engine";
/// CRI-O reads all files of this folder in the order of their names; the later ones win.
const CRIO_FOLDER: &str = "/etc/crio/crio.conf.d";
/// The first major version of containerd that merges imports; before, an imported file replaces the whole plugin.
const MERGING_VERSION: u64 = 2;

/// The file that gets the entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigMethod {
    /// A file of the installer's own, in a drop-in folder.
    DropIn(PathBuf),
    /// A template of the installer's own, from which k3s and RKE2 generate the configuration at each start.
    Template(PathBuf),
    /// The main configuration file, which is edited.
    InPlace(PathBuf),
}

/// A runtime's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// The layout of its files.
    pub form: Form,
    /// How the entry is added.
    pub method: ConfigMethod,
}

impl Configuration {
    /// For containerd, by its version, and the path and text of its main configuration file.
    ///
    /// # Errors
    /// When the text is not TOML, or of version 1.
    pub fn for_containerd(version: &str, path: &Path, text: &str) -> Result<Self, String> {
        let document: DocumentMut = text
            .parse()
            .map_err(|error| format!("{} is no TOML: {error}", path.display()))?;
        let form = match document.get("version").and_then(|version| version.as_integer()) {
            // Without a file, containerd has its defaults; it reads version 2 since 1.3.
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
        // A relative import starts at the folder of the importing file.
        let mut folders = imports.filter_map(|import| Some(folder.join(import.strip_suffix("/*.toml")?)));
        let method = match (folders.next(), find_template_name(text)) {
            (Some(folder), _) if major >= MERGING_VERSION && !folder.to_string_lossy().contains('*') => {
                ConfigMethod::DropIn(folder.join(format!("{NAME}.toml")))
            }
            (_, Some(template)) => ConfigMethod::Template(path.with_file_name(template)),
            _ => ConfigMethod::InPlace(path.to_owned()),
        };
        Ok(Self { form, method })
    }

    /// With the entry in the file where an earlier installation has put it, though another one might be chosen today.
    #[must_use]
    pub fn with_recorded_path(self, recorded: &Path) -> Self {
        let is_own_file = recorded.file_stem().is_some_and(|stem| stem == NAME);
        let is_template = recorded.extension().is_some_and(|extension| extension == "tmpl");
        let method = match recorded.to_owned() {
            path if is_own_file => ConfigMethod::DropIn(path),
            path if is_template => ConfigMethod::Template(path),
            path => ConfigMethod::InPlace(path),
        };
        Self { method, ..self }
    }

    /// With another path of the file: the target of a link, so that the link itself is not replaced.
    #[must_use]
    pub fn with_path(mut self, path: PathBuf) -> Self {
        let (ConfigMethod::DropIn(place) | ConfigMethod::Template(place) | ConfigMethod::InPlace(place)) =
            &mut self.method;
        *place = path;
        self
    }

    /// For CRI-O.
    pub fn for_crio() -> Self {
        Self {
            form: Form::Crio,
            method: ConfigMethod::DropIn(Path::new(CRIO_FOLDER).join(format!("{NAME}.conf"))),
        }
    }

    /// The path of the file that is written.
    pub fn path(&self) -> &Path {
        match &self.method {
            ConfigMethod::DropIn(path) | ConfigMethod::Template(path) | ConfigMethod::InPlace(path) => path,
        }
    }

    /// The text of the file with the entry, from its present text.
    ///
    /// # Errors
    /// When the text is not TOML, or is a template that the installer has not written.
    pub fn add_entry(&self, text: Option<&str>, entry: &Entry) -> Result<String, String> {
        let version = match self.form {
            Form::Containerd(version) => format!("version = {version}\n"),
            Form::Crio => String::new(),
        };
        match &self.method {
            ConfigMethod::InPlace(_) => entry::add_entry(text.unwrap_or(&version), self.form, entry),
            ConfigMethod::DropIn(_) => entry::add_entry(&version, self.form, entry),
            // A template is no TOML, so it cannot be edited. It includes k3s's base instead of a copy, which a later release
            // of k3s may change.
            ConfigMethod::Template(path) => {
                let entry_text = entry::add_entry("", self.form, entry)?;
                let template_text = format!("{{{{ template \"base\" . }}}}\n\n{entry_text}");
                match text {
                    Some(text) if !is_own_template(text) => Err(format!(
                        "{} was not written by deploy-tool, and is not TOML that could be edited; add this to it:\n{entry_text}",
                        path.display()
                    )),
                    _ => Ok(template_text),
                }
            }
        }
    }

    /// The text of the file without the entry; none for a file of the installer's own, which is deleted.
    ///
    /// # Errors
    /// When the text is not TOML.
    pub fn remove_entries(&self, text: &str, handlers: &[String]) -> Result<Option<String>, String> {
        match self.method {
            ConfigMethod::InPlace(_) => entry::remove_entries(text, self.form, handlers).map(Some),
            ConfigMethod::DropIn(_) | ConfigMethod::Template(_) => Ok(None),
        }
    }

    /// A description for users.
    pub fn describe(&self) -> String {
        match &self.method {
            ConfigMethod::DropIn(path) => format!("a file of its own, {}", path.display()),
            ConfigMethod::Template(path) => format!("a template of its own, {}", path.display()),
            ConfigMethod::InPlace(path) => format!("an entry in {}", path.display()),
        }
    }
}

/// The name of the template that the configuration is generated from: k3s and RKE2 write it into the first line.
/// <https://docs.k3s.io/advanced#configuring-containerd>
fn find_template_name(text: &str) -> Option<&str> {
    let mut lines = text.lines().filter(|line| line.starts_with("# File generated by "));
    let (_, after) = lines.next()?.split_once("DO NOT EDIT. Use ")?;
    let name = after.split_whitespace().next()?;
    (name.ends_with(".tmpl") && !name.contains('/')).then_some(name)
}

/// Whether the installer has written this template: it has nothing but the base and the entry.
fn is_own_template(text: &str) -> bool {
    let entry = text.strip_prefix("{{ template \"base\" . }}\n\n");
    entry.is_some_and(|entry| entry.contains("/opt/wasm-engine/") && !entry.contains("{{"))
}

#[cfg(test)]
mod tests;
