//! A revision as the Secret that keeps it in the cluster: compressed, labelled, and with the time of its last renewal.
//!
//! A Secret rather than a ConfigMap, because manifests may hold secrets: who may not read those may not read this.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::{Deserialize, Serialize};

use super::{Name, Revision};
use diagnostics::code;
use diagnostics::{Error, Result};

/// The type of the Secrets.
pub const SECRET_TYPE: &str = "deploy-tool.dev/revision";
/// Label: the release's name.
pub const RELEASE_LABEL: &str = "deploy-tool.dev/release";
/// Label: the revision's number.
pub const REVISION_LABEL: &str = "deploy-tool.dev/revision";
/// Label: how far it came.
pub const STATE_LABEL: &str = "deploy-tool.dev/state";
/// Annotation: when the lease was renewed last.
pub const RENEWED_ANNOTATION: &str = "deploy-tool.dev/renewed";
/// The key of the Secret's data.
pub const DATA_KEY: &str = "revision";
/// Written into each; raised when a field changes its meaning.
const SCHEMA: &str = "deploy-tool.dev/revision/v1";
/// <https://kubernetes.io/docs/concepts/configuration/secret/#restriction-data-size>
const MOST_BYTES: usize = 1024 * 1024;
/// What a revision may be when it is unpacked: a Secret that was made to fill the memory is cut off here.
const MOST_TEXT_BYTES: u64 = 64 * 1024 * 1024;

/// A revision, and the metadata of its Secret.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The revision.
    pub revision: Revision,
    /// The Secret's uid, a precondition of its deletion.
    pub uid: String,
    /// The Secret's resourceVersion, a precondition of writes.
    pub version: String,
    /// When the lease was renewed last.
    pub renewed: Timestamp,
}

#[derive(Serialize)]
struct StoredRevision<'a> {
    schema: &'a str,
    #[serde(flatten)]
    revision: &'a Revision,
}

#[derive(Deserialize)]
struct Schema {
    schema: String,
}

/// The name of the Secret of a revision.
pub fn secret_name(release: &Name, number: u32) -> String {
    format!("deploy-tool.{}.{number}", release.name)
}

/// The Secret of a revision.
///
/// # Errors
/// When the revision is larger than a Secret may be.
pub fn secret(release: &Name, revision: &Revision, renewed: Timestamp) -> Result<Secret> {
    let labels = [
        (RELEASE_LABEL, release.name.clone()),
        (REVISION_LABEL, revision.number.to_string()),
        (STATE_LABEL, revision.state.to_string()),
    ];
    Ok(Secret {
        metadata: ObjectMeta {
            name: Some(secret_name(release, revision.number)),
            namespace: Some(release.namespace.clone()),
            labels: Some(labels.map(|(key, value)| (key.to_owned(), value)).into()),
            annotations: Some([(RENEWED_ANNOTATION.to_owned(), renewed.to_string())].into()),
            ..ObjectMeta::default()
        },
        type_: Some(SECRET_TYPE.to_owned()),
        data: Some(BTreeMap::from([(
            DATA_KEY.to_owned(),
            ByteString(compress_revision(revision)?),
        )])),
        ..Secret::default()
    })
}

/// The revision in a Secret.
///
/// # Errors
/// When it is none that this version of the tool can read.
pub fn record(secret: &Secret) -> Result<Record> {
    let metadata = &secret.metadata;
    let name = metadata.name.as_deref().unwrap_or_default();
    let unreadable = |cause: &dyn std::fmt::Display| {
        let namespace = metadata.namespace.as_deref().unwrap_or_default();
        Error::cluster(format!("the revision in Secret `{name}` cannot be read"))
            .code(&code::release::UNREADABLE_REVISION)
            .cause(cause)
            .hint("use the version of deploy-tool that has written it, or a newer one")
            .hint(format!(
                "or give the record up, not the objects: `kubectl delete secret --namespace {namespace} {name}`"
            ))
    };
    let packed = secret.data.as_ref().and_then(|data| data.get(DATA_KEY));
    let packed = packed.ok_or_else(|| unreadable(&format!("it has no data under `{DATA_KEY}`")))?;
    let mut text = Vec::new();
    GzDecoder::new(packed.0.as_slice())
        .take(MOST_TEXT_BYTES)
        .read_to_end(&mut text)
        .map_err(|error| unreadable(&error))?;
    let written: Schema = serde_json::from_slice(&text).map_err(|error| unreadable(&error))?;
    if written.schema != SCHEMA {
        return Err(unreadable(&format!(
            "its form is {}, and this version knows {SCHEMA}",
            written.schema
        )));
    }
    let revision: Revision = serde_json::from_slice(&text).map_err(|error| unreadable(&error))?;
    let renewed = metadata
        .annotations
        .as_ref()
        .and_then(|all| all.get(RENEWED_ANNOTATION)?.parse().ok());
    Ok(Record {
        uid: metadata.uid.clone().unwrap_or_default(),
        version: metadata.resource_version.clone().unwrap_or_default(),
        renewed: renewed.unwrap_or(revision.created),
        revision,
    })
}

/// The data of a revision's Secret.
///
/// # Errors
/// When it is larger than a Secret may be.
pub fn compress_revision(revision: &Revision) -> Result<Vec<u8>> {
    let impossible = |error: &dyn std::fmt::Display| {
        Error::input(format!("revision {} cannot be recorded", revision.number)).cause(error)
    };
    let written = StoredRevision {
        schema: SCHEMA,
        revision,
    };
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    serde_json::to_writer(&mut encoder, &written).map_err(|error| impossible(&error))?;
    encoder.flush().map_err(|error| impossible(&error))?;
    let bytes = encoder.finish().map_err(|error| impossible(&error))?;
    if bytes.len() > MOST_BYTES {
        return Err(impossible(&format!(
            "the manifests are {} KiB when compressed, and a Secret takes {} KiB",
            bytes.len() / 1024,
            MOST_BYTES / 1024
        ))
        .code(&code::release::REVISION_TOO_LARGE)
        .hint("divide the manifests into several releases: `--release NAME` names each"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::tests::{release, revision};
    use diagnostics::ExitStatus;

    #[test]
    fn a_revision_comes_back_as_it_was() {
        let renewed: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let mut secret = secret(&release(), &revision(3), renewed).unwrap();
        assert_eq!(secret.metadata.name.as_deref(), Some("deploy-tool.shop.3"));
        let labels = secret.metadata.labels.clone().unwrap();
        assert_eq!(labels[RELEASE_LABEL], "shop");
        assert_eq!(
            (labels[REVISION_LABEL].as_str(), labels[STATE_LABEL].as_str()),
            ("3", "deployed")
        );
        secret.metadata.uid = Some("u".into());
        secret.metadata.resource_version = Some("77".into());
        let expected = Record {
            revision: revision(3),
            uid: "u".into(),
            version: "77".into(),
            renewed,
        };
        assert_eq!(record(&secret).unwrap(), expected);
    }

    #[test]
    fn what_cannot_be_read_says_what_to_do() {
        let good = secret(&release(), &revision(1), Timestamp::UNIX_EPOCH).unwrap();
        let with = |bytes: Vec<u8>| Secret {
            data: Some([(DATA_KEY.to_owned(), ByteString(bytes))].into()),
            ..good.clone()
        };
        let gzip = |text: &str| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap()
        };
        let cases = [
            (
                Secret {
                    data: None,
                    ..good.clone()
                },
                "no data under `revision`",
            ),
            (with(b"no gzip, and long enough for a header".to_vec()), "gzip"),
            (with(gzip("{}")), "schema"),
            (with(gzip(r#"{"schema":"deploy-tool.dev/revision/v9"}"#)), "revision/v9"),
            (with(gzip(&format!(r#"{{"schema":"{SCHEMA}"}}"#))), "number"),
        ];
        for (secret, expected) in cases {
            let failure = record(&secret).unwrap_err();
            let text = failure.to_string();
            assert!(
                text.contains(expected) && text.contains("kubectl delete secret --namespace shop deploy-tool.shop.1"),
                "{text}"
            );
            assert_eq!(failure.number(), Some(&code::release::UNREADABLE_REVISION));
        }
    }

    #[test]
    fn what_no_secret_can_hold_is_refused() {
        let mut large = revision(1);
        // Text that does not compress: a congruential sequence.
        let mut state = 1_u64;
        let text: String = (0..1_600_000)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                char::from(b'!' + (state >> 33) as u8 % 90)
            })
            .collect();
        large.objects[0].data["data"] = serde_json::json!({"large": text});
        let failure = compress_revision(&large).unwrap_err();
        assert_eq!(
            (failure.status, failure.number()),
            (ExitStatus::Input, Some(&code::release::REVISION_TOO_LARGE))
        );
        assert!(failure.to_string().contains("--release NAME"), "{failure}");
    }
}
