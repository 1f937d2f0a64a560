//! What an image holds, as `oci/<name>/image.yaml` says it.

use serde::Deserialize;

use yaml::{self, YamlError};

/// An image's definition.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Definition {
    /// The workspace package whose binary of the same name is the module.
    pub package: String,
    /// The folder of its workspace, from the definition's folder; the current one when nothing is said.
    pub workspace: Option<String>,
    /// The Cargo profile it is compiled with.
    #[serde(default = "release")]
    pub profile: String,
    /// The image's name without a tag.
    pub name: String,
    /// The module's path in the image, and its entrypoint.
    pub module: String,
    /// The numeric user.
    pub user: String,
    /// The signal that ends the container.
    pub stop_signal: String,
    /// What else is in the image.
    #[serde(default)]
    pub files: Vec<ExtraFile>,
}

fn release() -> String {
    "release".to_owned()
}

/// A file beside the module.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct ExtraFile {
    /// Its path in the image.
    pub path: String,
    /// Its path on this host, from the definition's folder.
    pub source: String,
}

/// A definition that cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// It cannot be read.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// It can be read and is wrong.
    #[error("`{field}: {value}`: {rule}")]
    Rule {
        /// Which field.
        field: &'static str,
        /// What it says.
        value: String,
        /// What it must be.
        rule: &'static str,
    },
}

impl Definition {
    /// Reads and checks a definition.
    ///
    /// # Errors
    /// When it is no YAML, has other fields, or would make an image that does not run.
    pub fn parse(text: &str) -> Result<Self, DefinitionError> {
        let definition: Self = yaml::one(text)?;
        let rules = [
            (
                "module",
                &definition.module,
                definition.module.starts_with('/') && definition.module.ends_with(".wasm"),
                "must be absolute and end in .wasm, or crun runs it as a native program",
            ),
            (
                "user",
                &definition.user,
                definition.user.parse::<u32>().is_ok_and(|user| user > 0),
                "must be a number other than 0, or `runAsNonRoot` cannot be checked",
            ),
            (
                "name",
                &definition.name,
                definition.name.contains('/') && !definition.name.contains([':', '@', ' ']),
                "must be a full name without tag, such as localhost/orders",
            ),
            (
                "stopSignal",
                &definition.stop_signal,
                definition.stop_signal.starts_with("SIG"),
                "must be the name of a signal, such as SIGKILL",
            ),
            (
                "package",
                &definition.package,
                definition
                    .package
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
                    && !definition.package.is_empty(),
                "must be the name of a package",
            ),
        ];
        let broken = rules.into_iter().find(|(_, _, holds, _)| !holds);
        let broken = broken.map(|(field, value, _, rule)| DefinitionError::Rule {
            field,
            value: value.clone(),
            rule,
        });
        broken.map_or(Ok(definition), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "package: app\nname: localhost/x\nmodule: /app.wasm\nuser: \"65532\"\nstopSignal: SIGKILL\n";

    #[test]
    fn reads_every_field() {
        let more = "profile: guest\nworkspace: ../../app\nfiles:\n- path: /etc/services\n  source: ../services\n";
        let definition = Definition::parse(&format!("{GOOD}{more}")).unwrap();
        assert_eq!(
            (definition.module.as_str(), definition.profile.as_str()),
            ("/app.wasm", "guest")
        );
        assert_eq!(definition.workspace.as_deref(), Some("../../app"));
        assert_eq!(definition.files[0].path, "/etc/services");
    }

    #[test]
    fn says_which_field_is_wrong() {
        let cases = [
            ("/app.wasm", "/app", "module"),
            ("\"65532\"", "root", "user"),
            ("\"65532\"", "\"0\"", "user"),
            ("localhost/x", "localhost/x:latest", "name"),
            ("SIGKILL", "9", "stopSignal"),
            ("app\n", "../app\n", "package"),
        ];
        for (from, to, expected) in cases {
            match Definition::parse(&GOOD.replacen(from, to, 1)) {
                Err(DefinitionError::Rule { field, .. }) => assert_eq!(field, expected),
                other => panic!("{from} -> {to}: {other:?}"),
            }
        }
        assert!(matches!(
            Definition::parse(&format!("{GOOD}color: red\n")),
            Err(DefinitionError::Yaml(_))
        ));
    }
}
