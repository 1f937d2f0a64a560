//! Pure: how an image was built, as an in-toto statement with SLSA provenance. There is no time and no host in it: the same
//! build says the same.
//!
//! <https://slsa.dev/spec/v1.0/provenance>

use serde_json::{Value, json};

use crate::image::{Definition, Layout, json as to_bytes};
use crate::settings::BUILDER_IMAGE;

/// Its media type, and its type as an artifact.
/// <https://github.com/in-toto/attestation/blob/main/spec/v1/bundle.md>
pub const MEDIA_TYPE: &str = "application/vnd.in-toto+json";
/// What the parameters mean: those of docs/images.md.
const BUILD_TYPE: &str = "https://deploy-tool.dev/build/v1";
/// Who built it: this program, on whatever machine. Nobody has signed that.
const BUILDER: &str = "https://deploy-tool.dev/builder/v1";

/// What an image was built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The digest of all sources.
    pub sources: &'a str,
    /// The digest of Cargo.lock.
    pub lock: &'a str,
    /// The recipe of the builder.
    pub builder: &'a str,
    /// The version of WasmEdge that compiled it ahead of time.
    pub engine: Option<&'a str>,
    /// The commit of the sources, where it is known.
    pub commit: Option<&'a str>,
}

/// Writes the statement of an image.
pub fn document(layout: &Layout, definition: &Definition, origin: &Origin<'_>) -> Vec<u8> {
    let digits = |digest: &str| json!({"sha256": digest.trim_start_matches("sha256:")});
    let mut dependencies: Vec<Value> = origin
        .commit
        .map(|commit| json!({"name": "checkout", "digest": {"gitCommit": commit}}))
        .into_iter()
        .collect();
    dependencies.extend([
        json!({"name": "sources", "digest": digits(origin.sources)}),
        json!({"name": "Cargo.lock", "digest": digits(origin.lock)}),
        json!({"name": "builder", "uri": BUILDER_IMAGE, "annotations": {"recipe": origin.builder}}),
    ]);
    to_bytes(&json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": definition.name, "digest": digits(layout.digest())}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "package": definition.package, "profile": definition.profile, "wasmedge": origin.engine,
                },
                "resolvedDependencies": dependencies,
            },
            "runDetails": {"builder": {"id": BUILDER, "version": {"deploy-tool": env!("CARGO_PKG_VERSION")}}},
        },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Blob;

    #[test]
    fn a_statement_names_the_image_and_what_it_was_built_from() {
        let definition = Definition::parse(include_str!("../../oci/app/image.yaml")).unwrap();
        let layout = Layout {
            name: None,
            root: Blob::of("index", b"abc".to_vec()),
            manifests: Vec::new(),
            blobs: Vec::new(),
            referrers: Vec::new(),
        };
        let origin = Origin {
            sources: "12",
            lock: "34",
            builder: "56",
            engine: Some("0.14.1"),
            commit: Some("78"),
        };
        let statement: Value = serde_json::from_slice(&document(&layout, &definition, &origin)).unwrap();
        assert_eq!(
            statement["subject"],
            json!([{
                "name": "localhost/orders",
                "digest": {"sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
            }])
        );
        let built = &statement["predicate"]["buildDefinition"];
        assert_eq!(
            built["externalParameters"],
            json!({"package": "app", "profile": "guest", "wasmedge": "0.14.1"})
        );
        assert_eq!(
            built["resolvedDependencies"][0],
            json!({"name": "checkout", "digest": {"gitCommit": "78"}})
        );
        let without = Origin { commit: None, ..origin };
        let statement: Value = serde_json::from_slice(&document(&layout, &definition, &without)).unwrap();
        let built = &statement["predicate"]["buildDefinition"];
        assert_eq!(
            built["resolvedDependencies"],
            json!([
                {"name": "sources", "digest": {"sha256": "12"}},
                {"name": "Cargo.lock", "digest": {"sha256": "34"}},
                {"name": "builder", "uri": "localhost/wasm-builder:trixie", "annotations": {"recipe": "56"}},
            ])
        );
    }
}
