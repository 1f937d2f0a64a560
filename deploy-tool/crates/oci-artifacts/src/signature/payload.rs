//! The signed document: “simple signing”, with the digest and the repository of an image.
//!
//! <https://github.com/containers/image/blob/main/docs/containers-signature.5.md>

use serde::{Deserialize, Serialize};

use crate::Digest;

/// The media type of the document.
pub const MEDIA_TYPE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const KIND: &str = "cosign container image signature";

/// The content of a signature.
#[derive(Debug, Deserialize, Serialize)]
pub struct Payload {
    critical: Critical,
    optional: Option<serde_json::Map<String, serde_json::Value>>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Critical {
    identity: Identity,
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Debug, Deserialize, Serialize)]
struct Identity {
    #[serde(rename = "docker-reference")]
    docker_reference: String,
}

#[derive(Debug, Deserialize, Serialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    docker_manifest_digest: Digest,
}

impl Payload {
    /// Of an image that is in a repository.
    pub fn new(repository: &str, digest: &Digest) -> Self {
        Self {
            critical: Critical {
                identity: Identity {
                    docker_reference: repository.to_owned(),
                },
                image: Image {
                    docker_manifest_digest: digest.clone(),
                },
                kind: KIND.to_owned(),
            },
            optional: None,
        }
    }

    /// The digest it is about; none when it is a document of another kind.
    pub fn digest(&self) -> Option<&Digest> {
        (self.critical.kind == KIND).then_some(&self.critical.image.docker_manifest_digest)
    }
}

impl Payload {
    /// The repository that it names. It may be empty.
    pub fn repository(&self) -> &str {
        &self.critical.identity.docker_reference
    }
}

/// The tags of cosign's attachments to a digest: signatures, attestations, bills of materials.
pub fn tags(digest: &Digest) -> [String; 3] {
    [tag(digest), statements_tag(digest), tag_with(digest, "sbom")]
}

/// The tag under which the signatures of a digest are.
pub fn tag(digest: &Digest) -> String {
    tag_with(digest, "sig")
}

/// The tag under which the signed statements about a digest are.
pub fn statements_tag(digest: &Digest) -> String {
    tag_with(digest, "att")
}

fn tag_with(digest: &Digest, ending: &str) -> String {
    format!("{}.{ending}", digest.to_tag())
}
