//! Pure: the referrers tag of an image, for registries without the referrers API.
//!
//! <https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema>

use serde::Deserialize;
use serde_json::{Value, json};

use crate::Digest;
use crate::image::Blob;
use crate::image::specification::INDEX;

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
    #[serde(default)]
    media_type: String,
    #[serde(default)]
    digest: String,
}

#[derive(Deserialize)]
struct List {
    manifests: Vec<Subject>,
}

/// What a manifest is about.
pub fn subject(manifest: &Blob) -> Option<Digest> {
    let referrer: Referrer = serde_json::from_slice(manifest.bytes()).ok()?;
    referrer.subject.digest.parse().ok()
}

/// The digests on a list, if it is one: some registries answer with a web page, or with the image that the list is about. An
/// entry that names none hides no other.
pub fn listed(media_type: &str, list: &[u8]) -> Option<Vec<Digest>> {
    let list: List = serde_json::from_slice(list).ok().filter(|_| media_type == INDEX)?;
    let digests = list.manifests.into_iter().map(|entry| entry.digest.parse().ok());
    Some(digests.flatten().collect())
}

/// The referrers tag is used for another manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtherManifest;

/// The list with a manifest added, and without `unrelated`, which have another subject; none if it does not change. `before` is
/// the present manifest under the tag.
///
/// # Errors
/// When that is no such list.
pub fn add_referrer(
    before: Option<&Blob>,
    unrelated: &[Digest],
    manifest: &Blob,
) -> Result<Option<Vec<u8>>, OtherManifest> {
    let Ok(referrer) = serde_json::from_slice::<Referrer>(manifest.bytes()) else {
        return Ok(None);
    };
    // GitLab takes the tag for the digest, and answers with the image itself.
    let before = before.filter(|before| before.digest != *referrer.subject.digest);
    let mut list = match before {
        None => json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}),
        Some(blob) if blob.media_type == INDEX => serde_json::from_slice(blob.bytes()).map_err(|_| OtherManifest)?,
        Some(_) => return Err(OtherManifest),
    };
    let manifests = list
        .get_mut("manifests")
        .and_then(Value::as_array_mut)
        .ok_or(OtherManifest)?;
    let count = manifests.len();
    manifests.retain(|entry| !unrelated.iter().any(|digest| entry["digest"] == digest.as_str()));
    let is_there = manifests
        .iter()
        .any(|entry| entry["digest"] == manifest.digest.as_str());
    if is_there && manifests.len() == count {
        return Ok(None);
    }
    let kind = referrer
        .artifact_type
        .or(referrer.config.map(|config| config.media_type));
    let mut entry = json!({"mediaType": manifest.media_type, "digest": manifest.digest, "size": manifest.size});
    entry["artifactType"] = json!(kind);
    if let Some(annotations) = referrer.annotations {
        entry["annotations"] = annotations;
    }
    manifests.extend((!is_there).then_some(entry));
    Ok(Some(list.to_string().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::BlobSource;

    /// 64 digits, all of them the same.
    fn digest(digit: char) -> Digest {
        format!("sha256:{}", digit.to_string().repeat(64)).parse().unwrap()
    }

    fn manifest(digit: char, text: &str) -> Blob {
        Blob {
            media_type: "application/vnd.oci.image.manifest.v1+json".into(),
            digest: digest(digit),
            size: text.len() as u64,
            source: BlobSource::Bytes(text.as_bytes().to_vec()),
        }
    }

    #[test]
    fn the_list_grows_and_names_each_once() {
        let about = digest('1');
        let text = format!(
            r#"{{"subject":{{"mediaType":"m","digest":"{about}","size":1}},"artifactType":"sbom","annotations":{{"a":"b"}}}}"#
        );
        let (sbom_a, sbom_b) = (manifest('a', &text), manifest('b', &text));
        assert_eq!(subject(&sbom_a), Some(about));
        let list = |bytes: Vec<u8>| Blob::from_bytes(INDEX, bytes);
        let first = list(add_referrer(None, &[], &sbom_a).unwrap().unwrap());
        assert_eq!(add_referrer(Some(&first), &[], &sbom_a), Ok(None));
        let second = list(add_referrer(Some(&first), &[], &sbom_b).unwrap().unwrap());
        let read: Value = serde_json::from_slice(second.bytes()).unwrap();
        assert_eq!(read["manifests"][0]["artifactType"], "sbom");
        assert_eq!(read["manifests"][1]["digest"], *digest('b').as_str());
        assert_eq!(read["manifests"][1]["annotations"]["a"], "b");
        assert_eq!(listed(INDEX, second.bytes()), Some(vec![digest('a'), digest('b')]));
        // What is about something else leaves it.
        let without = add_referrer(Some(&second), &[digest('a')], &sbom_b).unwrap().unwrap();
        assert_eq!(listed(INDEX, &without), Some(vec![digest('b')]));
    }

    #[test]
    fn only_a_list_is_a_list() {
        let text = format!(
            r#"{{"subject":{{"mediaType":"m","digest":"{}","size":1}}}}"#,
            digest('1')
        );
        let referrer = manifest('a', &text);
        let image = manifest('1', r#"{"config":{"mediaType":"m","digest":"d","size":1},"layers":[]}"#);
        for (media_type, text, expected) in [
            ("text/html", "<!doctype html>", None),
            (INDEX, "<!doctype html>", None),
            ("application/json", r#"{"manifests":[]}"#, None),
            (image.media_type.as_str(), r#"{"manifests":[]}"#, None),
            (INDEX, r#"{"errors":[]}"#, None),
            (INDEX, r#"{"schemaVersion":2,"manifests":[]}"#, Some(vec![])),
            (INDEX, r#"{"manifests":[{"digest":"../x"}]}"#, Some(vec![])),
        ] {
            assert_eq!(listed(media_type, text.as_bytes()), expected, "{media_type} {text}");
        }
        // The image that it would be about is no list, and nobody's: another manifest is somebody's.
        assert!(add_referrer(Some(&image), &[], &referrer).unwrap().is_some());
        assert_eq!(
            add_referrer(Some(&manifest('2', "{}")), &[], &referrer),
            Err(OtherManifest)
        );
        for wrong in ["{}", "[]", "1", r#"{"manifests":{}}"#] {
            let wrong = Blob::from_bytes(INDEX, wrong.as_bytes().to_vec());
            assert_eq!(add_referrer(Some(&wrong), &[], &referrer), Err(OtherManifest));
        }
    }

    #[test]
    fn images_are_about_nothing() {
        let image = manifest('a', r#"{"config":{"mediaType":"m","digest":"d","size":1}}"#);
        assert_eq!((subject(&image), add_referrer(None, &[], &image)), (None, Ok(None)));
    }
}
