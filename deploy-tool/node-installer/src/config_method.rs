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
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn entry() -> Entry {
        Entry {
            handlers: vec!["crun".into()],
            program: "/opt/wasm-engine/1/bin/crun".into(),
            systemd_cgroup: false,
        }
    }

    #[test]
    fn a_file_of_our_own_is_preferred_where_containerd_merges_it() {
        let (main, k3s) = (
            "/etc/containerd/config.toml",
            "/var/lib/rancher/k3s/agent/etc/containerd/config.toml",
        );
        let generated = |template: &str, rest: &str| {
            format!("# File generated by k3s. DO NOT EDIT. Use {template} instead.\n{rest}")
        };
        let k3s_3 = generated(
            "config-v3.toml.tmpl",
            "version = 3\nimports = [\"/var/lib/rancher/k3s/agent/etc/containerd/config-v3.toml.d/*.toml\"]\n",
        );
        let k3s_older_3 = generated("config-v3.toml.tmpl", "version = 3\n");
        let k3s_2 = generated("config.toml.tmpl", "version = 2\n");
        let imports = "imports = [\"/etc/containerd/conf.d/*.toml\"]\nversion = 2\n";
        for (version, path, text, form, method) in [
            ("2.3.7", main, "version = 2\n", 2, ConfigMethod::InPlace(main.into())),
            (
                "2.0.0",
                main,
                "version = 3\nimports = [\"/etc/one.toml\"]\n",
                3,
                ConfigMethod::InPlace(main.into()),
            ),
            (
                "2.3.7",
                main,
                imports,
                2,
                ConfigMethod::DropIn("/etc/containerd/conf.d/50-wasm-engine.toml".into()),
            ),
            (
                "2.2.0",
                main,
                "imports = [\"conf.d/*.toml\"]\nversion = 3\n",
                3,
                ConfigMethod::DropIn("/etc/containerd/conf.d/50-wasm-engine.toml".into()),
            ),
            (
                "2.2.0",
                main,
                "imports = [\"/etc/*/conf.d/*.toml\"]\nversion = 3\n",
                3,
                ConfigMethod::InPlace(main.into()),
            ),
            ("1.7.24~ds1", main, imports, 2, ConfigMethod::InPlace(main.into())),
            ("1.7.24", main, "", 2, ConfigMethod::InPlace(main.into())),
            (
                "2.1.4-k3s1",
                k3s,
                &k3s_3,
                3,
                ConfigMethod::DropIn(
                    "/var/lib/rancher/k3s/agent/etc/containerd/config-v3.toml.d/50-wasm-engine.toml".into(),
                ),
            ),
            (
                "2.0.4-k3s2",
                k3s,
                &k3s_older_3,
                3,
                ConfigMethod::Template("/var/lib/rancher/k3s/agent/etc/containerd/config-v3.toml.tmpl".into()),
            ),
            (
                "1.7.23-k3s2",
                k3s,
                &k3s_2,
                2,
                ConfigMethod::Template("/var/lib/rancher/k3s/agent/etc/containerd/config.toml.tmpl".into()),
            ),
        ] {
            let found = Configuration::of_containerd(version, Path::new(path), text).unwrap();
            assert_eq!(
                found,
                Configuration {
                    form: Form::Containerd(form),
                    method
                },
                "{version} {text}"
            );
        }
        for text in ["[plugins.cri]\n", "version = 1\n", "["] {
            assert!(
                Configuration::of_containerd("1.7.24", Path::new(main), text).is_err(),
                "{text}"
            );
        }
    }

    #[test]
    fn an_entry_stays_where_it_was_put() {
        // The administrator has added the import after the installation.
        let now = Configuration::of_containerd(
            "2.3.7",
            Path::new("/etc/containerd/config.toml"),
            "imports = [\"/etc/containerd/conf.d/*.toml\"]\nversion = 2\n",
        )
        .unwrap();
        for (recorded, method) in [
            (
                "/etc/containerd/config.toml",
                ConfigMethod::InPlace("/etc/containerd/config.toml".into()),
            ),
            (
                "/d/50-wasm-engine.toml",
                ConfigMethod::DropIn("/d/50-wasm-engine.toml".into()),
            ),
            (
                "/k/config-v3.toml.tmpl",
                ConfigMethod::Template("/k/config-v3.toml.tmpl".into()),
            ),
        ] {
            assert_eq!(now.clone().at(Path::new(recorded)).method, method);
        }
        let edited = now.at(Path::new("/etc/containerd/config.toml"));
        let text = edited.add_entry(Some("version = 2\n# mine\n"), &entry()).unwrap();
        let without = edited.remove_entries(&text, &["crun".to_owned()]).unwrap();
        assert!(without.is_some_and(|text| text.contains("# mine")));
        let moved = edited.moved("/srv/config.toml".into());
        assert_eq!(moved.method, ConfigMethod::InPlace("/srv/config.toml".into()));
    }

    #[test]
    fn files_of_our_own_say_their_version_and_nothing_else() {
        let drop_in = Configuration {
            form: Form::Containerd(3),
            method: ConfigMethod::DropIn("/d/50-wasm-engine.toml".into()),
        };
        let text = drop_in.add_entry(None, &entry()).unwrap();
        assert!(
            text.starts_with("version = 3\n") && text.contains("runtimes.crun]"),
            "{text}"
        );
        assert_eq!(drop_in.add_entry(Some("anything"), &entry()).unwrap(), text);
        assert_eq!(drop_in.remove_entries(&text, &["crun".to_owned()]).unwrap(), None);
        let crio = Configuration::of_crio();
        assert_eq!(crio.path(), Path::new("/etc/crio/crio.conf.d/50-wasm-engine.conf"));
        assert!(
            crio.add_entry(None, &entry()).unwrap().starts_with("\n[crio")
                || crio.add_entry(None, &entry()).unwrap().starts_with("[crio")
        );
    }

    #[test]
    fn a_template_keeps_the_base_and_is_never_somebody_elses() {
        let template = Configuration {
            form: Form::Containerd(2),
            method: ConfigMethod::Template("/k/config.toml.tmpl".into()),
        };
        let text = template.add_entry(None, &entry()).unwrap();
        assert!(
            text.starts_with("{{ template \"base\" . }}\n\n[plugins.\"io.containerd.grpc.v1.cri\""),
            "{text}"
        );
        assert_eq!(template.add_entry(Some(&text), &entry()).unwrap(), text);
        let refusal = template
            .add_entry(Some("{{ template \"base\" . }}\n[x]\n"), &entry())
            .unwrap_err();
        assert!(refusal.contains("add this to it:\n[plugins"), "{refusal}");
    }
}
