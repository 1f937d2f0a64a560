//! Edge: pushes an image to a repository: blobs, manifests, the index, the referrers, and the tags last, so that a pull by tag
//! always gets a complete image, the old or the new one.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use http::header::CONTENT_TYPE;
use http::{Method, StatusCode};
use serde::Serialize;

use super::connection::Connection;
use super::error::{Refusal, RegistryError};
use super::http_client::{Content, Request, Response};
use super::referrers;
use super::upload::{same_digest, upload};
use super::upload_progress::Progress;
use super::upload_progress::{Stage, blob_row};
use crate::Digest;
use crate::image::specification::{INDEX, Manifest};
use crate::image::{Blob, Layout, artifact};
use diagnostics::Result;
use diagnostics::size::bytes;

/// Limit of concurrent uploads.
const PARALLEL: usize = 4;
/// How often the progress is looked at.
const GLANCE: Duration = Duration::from_millis(100);

/// What has been pushed. As JSON it is the `data` of the result of `push --output json`.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pushed {
    /// The exact reference: the repository and the digest.
    pub reference: String,
    /// The digest of the image.
    pub digest: Digest,
    /// The tags that name it now.
    pub tags: Vec<String>,
    /// How many blobs were uploaded.
    pub uploaded_blobs: usize,
    /// How many bytes these have.
    pub uploaded_bytes: u64,
    /// How many blobs the registry took from another repository.
    pub mounted_blobs: usize,
    /// Whether anything in the registry is other than before.
    pub changed: bool,
    /// The referrers that the registry refuses.
    #[serde(skip)]
    pub warnings: Vec<String>,
}

impl Pushed {
    /// A message about the result.
    pub fn sentence(&self) -> String {
        let blobs = |count: usize| format!("{count} blob{}", if count == 1 { "" } else { "s" });
        let did = match (self.changed, self.uploaded_blobs, self.mounted_blobs) {
            (false, ..) => "unchanged, it was there already".to_owned(),
            (true, 0, 0) => "no blob moved, tags and manifests set".to_owned(),
            (true, uploaded, 0) => format!("uploaded {} ({})", blobs(uploaded), bytes(self.uploaded_bytes)),
            (true, 0, mounted) => format!("took {} from another repository", blobs(mounted)),
            (true, uploaded, mounted) => format!(
                "uploaded {} ({}), took {} from another repository",
                blobs(uploaded),
                bytes(self.uploaded_bytes),
                blobs(mounted)
            ),
        };
        format!("pushed {}: {did}", self.reference)
    }
}

/// Pushes an image. `from` is another repository of the registry that may have some of its blobs.
///
/// # Errors
/// When it cannot be pushed, after all attempts; then every tag is as it was.
pub async fn push(
    connection: &Connection,
    progress: &dyn Progress,
    layout: &Layout,
    tags: &[String],
    from: Option<&str>,
) -> Result<Pushed> {
    Push {
        connection,
        progress,
        layout,
        from,
    }
    .run(tags)
    .await
    .map_err(|error| connection.explain(&error))
}

struct Push<'a> {
    connection: &'a Connection,
    progress: &'a dyn Progress,
    layout: &'a Layout,
    from: Option<&'a str>,
}

impl Push<'_> {
    async fn run(&self, tags: &[String]) -> Result<Pushed, RegistryError> {
        let root = &self.layout.root;
        let mut pushed = Pushed {
            reference: format!("{}@{}", self.connection.repository, root.digest),
            digest: root.digest.clone(),
            tags: tags.to_vec(),
            ..Pushed::default()
        };
        let mut missing = Vec::new();
        for manifest in self.layout.manifests.iter().chain([root]).chain(&self.layout.referrers) {
            if self.connection.fetch_digest(manifest.digest.as_str()).await?.as_ref() != Some(&manifest.digest) {
                missing.push(manifest);
            }
        }
        if !missing.is_empty() {
            self.blobs(&mut pushed).await?;
            pushed.changed = pushed.uploaded_blobs + pushed.mounted_blobs > 0;
        }
        for manifest in missing {
            self.progress.activity(&format!("manifest {}", manifest.digest));
            match self.manifest(manifest).await {
                Ok(()) => pushed.changed = true,
                // Older registries refuse referrers; the image is pushed all the same.
                Err(RegistryError::Refused(refusal) | RegistryError::Forbidden(refusal))
                    if self.layout.referrers.contains(manifest) && refusal.status.is_client_error() =>
                {
                    pushed.warnings.push(self.not_attached(manifest, &refusal));
                }
                Err(error) => return Err(error),
            }
        }
        for tag in tags {
            if self.connection.fetch_digest(tag).await?.as_ref() != Some(&root.digest) {
                self.progress.activity(&format!("tag {tag}"));
                self.put(root, tag).await?;
                pushed.changed = true;
            }
        }
        Ok(pushed)
    }

    /// Brings all blobs there, several at a time, with a row each.
    async fn blobs(&self, pushed: &mut Pushed) -> Result<(), RegistryError> {
        struct Row {
            blob: Arc<Blob>,
            sent: Arc<AtomicU64>,
            stage: RefCell<Stage>,
        }
        let rows: Vec<Row> = self
            .layout
            .blobs
            .iter()
            .map(|blob| Row {
                blob: Arc::new(blob.clone()),
                sent: Arc::default(),
                stage: RefCell::new(Stage::Queued),
            })
            .collect();
        let show = || {
            let shown = rows.iter().map(|row| {
                let stage = match *row.stage.borrow() {
                    Stage::Moving(_) => Stage::Moving(row.sent.load(Ordering::Relaxed)),
                    settled => settled,
                };
                blob_row(role(&row.blob.media_type), &row.blob.digest, row.blob.size, stage)
            });
            self.progress.blobs(shown.collect());
        };
        let uploads = futures::stream::iter(&rows)
            .map(async |row| {
                row.stage.replace(Stage::Moving(0));
                let stage = upload(self.connection, &row.blob, self.from, row.sent.clone()).await?;
                row.stage.replace(stage);
                Ok(())
            })
            .buffer_unordered(PARALLEL)
            .try_collect::<()>();
        let mut uploads = std::pin::pin!(uploads);
        let mut glance = tokio::time::interval(GLANCE);
        let result = loop {
            tokio::select! {
                result = &mut uploads => break result,
                _ = glance.tick() => show(),
            }
        };
        show();
        for row in &rows {
            match *row.stage.borrow() {
                Stage::Uploaded => {
                    pushed.uploaded_blobs += 1;
                    pushed.uploaded_bytes += row.blob.size;
                }
                Stage::Mounted => pushed.mounted_blobs += 1,
                _ => {}
            }
        }
        result
    }

    /// Pushes a manifest, and adds it to the referrers tag of its subject, where the registry does not support referrers.
    async fn manifest(&self, manifest: &Blob) -> Result<(), RegistryError> {
        let answer = self.put(manifest, manifest.digest.as_str()).await?;
        match (referrers::subject(manifest), answer.header("oci-subject")) {
            (Some(subject), None) => self.list(manifest, &subject).await,
            _ => Ok(()),
        }
    }

    fn not_attached(&self, manifest: &Blob, refusal: &Refusal) -> String {
        let what = Manifest::from_blob(manifest)
            .ok()
            .and_then(|read| artifact::artifact(&read));
        let what = what.unwrap_or_else(|| manifest.digest.to_string());
        format!(
            "`{}` does not take {what}, which is attached to the image: {}. The image is there without it: `inspect` does not \
             show it; without provenance, `sign` signs the image alone, and `verify --builder` refuses it",
            self.connection.repository.registry,
            refusal.sentence()
        )
    }

    async fn put(&self, manifest: &Blob, name: &str) -> Result<Response, RegistryError> {
        let mut request = Request::new(Method::PUT, self.connection.at(&format!("manifests/{name}"))?);
        request.headers = vec![(CONTENT_TYPE, manifest.media_type.clone())];
        request.content = Content::Bytes(manifest.bytes().into());
        let answer = self.connection.send(&request).await?;
        match answer.status {
            StatusCode::CREATED => same_digest(&answer, &manifest.digest).map(|()| answer),
            _ => Err(RegistryError::Refused(answer.refusal())),
        }
    }

    /// Keeps account of a referrer for a registry that does not.
    async fn list(&self, manifest: &Blob, subject: &Digest) -> Result<(), RegistryError> {
        let tag = subject.to_tag();
        let before = self.connection.manifest(&tag).await?;
        let listed = before
            .as_ref()
            .and_then(|before| referrers::listed(&before.media_type, before.bytes()))
            .unwrap_or_default();
        let has_other_subject = |found: &&Blob| referrers::subject(found).as_ref() != Some(subject);
        let found = self.connection.manifests(&listed).await?;
        let unrelated: Vec<Digest> = found
            .iter()
            .filter(has_other_subject)
            .map(|found| found.digest.clone())
            .collect();
        match referrers::add_referrer(before.as_ref(), &unrelated, manifest) {
            Ok(Some(list)) => self.put(&Blob::from_bytes(INDEX, list), &tag).await.map(drop),
            Ok(None) => Ok(()),
            Err(referrers::OtherManifest) => Err(RegistryError::Refused(Refusal::new(
                StatusCode::CONFLICT,
                format!("the tag `{tag}`, where the list of what is attached would be, names something else")
                    .as_bytes(),
                None,
            ))),
        }
    }
}

/// What a blob is, for people.
fn role(media_type: &str) -> &'static str {
    match media_type {
        _ if media_type.contains("config") => "configuration",
        _ if media_type.contains("layer") || media_type.contains("rootfs") => "layer",
        _ => "attachment",
    }
}
