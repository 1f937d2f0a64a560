//! Pure: the source replacement for Cargo to take all crates of a lock file from a folder of `cargo vendor`: those of crates.io,
//! of other registries and of git repositories.
//! <https://doc.rust-lang.org/cargo/reference/source-replacement.html>

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::percent_decode_str;
use toml_edit::{Document, Item, TableLike};

use crate::workspace::Dependency;

/// What a lock file calls crates.io, by whatever protocol it was asked.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// The settings, for `--config` of each. `folder`: of `cargo vendor`, as it is where Cargo runs.
pub fn settings(folder: &str, lock: &str) -> Vec<String> {
    let mut settings = vec![
        "source.crates-io.replace-with=\"vendor\"".to_owned(),
        format!("source.vendor.directory={folder:?}"),
    ];
    let sources = lock.lines().filter_map(|line| line.strip_prefix("source = "));
    let sources: BTreeSet<&str> = sources.map(|source| source.trim_matches('"')).collect();
    let others = sources.into_iter().filter(|source| *source != CRATES_IO);
    for (number, fields) in others.filter_map(fields).collect::<BTreeSet<_>>().iter().enumerate() {
        let replaced = format!("source.locked-{number}");
        settings.extend(fields.iter().map(|(key, value)| format!("{replaced}.{key}={value:?}")));
        settings.push(format!("{replaced}.replace-with=\"vendor\""));
    }
    settings
}

/// What describes a source: that of a git repository without the commit.
fn fields(source: &str) -> Option<Vec<(&'static str, String)>> {
    let Some(git) = source.strip_prefix("git+") else {
        let index = match source.strip_prefix("registry+") {
            Some(index) => index,
            None if source.starts_with("sparse+") => source,
            None => return None,
        };
        return Some(vec![("registry", index.to_owned())]);
    };
    let address = git.split('#').next().unwrap_or(git);
    let (repository, query) = address.split_once('?').unwrap_or((address, ""));
    let reference = ["branch", "tag", "rev"].into_iter().find_map(|key| {
        let value = query
            .split('&')
            .find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='))?;
        Some((key, percent_decode_str(value).decode_utf8_lossy().into_owned()))
    });
    Some([("git", repository.to_owned())].into_iter().chain(reference).collect())
}

/// The settings with the index of each registry in the manifests, each for a `--config`: Cargo fails to parse a manifest
/// without. Each package has its manifest and its dependencies; `root` is the manifest of the workspace.
pub fn registries<'a>(packages: impl IntoIterator<Item = (&'a str, &'a [Dependency])>, root: &str) -> Vec<String> {
    let of_workspace = Document::parse(root).ok();
    let inherited = of_workspace.as_ref().and_then(|root| {
        let workspace = root.get("workspace")?.as_table_like()?;
        workspace.get("dependencies")?.as_table_like()
    });
    let mut found = BTreeMap::new();
    for (manifest, dependencies) in packages {
        let Ok(manifest) = Document::parse(manifest) else {
            continue;
        };
        for dependency in dependencies {
            let Some(index) = &dependency.registry else { continue };
            let key = dependency.rename.as_deref().unwrap_or(&dependency.name);
            let own = tables(manifest.as_table()).filter_map(|table| table.get(key));
            let names = own
                .chain(inherited.and_then(|table| table.get(key)))
                .filter_map(registry);
            found.extend(names.map(|name| (name.to_owned(), index.clone())));
        }
    }
    let setting = |(name, index)| format!("registries.{name:?}.index={index:?}");
    found.into_iter().map(setting).collect()
}

fn registry(dependency: &Item) -> Option<&str> {
    dependency.as_table_like()?.get("registry")?.as_str()
}

/// All tables of dependencies of a manifest.
fn tables(manifest: &dyn TableLike) -> impl Iterator<Item = &dyn TableLike> {
    let targets = manifest.get("target").and_then(Item::as_table_like);
    let targets = targets
        .into_iter()
        .flat_map(|all| all.iter().filter_map(|(_, one)| one.as_table_like()));
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    std::iter::once(manifest)
        .chain(targets)
        .flat_map(move |table| kinds.into_iter().filter_map(|kind| table.get(kind)?.as_table_like()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_source_of_a_lock_file_is_replaced_once() {
        let package = |source: &str| format!("[[package]]\nname = \"x\"\nsource = \"{source}\"\n");
        let lock: String = [
            CRATES_IO,
            "git+https://example.org/one?branch=a%2Fb#0123",
            "git+https://example.org/one?branch=a%2Fb#0123",
            "git+ssh://git@example.org/two.git#4567",
            "registry+https://example.org/index",
            "sparse+https://example.org/crates/",
        ]
        .map(package)
        .concat();
        let settings = settings("/vendor", &lock).join("\n");
        assert_eq!(
            settings,
            "source.crates-io.replace-with=\"vendor\"\nsource.vendor.directory=\"/vendor\"\n\
             source.locked-0.git=\"https://example.org/one\"\nsource.locked-0.branch=\"a/b\"\n\
             source.locked-0.replace-with=\"vendor\"\n\
             source.locked-1.git=\"ssh://git@example.org/two.git\"\nsource.locked-1.replace-with=\"vendor\"\n\
             source.locked-2.registry=\"https://example.org/index\"\nsource.locked-2.replace-with=\"vendor\"\n\
             source.locked-3.registry=\"sparse+https://example.org/crates/\"\nsource.locked-3.replace-with=\"vendor\""
        );
    }

    #[test]
    fn registries_are_known_by_the_names_that_manifests_give_them() {
        let dependency = |name: &str, rename: Option<&str>, registry: Option<&str>| -> Dependency {
            serde_json::from_value(json!({"name": name, "rename": rename, "registry": registry})).unwrap()
        };
        let root = "[workspace.dependencies]\nshared = { version = \"1\", registry = \"third\" }\n";
        let manifest = "[dependencies]\nmoney = { version = \"1\", registry = \"own\" }\nserde = \"1\"\nshared.workspace = true\n\
            [target.'cfg(unix)'.dev-dependencies.clock]\npackage = \"time\"\nregistry = \"other\"\n";
        let dependencies = [
            dependency("money", None, Some("sparse+https://one/")),
            dependency("serde", None, None),
            dependency("time", Some("clock"), Some("https://two")),
            dependency("shared", None, Some("https://three")),
        ];
        assert_eq!(
            registries([(manifest, &dependencies[..])], root),
            [
                "registries.\"other\".index=\"https://two\"",
                "registries.\"own\".index=\"sparse+https://one/\"",
                "registries.\"third\".index=\"https://three\"",
            ]
        );
    }
}
