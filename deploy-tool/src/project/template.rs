//! Pure: the files of a new project. They are a package like any other, in deploy-tool/templates, and part of this program.

use super::ProjectName;

/// The name of the package in deploy-tool/templates.
const TEMPLATE_NAME: &str = "greeter";
/// What begins the part of Cargo.toml that a member of another workspace does not have.
const WORKSPACE_PART: &str = "\n# What is below concerns the workspace";

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../templates/service/", $path)))),*]
    };
}

/// Each file's path and text. `{name}` in a path is the project's.
const FILES: &[(&str, &str)] = files![
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

/// The files of a project of that name. A member of another workspace has neither a lock file nor profiles of its own.
pub fn files(name: &ProjectName, is_member: bool) -> Vec<(String, String)> {
    let named = |text: &str| text.replace(TEMPLATE_NAME, name.as_str());
    FILES
        .iter()
        .filter(|(path, _)| !is_member || *path != "Cargo.lock")
        .map(|(path, text)| {
            let text = match text.find(WORKSPACE_PART).filter(|_| is_member && *path == "Cargo.toml") {
                Some(end) => &text[..end],
                None => text,
            };
            (named(path), named(text))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_templates_name_is_left() {
        let name = ProjectName::parse("shop").unwrap();
        let files = files(&name, false);
        assert_eq!(files.len(), FILES.len());
        for (path, text) in &files {
            assert!(
                !path.contains(TEMPLATE_NAME) && !text.contains(TEMPLATE_NAME),
                "{path}: {text}"
            );
        }
        assert!(files.iter().any(|(path, _)| path == "manifests/shop.yaml"));
    }

    #[test]
    fn a_member_has_no_workspace_of_its_own() {
        let files = files(&ProjectName::parse("shop").unwrap(), true);
        let text = |wanted: &str| {
            files
                .iter()
                .find(|(path, _)| path == wanted)
                .map(|(_, text)| text.as_str())
        };
        assert_eq!(text("Cargo.lock"), None);
        let manifest = text("Cargo.toml").unwrap();
        assert!(
            !manifest.contains("[workspace]") && !manifest.contains("[profile"),
            "{manifest}"
        );
        assert!(manifest.contains("hyper_wasi"), "{manifest}");
    }
}
