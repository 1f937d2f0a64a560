//! Parses the definition of an image, `oci/<name>/image.yaml`.

use serde::Deserialize;

use yaml::{self, YamlError};

/// An image's definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The workspace package whose binary of the same name is the module.
    pub package: String,
    /// The folder of its workspace, from the definition's folder; the current one when nothing is said.
    pub workspace: Option<String>,
    /// The Cargo profile it is compiled with.
    pub profile: String,
    /// The package's Cargo features that are on beside its default ones.
    pub features: Vec<String>,
    /// The image's name without a tag.
    pub name: String,
    /// The module's path in the image, and its entrypoint.
    pub module: String,
    /// The numeric user.
    pub user: String,
    /// The signal that ends the container.
    pub stop_signal: String,
    /// What else is in the image.
    pub files: Vec<ExtraFile>,
}

/// The fields of a file, none of which is required.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fields {
    package: Option<String>,
    workspace: Option<String>,
    profile: Option<String>,
    #[serde(default)]
    features: Vec<String>,
    name: Option<String>,
    module: Option<String>,
    user: Option<String>,
    stop_signal: Option<String>,
    #[serde(default)]
    files: Vec<ExtraFile>,
}

/// `nobody`: a number, so that Kubernetes can check `runAsNonRoot` without /etc/passwd.
const USER: &str = "65532";
/// A Wasm guest sees no signals and is process 1: under Debian's crun it would go on after SIGTERM.
const STOP_SIGNAL: &str = "SIGKILL";

/// Where the resolver looks service names up. Without it, no host name is found.
pub const SERVICES: &str = "/etc/services";
/// The default /etc/services of an image: WasmEdge's socket library looks up the service name `http` with every host name,
/// and fails without it.
const SERVICES_TEXT: &[u8] = b"http\t80/tcp\n";

/// A file beside the module.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct ExtraFile {
    /// Its path in the image.
    pub path: String,
    /// Its path on this host, from the definition's folder.
    pub source: String,
}

/// The bytes of the files of a definition, in its order: what `read` makes of their sources, and the /etc/services that each
/// image has.
///
/// # Errors
/// Those of `read`.
pub fn read_files<E>(
    definition: &mut Definition,
    read: impl FnMut(&ExtraFile) -> Result<Vec<u8>, E>,
) -> Result<Vec<Vec<u8>>, E> {
    let mut files = definition.files.iter().map(read).collect::<Result<Vec<_>, E>>()?;
    if definition.files.iter().all(|file| file.path != SERVICES) {
        definition.files.push(ExtraFile {
            path: SERVICES.to_owned(),
            source: String::new(),
        });
        files.push(SERVICES_TEXT.to_vec());
    }
    Ok(files)
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
        /// The value.
        value: String,
        /// The rule that it violates.
        rule: &'static str,
    },
}

impl Definition {
    /// The definition of a package that has no file: everything is as it usually is.
    pub fn for_package(package: &str) -> Self {
        Self::from_fields(package, Fields::default())
    }

    fn from_fields(image: &str, fields: Fields) -> Self {
        Self {
            package: fields.package.unwrap_or_else(|| image.to_owned()),
            workspace: fields.workspace,
            profile: fields.profile.unwrap_or_else(|| "release".to_owned()),
            features: fields.features,
            name: fields.name.unwrap_or_else(|| format!("localhost/{image}")),
            module: fields.module.unwrap_or_else(|| format!("/{image}.wasm")),
            user: fields.user.unwrap_or_else(|| USER.to_owned()),
            stop_signal: fields.stop_signal.unwrap_or_else(|| STOP_SIGNAL.to_owned()),
            files: fields.files,
        }
    }

    /// Reads and checks a definition; `image`: the name of its folder, which is that of the package and of the image where
    /// it says nothing else.
    ///
    /// # Errors
    /// When it is no YAML, has other fields, or would make an image that does not run.
    pub fn parse(image: &str, text: &str) -> Result<Self, DefinitionError> {
        let fields = if yaml::documents::<Fields>(text)?.is_empty() {
            Fields::default()
        } else {
            yaml::parse_document(text)?
        };
        let definition = Self::from_fields(image, fields);
        let is_name = |text: &str, more: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        // https://doc.rust-lang.org/cargo/reference/features.html#the-features-section
        let no_feature = definition.features.iter().find(|feature| !is_name(feature, "-_+./"));
        let no_feature = no_feature.cloned().unwrap_or_default();
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
                is_name(&definition.package, "-_"),
                "must be the name of a package",
            ),
            (
                "features",
                &no_feature,
                no_feature.is_empty() && definition.features.iter().all(|feature| !feature.is_empty()),
                "must be names of Cargo features of the package",
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
        let more = "profile: guest\nfeatures: [tls]\nworkspace: ../../app\nfiles:\n- path: /etc/services\n  source: ../services\n";
        let definition = Definition::parse("app", &format!("{GOOD}{more}")).unwrap();
        assert_eq!(
            (definition.module.as_str(), definition.profile.as_str()),
            ("/app.wasm", "guest")
        );
        assert_eq!(definition.features, ["tls"]);
        assert_eq!(definition.workspace.as_deref(), Some("../../app"));
        assert_eq!(definition.files[0].path, "/etc/services");
    }

    #[test]
    fn what_a_file_does_not_say_is_as_usual() {
        for text in ["", "# nothing\n", "{}"] {
            assert_eq!(
                Definition::parse("shop", text),
                Ok(Definition::for_package("shop")),
                "{text}"
            );
        }
        let definition = Definition::parse("shop", "package: service\nuser: \"1000\"\n").unwrap();
        assert_eq!(
            (
                definition.package.as_str(),
                definition.user.as_str(),
                definition.name.as_str(),
                definition.module.as_str()
            ),
            ("service", "1000", "localhost/shop", "/shop.wasm")
        );
    }

    #[test]
    fn every_image_has_service_names() {
        let mut definition = Definition::for_package("shop");
        let files = read_files(&mut definition, |_| Err("there is no file")).unwrap();
        assert_eq!(
            (definition.files[0].path.as_str(), files),
            (SERVICES, vec![SERVICES_TEXT.to_vec()])
        );
        let own = |file: &ExtraFile| Ok::<_, String>(file.source.clone().into_bytes());
        definition.files[0].source = "own".to_owned();
        assert_eq!(read_files(&mut definition, own), Ok(vec![b"own".to_vec()]));
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
            ("app\n", "app\nfeatures: [\"a b\"]\n", "features"),
            ("app\n", "app\nfeatures: [\"\"]\n", "features"),
        ];
        for (from, to, expected) in cases {
            match Definition::parse("app", &GOOD.replacen(from, to, 1)) {
                Err(DefinitionError::Rule { field, .. }) => assert_eq!(field, expected),
                other => panic!("{from} -> {to}: {other:?}"),
            }
        }
        assert!(matches!(
            Definition::parse("app", &format!("{GOOD}color: red\n")),
            Err(DefinitionError::Yaml(_))
        ));
    }
}
