//! Pure: the files of a new project. They are packages like any other, in deploy-tool/templates, and part of this program.

use std::collections::BTreeMap;

use super::ProjectName;

/// The name of the packages in deploy-tool/templates.
const TEMPLATE_NAME: &str = "greeter";
/// What begins the part of Cargo.toml that a member of another workspace does not have.
const WORKSPACE_PART: &str = "\n# What is below concerns the workspace";

/// What a project has beside its service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Template {
    /// Nothing: it keeps no state.
    #[default]
    Service,
    /// A MariaDB, a pool of connections to it, and migrations of its tables.
    MariaDb,
    /// The crate that the services of this project are made of, as a member of its workspace.
    Microservice,
    /// Both, with the pool and the migrations of the crate.
    MicroserviceMariaDb,
}

macro_rules! files {
    ($folder:literal: $($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../templates/", $folder, "/", $path)))),*]
    };
}

type Files = &'static [(&'static str, &'static str)];

/// Each file's path and text. The template's name in a path is replaced, too.
const SERVICE: Files = files![
    "service":
    ".github/workflows/ci.yml",
    ".gitignore",
    "Cargo.lock",
    "Cargo.toml",
    "README.md",
    "manifests/greeter.yaml",
    "manifests/namespace.yaml",
    "manifests/runtimeclass.yaml",
    "src/main.rs",
    "src/service.rs",
    "tests/http.rs",
];

/// The manifests of a service with a database.
const MARIADB_MANIFESTS: Files = files!["mariadb": "manifests/greeter.yaml", "manifests/mariadb.yaml"];

/// The files that differ from [`SERVICE`], or are not in it, but for [`MARIADB_MANIFESTS`].
const MARIADB: Files = files![
    "mariadb":
    "Cargo.lock",
    "Cargo.toml",
    "README.md",
    "migrations/0001_notes.sql",
    "src/database.rs",
    "src/main.rs",
    "src/migrations.rs",
    "src/service.rs",
    "tests/http.rs",
    "tests/support/mod.rs",
];

/// The files that differ from [`SERVICE`], or are not in it, but for [`MICROSERVICE_CRATE`].
const MICROSERVICE: Files = files![
    "microservice":
    "Cargo.lock",
    "Cargo.toml",
    "README.md",
    "src/main.rs",
    "src/service.rs",
    "tests/http.rs",
];

/// The files that differ from [`SERVICE`], or are not in it, but for [`MARIADB_MANIFESTS`] and [`MICROSERVICE_CRATE`].
const MICROSERVICE_MARIADB: Files = files![
    "microservice-mariadb":
    "Cargo.lock",
    "Cargo.toml",
    "README.md",
    "migrations/0001_notes.sql",
    "src/main.rs",
    "src/notes.rs",
    "src/service.rs",
    "src/tables.rs",
    "tests/http.rs",
    "tests/support/mod.rs",
];

/// The crate of [`Template::Microservice`].
const MICROSERVICE_CRATE: Files = include!(concat!(env!("OUT_DIR"), "/microservice.rs"));

impl Template {
    /// Its files, by their paths.
    fn files(self) -> BTreeMap<&'static str, &'static str> {
        let parts: &[Files] = match self {
            Self::Service => &[],
            Self::MariaDb => &[MARIADB_MANIFESTS, MARIADB],
            Self::Microservice => &[MICROSERVICE, MICROSERVICE_CRATE],
            Self::MicroserviceMariaDb => &[MARIADB_MANIFESTS, MICROSERVICE_MARIADB, MICROSERVICE_CRATE],
        };
        [&[SERVICE], parts].concat().concat().into_iter().collect()
    }
}

/// The files of a project of that name. A member of another workspace has neither a lock file nor profiles of its own.
pub fn files(template: Template, name: &ProjectName, is_member: bool) -> Vec<(String, String)> {
    let named = |text: &str| text.replace(TEMPLATE_NAME, name.as_str());
    template
        .files()
        .into_iter()
        .filter(|(path, _)| !is_member || *path != "Cargo.lock")
        .map(|(path, text)| {
            let text = match text.find(WORKSPACE_PART).filter(|_| is_member && path == "Cargo.toml") {
                Some(end) => &text[..end],
                None => text,
            };
            (named(path), named(text))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const ALL: [Template; 4] = [
        Template::Service,
        Template::MariaDb,
        Template::Microservice,
        Template::MicroserviceMariaDb,
    ];

    fn project(template: Template, is_member: bool) -> BTreeMap<String, String> {
        let name = ProjectName::parse("shop").unwrap();
        files(template, &name, is_member).into_iter().collect()
    }

    #[test]
    fn nothing_of_the_templates_name_is_left() {
        for template in ALL {
            let files = project(template, false);
            for (path, text) in &files {
                assert!(
                    !path.contains(TEMPLATE_NAME) && !text.contains(TEMPLATE_NAME),
                    "{path}: {text}"
                );
            }
            assert!(files.contains_key("manifests/shop.yaml"));
        }
    }

    /// Otherwise `cargo fmt --check` fails in a project with a long name.
    #[test]
    fn lines_of_rust_with_the_longest_name_fit() {
        const COLUMNS: usize = 100;
        let name = ProjectName::parse(&"n".repeat(40)).unwrap();
        for (path, text) in ALL.into_iter().flat_map(|template| files(template, &name, false)) {
            let is_named = |line: &&str| path.ends_with(".rs") && line.contains(name.as_str());
            for line in text.lines().filter(is_named) {
                assert!(line.len() <= COLUMNS, "{path}: {line}");
            }
        }
    }

    #[test]
    fn a_member_has_no_workspace_of_its_own() {
        for template in ALL {
            let files = project(template, true);
            assert_eq!(files.get("Cargo.lock"), None);
            let manifest = &files["Cargo.toml"];
            assert!(
                !manifest.contains("[workspace]") && !manifest.contains("[profile"),
                "{manifest}"
            );
            let server = ["hyper_wasi", "microservice = "];
            assert!(server.into_iter().any(|server| manifest.contains(server)), "{manifest}");
        }
    }

    /// The files of a folder, from `root`, but for what Cargo makes.
    fn found(root: &Path, folder: &Path, paths: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if !path.is_dir() {
                paths.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            } else if !path.ends_with("target") {
                found(root, &path, paths);
            }
        }
    }

    #[test]
    fn every_file_of_the_folders_is_part_of_the_program() {
        for (folder, files) in [
            ("service", SERVICE),
            ("mariadb", &[MARIADB_MANIFESTS, MARIADB].concat()),
            ("microservice", &[MICROSERVICE, MICROSERVICE_CRATE].concat()),
            (
                "microservice-mariadb",
                &[MICROSERVICE_MARIADB, MICROSERVICE_CRATE].concat(),
            ),
        ] {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates").join(folder);
            let mut paths = Vec::new();
            found(&root, &root, &mut paths);
            paths.sort();
            let mut listed: Vec<&str> = files.iter().map(|(path, _)| *path).collect();
            listed.sort_unstable();
            assert_eq!(paths, listed, "{folder}");
        }
    }

    /// The crate has two manifests: as a member of this project's workspace, and by itself.
    #[test]
    fn the_carried_crate_has_the_dependencies_that_it_has_here() {
        let read = |path: &str| -> toml_edit::DocumentMut {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
            std::fs::read_to_string(path).unwrap().parse().unwrap()
        };
        let workspace = read("../app/Cargo.toml");
        let dependencies = |manifest: &toml_edit::DocumentMut, path: &[&str]| -> BTreeMap<String, String> {
            let table = path.iter().fold(manifest.as_item(), |item, key| &item[key]);
            let entries = table.as_table_like().unwrap().iter();
            entries
                .map(|(name, value)| match value.get("workspace") {
                    Some(_) => (name, &workspace["workspace"]["dependencies"][name]),
                    None => (name, value),
                })
                .map(|(name, value)| (name.to_owned(), value.to_string().trim().to_owned()))
                .collect()
        };
        let here = read("../app/microservice/Cargo.toml");
        let carried = read("templates/microservice/microservice/Cargo.toml");
        for path in [
            &["dependencies"][..],
            &["build-dependencies"],
            &["target", "cfg(target_os = \"wasi\")", "dependencies"],
            &["target", "cfg(not(target_os = \"wasi\"))", "dependencies"],
        ] {
            let mut expected = dependencies(&here, path);
            // Of the feature `tls`, which takes crates beside this one.
            expected.remove("database-tls");
            assert_eq!(dependencies(&carried, path), expected, "{path:?}");
        }
    }

    #[test]
    fn a_database_is_there_where_it_was_asked_for() {
        let (service, mariadb) = (project(Template::Service, false), project(Template::MariaDb, false));
        let only: Vec<&str> = mariadb
            .keys()
            .filter(|path| !service.contains_key(*path))
            .map(String::as_str)
            .collect();
        assert_eq!(
            only,
            [
                "manifests/mariadb.yaml",
                "migrations/0001_notes.sql",
                "src/database.rs",
                "src/migrations.rs",
                "tests/support/mod.rs"
            ]
        );
        assert!(service.values().all(|text| !text.contains("mariadb")));
        let password = "deploy-tool.dev/generate: \"MARIADB_PASSWORD MARIADB_ROOT_PASSWORD\"";
        assert!(mariadb["manifests/mariadb.yaml"].contains(password));
    }
}
