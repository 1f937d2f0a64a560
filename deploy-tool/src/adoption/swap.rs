//! Pure: the dependencies of a manifest, those that a guest cannot have moved to the native build, with what stands in for
//! them in a guest. Comments and the order of all else stay.

use toml_edit::{Document, DocumentMut, Item, Key, Table, TableLike, TomlError, Value};

use wasm_build::workspace::Dependency;

const GUEST: &str = "cfg(target_os = \"wasi\")";
const NATIVE: &str = "cfg(not(target_os = \"wasi\"))";

/// What stands in for a crate in a guest: it has the same name in the source.
struct Fork {
    of: &'static str,
    name: &'static str,
    version: &'static str,
    /// The features of both that work in a guest: what `full` stands for there.
    features: &'static [&'static str],
    /// The features that it always has.
    always: &'static [&'static str],
}

const FORKS: &[Fork] = &[
    Fork {
        of: "hyper",
        name: "hyper_wasi",
        version: "0.15.2",
        features: &["client", "http1", "runtime", "server", "stream", "tcp"],
        always: &[],
    },
    Fork {
        of: "tokio",
        name: "tokio_wasi",
        version: "1.25.2",
        features: &["io-util", "macros", "net", "rt", "sync", "time"],
        always: &["rt"],
    },
    Fork {
        of: "mysql_async",
        name: "mysql_async_wasi",
        version: "0.31.6",
        features: &[],
        always: &["rust_backend"],
    },
];

/// Whether something stands in for a dependency as it is written.
pub fn has_fork(dependency: &Dependency) -> bool {
    let is_known = FORKS.iter().any(|fork| fork.of == dependency.name);
    let is_old_hyper = dependency.name != "hyper" || dependency.takes("0.14.0");
    is_known && is_old_hyper && dependency.rename.is_none() && !dependency.optional && dependency.target.is_none()
}

/// The text of a manifest with the swapped dependencies.
///
/// # Errors
/// When it is no TOML.
pub fn swap_dependencies(manifest: &str, dependencies: &[&Dependency]) -> Result<String, TomlError> {
    let mut document: DocumentMut = manifest.parse()?;
    for dependency in dependencies {
        let Some(fork) = FORKS.iter().find(|fork| fork.of == dependency.name) else {
            continue;
        };
        let Some(table) = document.get_mut("dependencies").and_then(Item::as_table_mut) else {
            continue;
        };
        // With its key goes the comment above it.
        let Some((key, native)) = table.remove_entry(fork.of) else {
            continue;
        };
        if table.is_empty() {
            document.remove("dependencies");
        }
        let requirement = Item::Value(requirement(fork, dependency));
        add(&mut document, GUEST, &Key::new(fork.name), requirement);
        add(&mut document, NATIVE, &key, native);
    }
    Ok(document.to_string())
}

/// Adds to the dependencies of a target. An inline table of dependencies is not supported.
fn add(document: &mut DocumentMut, target: &str, key: &Key, item: Item) {
    let mut table = document.as_table_mut();
    for part in ["target", target] {
        let mut implicit = Table::new();
        implicit.set_implicit(true);
        match table.entry(part).or_insert(Item::Table(implicit)).as_table_mut() {
            Some(next) => table = next,
            None => return,
        }
    }
    if let Some(dependencies) = table.entry("dependencies").or_insert(toml_edit::table()).as_table_mut() {
        dependencies.insert_formatted(key, item);
    }
}

fn requirement(fork: &Fork, dependency: &Dependency) -> Value {
    let features_wanted: Vec<&str> = dependency.features.iter().map(String::as_str).collect();
    let features_wanted = if features_wanted.contains(&"full") {
        [fork.features, &features_wanted].concat()
    } else {
        features_wanted
    };
    let known = |feature: &&&str| fork.features.contains(*feature);
    let multi = features_wanted.contains(&"rt-multi-thread").then_some("rt");
    let mut features: Vec<&str> = fork.always.iter().copied().chain(multi).collect();
    features.extend(features_wanted.iter().filter(known));
    features.sort_unstable();
    features.dedup();
    let mut table = toml_edit::InlineTable::new();
    table.insert("version", fork.version.into());
    table.insert("default-features", false.into());
    if !features.is_empty() {
        table.insert("features", Value::Array(features.into_iter().collect()));
    }
    Value::InlineTable(table)
}

/// The lines that differ, as `patch` and `git apply` read them.
pub fn difference(path: &str, before: &str, after: &str) -> String {
    similar::TextDiff::from_lines(before, after)
        .unified_diff()
        .header(&format!("a/{path}"), &format!("b/{path}"))
        .to_string()
}

/// The line of a dependency in a manifest, counted from 1.
pub fn line_of(manifest: &str, dependency: &str) -> Option<usize> {
    const KINDS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];
    let document = Document::parse(manifest).ok()?;
    let own: &dyn TableLike = document.as_table();
    let all: Vec<&dyn TableLike> = std::iter::once(own).chain(tables(document.get("target"))).collect();
    let mut found = KINDS
        .into_iter()
        .flat_map(|kind| all.iter().filter_map(move |table| table.get(kind)?.as_table_like()));
    found.find_map(|table| line_in(manifest, table, dependency))
}

/// The line of what stands in for a crate by `[patch]`.
pub fn line_of_patch(manifest: &str, name: &str) -> Option<usize> {
    let document = Document::parse(manifest).ok()?;
    tables(document.get("patch")).find_map(|table| line_in(manifest, table, name))
}

/// The tables in a table.
fn tables(of: Option<&Item>) -> impl Iterator<Item = &dyn TableLike> {
    let outer = of.and_then(Item::as_table_like).into_iter();
    outer.flat_map(|all| all.iter().filter_map(|(_, inner)| inner.as_table_like()))
}

/// The line of a crate in a table, whatever it is called there.
fn line_in(manifest: &str, table: &dyn TableLike, name: &str) -> Option<usize> {
    let is_it = |key: &str, item: &Item| {
        let package = item.as_table_like().and_then(|fields| fields.get("package")?.as_str());
        package.unwrap_or(key) == name
    };
    let (key, _) = table.iter().find(|(key, item)| is_it(key, item))?;
    let start = table.get_key_value(key)?.0.span()?.start;
    Some(manifest.get(..start)?.lines().count().max(1) + usize::from(manifest[..start].ends_with('\n')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const MANIFEST: &str = "[package]\nname = \"shop\"\n\n[dependencies]\n# The server.\nhyper = { version = \"0.14\", features = \
        [\"full\"] }\nserde = \"1\" # data\ntokio = { version = \"1\", features = [\"full\"] }\n\n[profile.release]\nlto = true\n";

    fn dependency(name: &str, req: &str, features: &[&str]) -> Dependency {
        serde_json::from_value(json!({"name": name, "req": req, "features": features})).unwrap()
    }

    #[test]
    fn what_a_guest_cannot_have_stays_for_the_native_build() {
        let (hyper, tokio) = (
            dependency("hyper", "^0.14", &["full"]),
            dependency("tokio", "^1", &["full"]),
        );
        assert!(has_fork(&hyper) && has_fork(&tokio));
        let text = swap_dependencies(MANIFEST, &[&hyper, &tokio]).unwrap();
        assert_eq!(
            text,
            "[package]\nname = \"shop\"\n\n[dependencies]\nserde = \"1\" # data\n\n[profile.release]\nlto = true\n\n\
             [target.'cfg(target_os = \"wasi\")'.dependencies]\nhyper_wasi = { version = \"0.15.2\", default-features = false, \
             features = [\"client\", \"http1\", \"runtime\", \"server\", \"stream\", \"tcp\"] }\ntokio_wasi = { version = \
             \"1.25.2\", default-features = false, features = [\"io-util\", \"macros\", \"net\", \"rt\", \"sync\", \"time\"] }\n\n\
             [target.'cfg(not(target_os = \"wasi\"))'.dependencies]\n# The server.\nhyper = { version = \"0.14\", features = \
             [\"full\"] }\ntokio = { version = \"1\", features = [\"full\"] }\n"
        );
        // Twice is once: what has been swapped is not there to be swapped.
        assert_eq!(swap_dependencies(&text, &[&hyper, &tokio]).unwrap(), text);
        let shown = difference("Cargo.toml", MANIFEST, &text);
        assert!(shown.starts_with("--- a/Cargo.toml\n+++ b/Cargo.toml\n@@"), "{shown}");
        assert!(
            shown.contains("\n-tokio = ") && shown.contains("\n+tokio_wasi = "),
            "{shown}"
        );
    }

    #[test]
    fn only_what_works_in_a_guest_is_asked_for() {
        let tokio = dependency("tokio", "^1", &["fs", "macros", "rt-multi-thread", "signal"]);
        let text = swap_dependencies("[dependencies]\ntokio = \"1\"\n", &[&tokio]).unwrap();
        assert!(text.contains("features = [\"macros\", \"rt\"] }"), "{text}");
        assert!(!text.contains("[dependencies]\n"), "{text}");
        assert!(!has_fork(&dependency("hyper", "^1", &[])));
        assert!(!has_fork(&dependency("axum", "^0.7", &[])));
    }

    #[test]
    fn a_dependency_has_its_line_wherever_it_is() {
        assert_eq!(line_of(MANIFEST, "hyper"), Some(6));
        assert_eq!(line_of(MANIFEST, "tokio"), Some(8));
        assert_eq!(line_of("[dependencies.tokio]\nversion = \"1\"\n", "tokio"), Some(1));
        assert_eq!(line_of("[target.'cfg(unix)'.dependencies]\na = \"1\"\n", "a"), Some(2));
        assert_eq!(line_of(MANIFEST, "axum"), None);
        let more =
            "[patch.crates-io]\nb = { path = \"b\" }\n[dev-dependencies]\nx = { package = \"b\", path = \"../b\" }\n";
        assert_eq!((line_of(more, "b"), line_of_patch(more, "b")), (Some(4), Some(2)));
        assert_eq!((line_of(more, "x"), line_of_patch(more, "x")), (None, None));
    }
}
