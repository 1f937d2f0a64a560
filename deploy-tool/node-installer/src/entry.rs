//! Adds and removes the engine's runtimes in a TOML configuration. `toml_edit` keeps everything else, comments included.

use std::path::Path;

use toml_edit::{Array, DocumentMut, Item, Table, TableLike, value};

/// The pod annotations that containerd passes to the runtime: `*` does not match a slash.
const ANNOTATIONS: &str = "module.wasm.image/*";

/// The layout of a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// containerd's, with the value of its key `version`, from 2 on. <https://github.com/containerd/containerd/blob/main/docs/cri/config.md>
    Containerd(u64),
    /// CRI-O's. <https://github.com/cri-o/cri-o/blob/main/docs/crio.conf.5.md>
    Crio,
}

impl Form {
    /// The path of the table with the runtimes.
    pub fn runtimes(self) -> &'static [&'static str] {
        match self {
            Self::Containerd(2) => &["plugins", "io.containerd.grpc.v1.cri", "containerd", "runtimes"],
            Self::Containerd(_) => &["plugins", "io.containerd.cri.v1.runtime", "containerd", "runtimes"],
            Self::Crio => &["crio", "runtime", "runtimes"],
        }
    }
}

/// The engine's runtimes, which RuntimeClasses name as their `handler`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The names: each has the same entry.
    pub handlers: Vec<String>,
    /// The path of crun.
    pub program: String,
    /// Whether the cgroup driver of the node is systemd.
    pub systemd_cgroup: bool,
}

impl Entry {
    fn table(&self, form: Form, handler: &str) -> Table {
        let mut table = Table::new();
        if form == Form::Crio {
            table["runtime_path"] = value(&self.program);
            table["runtime_type"] = value("oci");
            // The state folder of its containers: separate from that of another crun.
            table["runtime_root"] = value(format!("/run/{handler}"));
            return table;
        }
        table["runtime_type"] = value("io.containerd.runc.v2");
        table["pod_annotations"] = value(Array::from_iter([ANNOTATIONS]));
        let mut options = Table::new();
        options["BinaryName"] = value(&self.program);
        options["SystemdCgroup"] = value(self.systemd_cgroup);
        table["options"] = Item::Table(options);
        table
    }
}

/// Adds the entry to a configuration. Returns the same text where it has the entry already.
///
/// # Errors
/// When the text is not TOML, or a parent of the entry is not a table.
pub fn add_entry(text: &str, form: Form, entry: &Entry) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|error| format!("it is no TOML: {error}"))?;
    let mut table: &mut dyn TableLike = document.as_table_mut();
    for name in form.runtimes() {
        let next = table.entry(name).or_insert_with(|| {
            let mut table = Table::new();
            table.set_implicit(true);
            Item::Table(table)
        });
        table = next
            .as_table_like_mut()
            .ok_or_else(|| format!("`{name}` is not a table"))?;
    }
    let mut is_unchanged = true;
    for handler in &entry.handlers {
        let wanted = Item::Table(entry.table(form, handler));
        if table.get(handler).map(to_json) != Some(to_json(&wanted)) {
            table.insert(handler, wanted);
            is_unchanged = false;
        }
    }
    Ok(if is_unchanged {
        text.to_owned()
    } else {
        document.to_string()
    })
}

/// Removes the entries of some handlers from a configuration.
///
/// # Errors
/// When the text is not TOML.
pub fn remove_entries(text: &str, form: Form, handlers: &[String]) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|error| format!("it is no TOML: {error}"))?;
    let mut table: Option<&mut dyn TableLike> = Some(document.as_table_mut());
    for name in form.runtimes() {
        table = table.and_then(|table| table.get_mut(name)?.as_table_like_mut());
    }
    if let Some(runtimes) = table {
        for handler in handlers {
            runtimes.remove(handler);
        }
    }
    Ok(document.to_string())
}

/// Makes the relative paths in `imports` absolute, from a folder: containerd can then read the text from another path.
///
/// # Errors
/// When the text is not TOML.
pub fn resolve_imports(text: &str, folder: &Path) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|error| format!("it is no TOML: {error}"))?;
    let Some(imports) = document.get_mut("imports").and_then(Item::as_array_mut) else {
        return Ok(text.to_owned());
    };
    for import in imports.iter_mut() {
        if let Some(path) = import.as_str() {
            *import = folder.join(path).display().to_string().into();
        }
    }
    Ok(document.to_string())
}

/// The names of all runtimes in a configuration.
pub fn handlers(text: &str, form: Form) -> Vec<String> {
    let Ok(document) = text.parse::<DocumentMut>() else {
        return Vec::new();
    };
    let mut table: Option<&dyn TableLike> = Some(document.as_table());
    for name in form.runtimes() {
        table = table.and_then(|table| table.get(name)?.as_table_like());
    }
    let names = table.into_iter().flat_map(|runtimes| runtimes.iter());
    names.map(|(name, _)| name.to_owned()).collect()
}

/// The value of an item without its formatting, to compare by.
fn to_json(item: &Item) -> String {
    let mut document = DocumentMut::new();
    document["item"] = item.clone();
    let read: Result<serde_json::Value, _> = toml_edit::de::from_document(document);
    read.map(|value| value.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn entry() -> Entry {
        Entry {
            handlers: vec!["crun".into()],
            program: "/opt/wasm-engine/1/bin/crun".into(),
            systemd_cgroup: true,
        }
    }

    const KIND: &str = "# explicit\nversion = 2\n\n[plugins.\"io.containerd.grpc.v1.cri\".containerd]\n  # space\n  \
        snapshotter = \"overlayfs\"\n[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc]\n  \
        runtime_type = \"io.containerd.runc.v2\"\n\n[plugins.\"io.containerd.grpc.v1.cri\"]\n  sandbox_image = \"pause\" # fixed\n";

    #[test]
    fn an_entry_is_added_taken_away_again_and_nothing_else_moves() {
        let with_it = add_entry(KIND, Form::Containerd(2), &entry()).unwrap();
        for line in KIND.lines() {
            assert!(with_it.contains(line), "{line} is missing in:\n{with_it}");
        }
        let table = "[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.crun]\n\
            runtime_type = \"io.containerd.runc.v2\"\npod_annotations = [\"module.wasm.image/*\"]\n";
        assert!(with_it.contains(table), "{with_it}");
        assert!(with_it.contains("BinaryName = \"/opt/wasm-engine/1/bin/crun\"\nSystemdCgroup = true\n"));
        assert_eq!(handlers(&with_it, Form::Containerd(2)), ["runc", "crun"]);
        // Again: the same bytes.
        assert_eq!(add_entry(&with_it, Form::Containerd(2), &entry()).unwrap(), with_it);
        assert_eq!(
            remove_entries(&with_it, Form::Containerd(2), &["crun".to_owned()]).unwrap(),
            KIND
        );
    }

    #[test]
    fn each_handler_has_an_entry_and_all_go_together() {
        let both = Entry {
            handlers: vec!["b".into(), "crun".into()],
            ..entry()
        };
        for form in [Form::Containerd(2), Form::Containerd(3)] {
            let first = add_entry("version = 3\n", form, &entry()).unwrap();
            let second = add_entry(&first, form, &both).unwrap();
            assert_eq!(handlers(&second, form), ["crun", "b"]);
            assert_eq!(add_entry(&second, form, &both).unwrap(), second);
            assert_eq!(
                handlers(&remove_entries(&second, form, &both.handlers).unwrap(), form),
                [""; 0]
            );
        }
    }

    #[test]
    fn another_version_of_the_engine_takes_the_entrys_place() {
        let old = add_entry("version = 3\n", Form::Containerd(3), &entry()).unwrap();
        let newer = Entry {
            program: "/opt/wasm-engine/2/bin/crun".into(),
            ..entry()
        };
        let new = add_entry(&old, Form::Containerd(3), &newer).unwrap();
        assert_eq!(new, old.replace("engine/1", "engine/2"));
        assert!(
            new.contains("[plugins.\"io.containerd.cri.v1.runtime\".containerd.runtimes.crun]"),
            "{new}"
        );
    }

    #[test]
    fn imports_lead_to_the_same_files_from_elsewhere() {
        let text = "imports = [\"conf.d/*.toml\", \"/etc/x.toml\"]\nversion = 2\n";
        assert_eq!(
            resolve_imports(text, Path::new("/etc/containerd")).unwrap(),
            "imports = [\"/etc/containerd/conf.d/*.toml\", \"/etc/x.toml\"]\nversion = 2\n"
        );
        assert_eq!(resolve_imports(KIND, Path::new("/x")).unwrap(), KIND);
    }

    #[test]
    fn cri_o_has_other_words() {
        let text = add_entry("", Form::Crio, &entry()).unwrap();
        assert_eq!(
            text,
            "[crio.runtime.runtimes.crun]\nruntime_path = \"/opt/wasm-engine/1/bin/crun\"\nruntime_type = \"oci\"\n\
             runtime_root = \"/run/crun\"\n"
        );
        assert_eq!(handlers("[crio.runtime.runtimes.crun]\n", Form::Crio), ["crun"]);
    }

    #[test]
    fn runtimes_in_other_notations_of_toml_are_found_and_kept() {
        let inline = "version = 3\nplugins = { 'io.containerd.cri.v1.runtime' = { containerd = { runtimes = { runc = {} } } } }\n";
        let with_it = add_entry(inline, Form::Containerd(3), &entry()).unwrap();
        assert_eq!(handlers(&with_it, Form::Containerd(3)), ["runc", "crun"], "{with_it}");
        with_it.parse::<DocumentMut>().unwrap();
        assert!(add_entry("plugins = 1", Form::Containerd(3), &entry()).is_err());
        assert!(add_entry("[", Form::Containerd(3), &entry()).is_err());
    }
}
