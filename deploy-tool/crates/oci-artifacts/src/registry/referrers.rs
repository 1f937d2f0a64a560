//! Pure: what is attached to an image, for registries that do not keep account of it themselves.
//!
//! <https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema>

use serde::Deserialize;
use serde_json::{Value, json};

use crate::image::Blob;

/// The media type of the list.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A manifest that is about another one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Referrer {
    subject: Subject,
    artifact_type: Option<String>,
    config: Option<Subject>,
    annotations: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subject {
    media_type: String,
    digest: String,
}

/// The tag of the list: `sha256-…` of what it is about.
pub fn tag(manifest: &Blob) -> Option<String> {
    let referrer: Referrer = serde_json::from_slice(manifest.bytes()).ok()?;
    Some(referrer.subject.digest.replacen(':', "-", 1))
}

/// The list with a manifest on it; none when it is there already. `before` is the list as it was, if there was one.
pub fn with(before: Option<&[u8]>, manifest: &Blob) -> Option<Vec<u8>> {
    let referrer: Referrer = serde_json::from_slice(manifest.bytes()).ok()?;
    let mut list = before
        .and_then(|bytes| serde_json::from_slice::<Value>(bytes).ok())
        .filter(|list| list["manifests"].is_array())
        .unwrap_or_else(|| json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}));
    let manifests = list["manifests"].as_array_mut()?;
    if manifests
        .iter()
        .any(|entry| entry["digest"] == manifest.digest.as_str())
    {
        return None;
    }
    let kind = referrer
        .artifact_type
        .or(referrer.config.map(|config| config.media_type));
    let mut entry = json!({"mediaType": manifest.media_type, "digest": manifest.digest, "size": manifest.size});
    entry["artifactType"] = json!(kind);
    if let Some(annotations) = referrer.annotations {
        entry["annotations"] = annotations;
    }
    manifests.push(entry);
    Some(list.to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::BlobSource;

    fn manifest(digest: &str, text: &str) -> Blob {
        Blob {
            media_type: "application/vnd.oci.image.manifest.v1+json".into(),
            digest: digest.into(),
            size: text.len() as u64,
            source: BlobSource::Bytes(text.as_bytes().to_vec()),
        }
    }

    #[test]
    fn the_list_grows_and_names_each_once() {
        let text = r#"{"subject":{"mediaType":"m","digest":"sha256:1","size":1},"artifactType":"sbom","annotations":{"a":"b"}}"#;
        let (one, two) = (manifest("sha256:a", text), manifest("sha256:b", text));
        assert_eq!(tag(&one).as_deref(), Some("sha256-1"));
        let first = with(None, &one).unwrap();
        assert_eq!(with(Some(&first), &one), None);
        let second: Value = serde_json::from_slice(&with(Some(&first), &two).unwrap()).unwrap();
        assert_eq!(second["manifests"][0]["artifactType"], "sbom");
        assert_eq!(second["manifests"][1]["digest"], "sha256:b");
        assert_eq!(second["manifests"][1]["annotations"]["a"], "b");
        // What is no list is replaced.
        assert!(with(Some(b"<html>"), &one).is_some());
    }

    #[test]
    fn images_are_about_nothing() {
        let image = manifest("sha256:a", r#"{"config":{"mediaType":"m","digest":"d","size":1}}"#);
        assert_eq!((tag(&image), with(None, &image)), (None, None));
    }
}
