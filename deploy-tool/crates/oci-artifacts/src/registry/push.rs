//! Edge: brings an image into a repository: blobs, then manifests, then the index, then what is attached to it, and the
//! tags last: whoever pulls by a tag gets the whole image, the old one or the new one.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use http::header::CONTENT_TYPE;
use http::{Method, StatusCode};
use serde::Serialize;

use super::connection::Connection;
use super::explain::Problem;
use super::progress::Progress;
use super::referrers;
use super::row::{Stage, bytes, row};
use super::transport::{Answer, Content, Request};
use super::upload::{same_digest, upload};
use crate::image::{Blob, Layout};
use diagnostics::Outcome;

/// How many blobs are on their way at once.
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
    pub digest: String,
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
}

impl Pushed {
    /// What was done, for people.
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
) -> Outcome<Pushed> {
    Push {
        connection,
        progress,
        layout,
        from,
    }
    .run(tags)
    .await
    .map_err(|problem| connection.explain(&problem))
}

struct Push<'a> {
    connection: &'a Connection,
    progress: &'a dyn Progress,
    layout: &'a Layout,
    from: Option<&'a str>,
}

impl Push<'_> {
    async fn run(&self, tags: &[String]) -> Result<Pushed, Problem> {
        let root = &self.layout.root;
        let mut pushed = Pushed {
            reference: format!("{}@{}", self.connection.repository, root.digest),
            digest: root.digest.clone(),
            tags: tags.to_vec(),
            ..Pushed::default()
        };
        let mut missing = Vec::new();
        for manifest in self.layout.manifests.iter().chain([root]).chain(&self.layout.referrers) {
            if self.connection.digest_of(&manifest.digest).await?.as_deref() != Some(manifest.digest.as_str()) {
                missing.push(manifest);
            }
        }
        if !missing.is_empty() {
            pushed.changed = true;
            self.blobs(&mut pushed).await?;
        }
        for manifest in missing {
            self.progress.activity(&format!("manifest {}", manifest.digest));
            let answer = self.put(manifest, &manifest.digest).await?;
            // A registry that says whose referrer it is keeps account of it.
            if let (Some(tag), None) = (referrers::tag(manifest), answer.header("oci-subject")) {
                self.list(manifest, &tag).await?;
            }
        }
        for tag in tags {
            if self.connection.digest_of(tag).await?.as_deref() != Some(root.digest.as_str()) {
                self.progress.activity(&format!("tag {tag}"));
                self.put(root, tag).await?;
                pushed.changed = true;
            }
        }
        Ok(pushed)
    }

    /// Brings all blobs there, several at a time, with a row each.
    async fn blobs(&self, pushed: &mut Pushed) -> Result<(), Problem> {
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
            let shown = rows.iter().map(|one| {
                let stage = match *one.stage.borrow() {
                    Stage::Moving(_) => Stage::Moving(one.sent.load(Ordering::Relaxed)),
                    settled => settled,
                };
                row(role(&one.blob.media_type), &one.blob.digest, one.blob.size, stage)
            });
            self.progress.blobs(shown.collect());
        };
        let uploads = futures::stream::iter(&rows)
            .map(async |one| {
                one.stage.replace(Stage::Moving(0));
                let stage = upload(self.connection, &one.blob, self.from, one.sent.clone()).await?;
                one.stage.replace(stage);
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
        for one in &rows {
            match *one.stage.borrow() {
                Stage::Uploaded => {
                    pushed.uploaded_blobs += 1;
                    pushed.uploaded_bytes += one.blob.size;
                }
                Stage::Mounted => pushed.mounted_blobs += 1,
                _ => {}
            }
        }
        result
    }

    async fn put(&self, manifest: &Blob, name: &str) -> Result<Answer, Problem> {
        let mut request = Request::new(Method::PUT, self.connection.at(&format!("manifests/{name}"))?);
        request.headers = vec![(CONTENT_TYPE, manifest.media_type.clone())];
        request.content = Content::Bytes(manifest.bytes().into());
        let answer = self.connection.send(&request).await?;
        match answer.status {
            StatusCode::CREATED => same_digest(&answer, &manifest.digest).map(|()| answer),
            _ => Err(Problem::Refused(answer.refusal())),
        }
    }

    /// Keeps account of a referrer for a registry that does not.
    async fn list(&self, manifest: &Blob, tag: &str) -> Result<(), Problem> {
        let before = self.connection.manifest(tag).await?;
        if let Some(list) = referrers::with(before.as_ref().map(Blob::bytes), manifest) {
            self.put(&Blob::of(referrers::INDEX, list), tag).await?;
        }
        Ok(())
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
