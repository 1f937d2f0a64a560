//! Pure: a software bill of materials of exactly the crates in a module, as CycloneDX 1.6. The same module gives the same
//! bytes: there is no time and no serial number in it.
//!
//! <https://cyclonedx.org/docs/1.6/json/>

pub mod lock_file;
pub mod tree;

use std::collections::BTreeMap;

use serde::Serialize;

use tree::Crate;

/// Its media type, and its type as an artifact. <https://www.iana.org/assignments/media-types>
pub const MEDIA_TYPE: &str = "application/vnd.cyclonedx+json";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    bom_format: &'static str,
    spec_version: &'static str,
    version: u8,
    metadata: Metadata<'a>,
    components: Vec<Component<'a>>,
    dependencies: Vec<Dependencies<'a>>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    component: Option<Component<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property<'a>>,
}

#[derive(Serialize)]
struct Property<'a> {
    name: String,
    value: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Component<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    bom_ref: &'a str,
    name: &'a str,
    version: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<License>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<String>,
    #[serde(rename = "externalReferences", skip_serializing_if = "Vec::is_empty")]
    references: Vec<Reference<'a>>,
}

#[derive(Serialize)]
struct Hash<'a> {
    alg: &'static str,
    content: &'a str,
}

#[derive(Serialize)]
struct License {
    expression: String,
}

#[derive(Serialize)]
struct Reference<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    url: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dependencies<'a> {
    #[serde(rename = "ref")]
    of: &'a str,
    depends_on: Vec<&'a str>,
}

/// Before the name of a trap, in that of a property.
pub const TRAP_PROPERTY: &str = "deploy-tool:trap:";

/// Something in the sources that is known to fail, or to be slow, when the module runs. The module does not show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceTrap {
    /// The trap's name.
    pub name: String,
    /// Where it is, what happens, what to do about it.
    pub text: String,
}

/// Why there is no bill.
#[derive(Debug, thiserror::Error)]
pub enum BillError {
    /// What `cargo tree` printed cannot be read.
    #[error(transparent)]
    Tree(#[from] tree::TreeError),
    /// The bill cannot be written.
    #[error("it cannot be written as JSON: {0}")]
    Unwritable(#[from] serde_json::Error),
}

/// Writes the bill of a module.
///
/// # Errors
/// When the tree cannot be read, or the bill cannot be written as JSON.
pub fn document(tree: &str, lock: &str, module_digest: &str, traps: &[SourceTrap]) -> Result<Vec<u8>, BillError> {
    let (root, crates) = tree::read(tree)?;
    let checksums = tree::checksums(lock);
    let mut components: BTreeMap<&str, Component<'_>> = crates
        .iter()
        .map(|(key, guest_crate)| {
            (
                key.as_str(),
                component(key, guest_crate, checksums.get(key).map(String::as_str)),
            )
        })
        .collect();
    let application = components.remove(root.as_str()).map(|root| Component {
        kind: "application",
        hashes: vec![Hash {
            alg: "SHA-256",
            content: module_digest,
        }],
        ..root
    });
    let dependencies = crates.iter().map(|(key, guest_crate)| Dependencies {
        of: key,
        depends_on: guest_crate.dependencies.iter().map(String::as_str).collect(),
    });
    let bill = serde_json::to_vec(&Document {
        bom_format: "CycloneDX",
        spec_version: "1.6",
        version: 1,
        metadata: Metadata {
            component: application,
            properties: traps
                .iter()
                .map(|trap| Property {
                    name: format!("{TRAP_PROPERTY}{}", trap.name),
                    value: &trap.text,
                })
                .collect(),
        },
        components: components.into_values().collect(),
        dependencies: dependencies.collect(),
    });
    Ok(bill?)
}

fn component<'a>(key: &'a str, guest_crate: &'a Crate, checksum: Option<&'a str>) -> Component<'a> {
    let hashes = checksum.map(|content| Hash {
        alg: "SHA-256",
        content,
    });
    let repository = Some(guest_crate.repository.as_str()).filter(|url| url.starts_with("https://"));
    Component {
        kind: "library",
        bom_ref: key,
        name: &guest_crate.name,
        version: &guest_crate.version,
        hashes: hashes.into_iter().collect(),
        licenses: license(&guest_crate.license).into_iter().collect(),
        // A crate of the workspace is not the one of that name in the public registry.
        purl: (!guest_crate.is_local).then(|| {
            format!(
                "pkg:cargo/{}@{}",
                guest_crate.name,
                guest_crate.version.replace('+', "%2B")
            )
        }),
        references: repository
            .map(|url| Reference { kind: "vcs", url })
            .into_iter()
            .collect(),
    }
}

/// Before there were expressions, Cargo.toml separated licences by a slash.
/// <https://doc.rust-lang.org/cargo/reference/manifest.html#the-license-and-license-file-fields>
fn license(text: &str) -> Option<License> {
    let parts: Vec<&str> = text.split('/').map(str::trim).filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| License {
        expression: parts.join(" OR "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const TREE: &str =
        "0app v0.1.0 (/w/app)|Apache-2.0|\n1fnv v1.0.7|Apache-2.0 / MIT|https://f\n1wasi v0.11.1+p|MIT|git@w\n";
    const LOCK: &str = "[[package]]\nname = \"fnv\"\nversion = \"1.0.7\"\nchecksum = \"ab\"\n";

    #[test]
    fn a_bill_names_every_crate_with_licence_origin_and_checksum() {
        let bytes = document(TREE, LOCK, "cd", &[]).unwrap();
        let bill: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(
            bill,
            json!({
                "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
                "metadata": {"component": {
                    "type": "application", "bom-ref": "app@0.1.0", "name": "app", "version": "0.1.0",
                    "hashes": [{"alg": "SHA-256", "content": "cd"}], "licenses": [{"expression": "Apache-2.0"}],
                }},
                "components": [
                    {
                        "type": "library", "bom-ref": "fnv@1.0.7", "name": "fnv", "version": "1.0.7",
                        "hashes": [{"alg": "SHA-256", "content": "ab"}],
                        "licenses": [{"expression": "Apache-2.0 OR MIT"}], "purl": "pkg:cargo/fnv@1.0.7",
                        "externalReferences": [{"type": "vcs", "url": "https://f"}],
                    },
                    {
                        "type": "library", "bom-ref": "wasi@0.11.1+p", "name": "wasi", "version": "0.11.1+p",
                        "licenses": [{"expression": "MIT"}], "purl": "pkg:cargo/wasi@0.11.1%2Bp",
                    },
                ],
                "dependencies": [
                    {"ref": "app@0.1.0", "dependsOn": ["fnv@1.0.7", "wasi@0.11.1+p"]},
                    {"ref": "fnv@1.0.7", "dependsOn": []},
                    {"ref": "wasi@0.11.1+p", "dependsOn": []},
                ],
            })
        );
        // The folder of the checkout is not in it.
        assert_eq!(
            document(&TREE.replace("/w/app", "/elsewhere"), LOCK, "cd", &[]).unwrap(),
            bytes
        );
    }

    #[test]
    fn what_the_sources_show_is_in_the_bill() {
        let trap = SourceTrap {
            name: "two-packets".into(),
            text: "src/main.rs:2: slow".into(),
        };
        let bill: Value = serde_json::from_slice(&document(TREE, LOCK, "cd", &[trap]).unwrap()).unwrap();
        assert_eq!(
            bill["metadata"]["properties"],
            json!([{"name": "deploy-tool:trap:two-packets", "value": "src/main.rs:2: slow"}])
        );
    }
}
