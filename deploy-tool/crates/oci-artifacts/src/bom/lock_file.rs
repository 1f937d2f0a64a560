//! Pure: the packages of a Cargo.lock. <https://doc.rust-lang.org/cargo/guide/cargo-toml-vs-cargo-lock.html>

use toml_edit::{Document, Item, TableLike};

/// A package of Cargo.lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedPackage {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The registry or git repository that it is from; nothing for a folder.
    pub source: Option<String>,
    /// The SHA-256 of its archive, in hexadecimal digits; registries alone have one.
    pub checksum: Option<String>,
    /// What it depends on, for whatever target, and for its build and its tests too.
    pub dependencies: Vec<LockedDependency>,
}

/// A dependency of a package of Cargo.lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedDependency {
    /// The package's name.
    pub name: String,
    /// Its version, where the lock file has several packages of that name.
    pub version: Option<String>,
    /// Its source, where the lock file has several packages of that name and version.
    pub source: Option<String>,
}

impl LockedDependency {
    /// Whether it is a package of this name and version.
    pub fn is(&self, name: &str, version: Option<&str>) -> bool {
        self.name == name && (self.version.is_none() || self.version.as_deref() == version)
    }
}

/// The packages of a lock file; none where it cannot be parsed, which Cargo itself reports.
pub fn packages(lock: &str) -> Vec<LockedPackage> {
    let Ok(document) = Document::parse(lock) else {
        return Vec::new();
    };
    let packages = document.get("package").and_then(Item::as_array_of_tables);
    packages
        .into_iter()
        .flatten()
        .filter_map(|table| package(table))
        .collect()
}

fn package(table: &dyn TableLike) -> Option<LockedPackage> {
    let text = |field: &str| table.get(field)?.as_str().map(str::to_owned);
    let dependencies = table.get("dependencies").and_then(Item::as_array);
    let dependencies = dependencies.into_iter().flatten().filter_map(|value| value.as_str());
    Some(LockedPackage {
        name: text("name")?,
        version: text("version")?,
        source: text("source"),
        checksum: text("checksum"),
        dependencies: dependencies.filter_map(dependency).collect(),
    })
}

/// `name`, `name version` or `name version (source)`.
fn dependency(text: &str) -> Option<LockedDependency> {
    let mut words = text.split(' ').map(str::to_owned);
    Some(LockedDependency {
        name: words.next().filter(|name| !name.is_empty())?,
        version: words.next(),
        source: words.next().map(|source| source.trim_matches(['(', ')']).to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_have_sources_checksums_and_dependencies() {
        let lock = "# By Cargo.\nversion = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n \"bytes\",\n \
            \"web 1.0.0\",\n \"web 2.0.0 (git+https://example.org/web#01)\",\n]\n\n[[package]]\nname = \"bytes\"\nversion = \"1.0.0\"\n\
            source = \"registry+https://example.org/index\"\nchecksum = \"ab\"\n\n[[patch.unused]]\nname = \"old\"\nversion = \"1.0.0\"\n";
        let found = packages(lock);
        let names: Vec<&str> = found.iter().map(|package| package.name.as_str()).collect();
        assert_eq!(names, ["app", "bytes"]);
        let dependency = |name: &str, version: Option<&str>, source: Option<&str>| LockedDependency {
            name: name.to_owned(),
            version: version.map(str::to_owned),
            source: source.map(str::to_owned),
        };
        assert_eq!(
            found[0].dependencies,
            [
                dependency("bytes", None, None),
                dependency("web", Some("1.0.0"), None),
                dependency("web", Some("2.0.0"), Some("git+https://example.org/web#01")),
            ]
        );
        assert_eq!((&found[0].source, &found[0].checksum), (&None, &None));
        assert_eq!(found[1].source.as_deref(), Some("registry+https://example.org/index"));
        assert_eq!(found[1].checksum.as_deref(), Some("ab"));
    }

    #[test]
    fn a_dependency_without_a_version_is_of_every_one() {
        let is = |text: &str, version: Option<&str>| dependency(text).unwrap().is("web", version);
        assert!(is("web", Some("1.0.0")) && is("web", None) && is("web 1.0.0", Some("1.0.0")));
        assert!(!is("web 1.0.0", Some("2.0.0")) && !is("web 1.0.0", None) && !is("web-lite", Some("1.0.0")));
    }

    #[test]
    fn what_is_no_lock_file_has_no_packages() {
        for text in [
            "",
            "version = 4\n",
            "[[package]]\nname = \"app\"\n",
            "<<<<<<< HEAD\n[[package]]\n",
        ] {
            assert_eq!(packages(text), [], "{text:?}");
        }
    }
}
