//! The runtime's entry in a configuration: written by a parser, so that all else stays as it is, comments too.

use std::path::Path;

use toml_edit::{Array, DocumentMut, Item, Table, TableLike, value};

/// The pod annotations that containerd hands on: `*` does not cross a slash.
const ANNOTATIONS: &str = "module.wasm.image/*";

/// Whose configuration it is, and in which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// containerd's, of a version of its configuration from 2 on. <https://github.com/containerd/containerd/blob/main/docs/cri/config.md>
    Containerd(u64),
    /// CRI-O's. <https://github.com/cri-o/cri-o/blob/main/docs/crio.conf.5.md>
    Crio,
}

impl Form {
    /// The tables above the runtimes.
    pub fn runtimes(self) -> &'static [&'static str] {
        match self {
            Self::Containerd(2) => &["plugins", "io.containerd.grpc.v1.cri", "containerd", "runtimes"],
            Self::Containerd(_) => &["plugins", "io.containerd.cri.v1.runtime", "containerd", "runtimes"],
            Self::Crio => &["crio", "runtime", "runtimes"],
        }
    }
}

/// What RuntimeClasses name as their handler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The handlers: each has the same entry.
    pub handlers: Vec<String>,
    /// The path of crun.
    pub program: String,
    /// Whether the node's runtimes leave cgroups to systemd.
    pub systemd_cgroup: bool,
}

impl Entry {
    fn table(&self, form: Form, handler: &str) -> Table {
        let mut table = Table::new();
        if form == Form::Crio {
            table["runtime_path"] = value(&self.program);
            table["runtime_type"] = value("oci");
            // The state of its containers: apart from that of another crun.
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

/// A configuration with the entry: the same text, where it is there already.
///
/// # Errors
/// When the configuration cannot be read, or has something else in the entry's place.
pub fn add_entry(text: &str, form: Form, entry: &Entry) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|error| format!("it is no TOML: {error}"))?;
    let mut place: &mut dyn TableLike = document.as_table_mut();
    for name in form.runtimes() {
        let below = place.entry(name).or_insert_with(|| {
            let mut table = Table::new();
            table.set_implicit(true);
            Item::Table(table)
        });
        place = below
            .as_table_like_mut()
            .ok_or_else(|| format!("`{name}` is no table"))?;
    }
    let mut is_there = true;
    for handler in &entry.handlers {
        let wanted = Item::Table(entry.table(form, handler));
        if place.get(handler).map(plain) != Some(plain(&wanted)) {
            place.insert(handler, wanted);
            is_there = false;
        }
    }
    Ok(if is_there {
        text.to_owned()
    } else {
        document.to_string()
    })
}

/// A configuration without the entries of some handlers.
///
/// # Errors
/// When the configuration cannot be read.
pub fn remove_entries(text: &str, form: Form, handlers: &[String]) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|error| format!("it is no TOML: {error}"))?;
    let mut place: Option<&mut dyn TableLike> = Some(document.as_table_mut());
    for name in form.runtimes() {
        place = place.and_then(|table| table.get_mut(name)?.as_table_like_mut());
    }
    if let Some(runtimes) = place {
        for handler in handlers {
            runtimes.remove(handler);
        }
    }
    Ok(document.to_string())
}

/// A configuration that can be read from anywhere: what it imports by a path below a folder has its full path.
///
/// # Errors
/// When the configuration cannot be read.
pub fn with_full_imports(text: &str, folder: &Path) -> Result<String, String> {
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

/// The handlers that a configuration has entries of.
pub fn handlers(text: &str, form: Form) -> Vec<String> {
    let Ok(document) = text.parse::<DocumentMut>() else {
        return Vec::new();
    };
    let mut place: Option<&dyn TableLike> = Some(document.as_table());
    for name in form.runtimes() {
        place = place.and_then(|table| table.get(name)?.as_table_like());
    }
    let names = place.into_iter().flat_map(|runtimes| runtimes.iter());
    names.map(|(name, _)| name.to_owned()).collect()
}

/// What an item says, whatever it looks like.
fn plain(item: &Item) -> String {
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
            with_full_imports(text, Path::new("/etc/containerd")).unwrap(),
            "imports = [\"/etc/containerd/conf.d/*.toml\", \"/etc/x.toml\"]\nversion = 2\n"
        );
        assert_eq!(with_full_imports(KIND, Path::new("/x")).unwrap(), KIND);
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
