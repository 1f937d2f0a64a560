//! Pure: makes and verifies SLSA provenance of an image, as an in-toto statement. It contains neither time nor host, so that the
//! same build has the same provenance.
//!
//! <https://slsa.dev/spec/v1.0/provenance>

use serde_json::{Value, json};
use thiserror::Error;

use crate::Digest;
use crate::image::specification::Index;
use crate::image::{Definition, Layout, LayoutError};
use crate::pattern::matches;
use crate::signature::envelope::EnvelopeError;

/// Its media type, and its type as an artifact.
/// <https://github.com/in-toto/attestation/blob/main/spec/v1/bundle.md>
pub const MEDIA_TYPE: &str = "application/vnd.in-toto+json";
/// What the parameters mean: those of docs/images.md.
const BUILD_TYPE: &str = "https://deploy-tool.dev/build/v1";
/// Its kind.
pub const PREDICATE: &str = "https://slsa.dev/provenance/v1";
/// Who built it: this program, on whatever machine. It is worth as much as who signs it.
const BUILDER: &str = "https://deploy-tool.dev/builder/v1";

/// The annotation of an image with the URL of its sources.
/// <https://github.com/opencontainers/image-spec/blob/main/annotations.md>
const SOURCE_ANNOTATION: &str = "org.opencontainers.image.source";

/// What an image was built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The Cargo profile it was compiled with.
    pub profile: &'a str,
    /// The digits of the SHA-256 of all sources.
    pub sources: &'a str,
    /// The same of Cargo.lock.
    pub lock: &'a str,
    /// The image of the builder.
    pub builder_image: &'a str,
    /// The recipe of the builder.
    pub builder: &'a str,
    /// The version of WasmEdge that compiled it ahead of time.
    pub engine: Option<&'a str>,
    /// The commit of the sources, where it is known.
    pub commit: Option<&'a str>,
}

/// Writes the statement of an image.
///
/// # Errors
/// When the image has no index that can be read.
pub fn document(layout: &Layout, definition: &Definition, origin: &Origin<'_>) -> Result<Vec<u8>, LayoutError> {
    let digits = |digits: &str| json!({"sha256": digits});
    let source = Index::from_blob(&layout.root)?.annotations.remove(SOURCE_ANNOTATION);
    let checkout = origin.commit.map(|commit| {
        let mut checkout = json!({"name": "checkout", "digest": {"gitCommit": commit}});
        if let Some(source) = source {
            checkout["uri"] = json!(format!("git+{source}"));
        }
        checkout
    });
    let mut dependencies: Vec<Value> = checkout.into_iter().collect();
    dependencies.extend([
        json!({"name": "sources", "digest": digits(origin.sources)}),
        json!({"name": "Cargo.lock", "digest": digits(origin.lock)}),
        json!({"name": "builder", "uri": origin.builder_image, "annotations": {"recipe": origin.builder}}),
    ]);
    let mut parameters = json!({
        "package": definition.package, "profile": origin.profile, "wasmedge": origin.engine,
    });
    if !definition.features.is_empty() {
        parameters["features"] = json!(definition.features);
    }
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": definition.name, "digest": digits(layout.digest().hex())}],
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": parameters,
                "resolvedDependencies": dependencies,
            },
            "runDetails": {"builder": {"id": BUILDER, "version": {"deploy-tool": env!("CARGO_PKG_VERSION")}}},
        },
    });
    Ok(statement.to_string().into_bytes())
}

/// The provenance of an image in a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// The digests that it is about.
    pub subjects: Vec<String>,
    /// Who built it.
    pub builder: String,
    /// Where the sources are.
    pub source: Option<String>,
    /// The commit of the sources.
    pub revision: Option<String>,
}

impl Provenance {
    /// Reads a statement; none when it is no SLSA provenance.
    pub fn read(statement: &[u8]) -> Option<Self> {
        let statement: Value = serde_json::from_slice(statement).ok()?;
        if statement["predicateType"] != PREDICATE {
            return None;
        }
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let digest = |subject: &Value| Some(format!("sha256:{}", subject["digest"]["sha256"].as_str()?));
        let predicate = &statement["predicate"];
        let dependencies = predicate["buildDefinition"]["resolvedDependencies"].as_array();
        let checkout = dependencies
            .into_iter()
            .flatten()
            .find(|dependency| dependency["digest"]["gitCommit"].is_string());
        Some(Self {
            subjects: statement["subject"].as_array()?.iter().filter_map(digest).collect(),
            builder: text(&predicate["runDetails"]["builder"]["id"])?,
            source: checkout.and_then(|dependency| text(&dependency["uri"])),
            revision: checkout.and_then(|dependency| text(&dependency["digest"]["gitCommit"])),
        })
    }

    /// Whether it is about the image with that digest.
    pub fn is_about(&self, image: &Digest) -> bool {
        self.subjects.iter().any(|subject| *image == **subject)
    }

    /// Whether the builder is one of a pattern, in which `*` stands for any text.
    pub fn is_built_by(&self, pattern: &str) -> bool {
        matches(pattern, &self.builder)
    }

    /// Whether the sources are of a pattern, with or without the `git+` before an address.
    pub fn is_from(&self, pattern: &str) -> bool {
        let source = self.source.as_deref();
        source.is_some_and(|source| matches(pattern, source) || matches(pattern, source.trim_start_matches("git+")))
    }
}

/// Why nothing is known of how an image was built. The greater, the closer to being believed.
#[derive(Clone, Debug, Error, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProvenanceError {
    /// There is no signed provenance.
    #[error("it has no signed provenance")]
    Missing,
    /// What there is was not signed by the key.
    #[error("of its provenance: {0}")]
    Envelope(EnvelopeError),
    /// It was, and is of other images.
    #[error("its provenance is of another image: {0}")]
    Other(String),
}

/// Finds the provenance of a digest among verified envelopes.
///
/// # Errors
/// When none is accepted: the reason of the closest one.
pub fn find(
    digest: &Digest,
    opened: impl IntoIterator<Item = Result<Vec<u8>, EnvelopeError>>,
) -> Result<Provenance, ProvenanceError> {
    let mut reason = ProvenanceError::Missing;
    for statement in opened {
        let closer = match statement.map(|bytes| Provenance::read(&bytes)) {
            Ok(Some(found)) if found.is_about(digest) => return Ok(found),
            Ok(Some(found)) => ProvenanceError::Other(found.subjects.join(", ")),
            Ok(None) => ProvenanceError::Missing,
            Err(error) => ProvenanceError::Envelope(error),
        };
        reason = reason.max(closer);
    }
    Err(reason)
}

#[cfg(test)]
mod tests;
