//! Edge: downloads manifests and blobs of a repository, and verifies their digests.
//!
//! <https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pull>

use std::path::Path;

use futures::StreamExt;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Method, StatusCode};

use super::connection::Connection;
use super::error::RegistryError;
use super::http_client::{Request, Response, Saved};
use super::referrers;
use crate::Digest;
use crate::image::Blob;
use crate::image::specification::{Descriptor, media_type};

/// The accepted media types of manifests.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

/// Limit of concurrent requests for manifests.
const PARALLEL: usize = 4;
/// More belongs to no image: who attaches more wants to keep readers busy.
const MOST_MANIFESTS: usize = 200;
/// Limit of the manifests of an image with its referrers, which usually have a few kilobytes.
const MOST_MANIFEST_BYTES: u64 = 32 << 20;

impl Connection {
    /// A manifest or index by its digest or tag, if the registry has it.
    ///
    /// # Errors
    /// When it cannot be read, or its digest does not match.
    pub async fn manifest(&self, name: &str) -> Result<Option<Blob>, RegistryError> {
        let answer = self.content(&format!("manifests/{name}"), name).await?;
        Ok(answer.map(|answer| {
            let kind = kind(&answer);
            Blob::from_bytes(&kind, answer.body)
        }))
    }

    /// The digest behind a digest or tag, if the registry has it.
    ///
    /// # Errors
    /// When the request fails.
    pub async fn fetch_digest(&self, name: &str) -> Result<Option<Digest>, RegistryError> {
        let answer = self.ask(Method::HEAD, &format!("manifests/{name}")).await?;
        match answer.status {
            StatusCode::OK => Ok(answer
                .header("docker-content-digest")
                .and_then(|text| text.parse().ok())),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(RegistryError::Refused(answer.refusal())),
        }
    }

    /// A blob of at most four megabytes by its digest, if the registry has it.
    ///
    /// # Errors
    /// When it cannot be read, or its digest does not match.
    pub async fn document(&self, digest: &Digest) -> Result<Option<Vec<u8>>, RegistryError> {
        let answer = self.content(&format!("blobs/{digest}"), digest.as_str()).await?;
        Ok(answer.map(|answer| answer.body))
    }

    /// Downloads a blob of any size into a file. Returns whether the registry has it.
    ///
    /// # Errors
    /// When it cannot be read or written, or has another digest than asked for.
    pub async fn save(&self, blob: &Descriptor, path: &Path) -> Result<bool, RegistryError> {
        let mut request = Request::new(Method::GET, self.at(&format!("blobs/{}", blob.digest))?);
        request.save = Some(Saved {
            path: path.to_owned(),
            most_bytes: blob.size,
        });
        let answer = self.send(&request).await?;
        match answer.status {
            StatusCode::OK => {
                let found = std::fs::File::open(path).and_then(Digest::of_reader);
                let found = found.map_err(|error| RegistryError::LocalFile(format!("{}: {error}", path.display())))?;
                check_digest(&found, blob.digest.as_str()).map(|()| true)
            }
            StatusCode::NOT_FOUND => Ok(false),
            _ => Err(RegistryError::Refused(answer.refusal())),
        }
    }

    /// The referrers of a digest: by the API or, where the registry does not support it, by the referrers tag. Manifests in
    /// that list with another subject are left out.
    /// <https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers>
    ///
    /// # Errors
    /// When the request fails.
    pub async fn referrers(&self, digest: &Digest) -> Result<Vec<Blob>, RegistryError> {
        let answer = self.ask(Method::GET, &format!("referrers/{digest}")).await?;
        let listed = match answer.status {
            StatusCode::OK => referrers::listed(&kind(&answer), &answer.body),
            _ => None,
        };
        let listed = match listed {
            Some(listed) => listed,
            None => {
                let list = self.manifest(&digest.to_tag()).await?;
                let listed = list.and_then(|list| referrers::listed(&list.media_type, list.bytes()));
                listed.unwrap_or_default()
            }
        };
        let found = self.manifests(&listed).await?;
        Ok(found
            .into_iter()
            .filter(|manifest| referrers::subject(manifest).as_ref() == Some(digest))
            .collect())
    }

    /// Manifests by their digests or tags, as many of them as are there.
    ///
    /// # Errors
    /// When they cannot be read, or are so large together that they are made to fill the memory of their reader.
    pub async fn manifests(&self, names: &[impl AsRef<str>]) -> Result<Vec<Blob>, RegistryError> {
        let found = futures::stream::iter(names.iter().take(MOST_MANIFESTS)).map(|name| self.manifest(name.as_ref()));
        let mut found = std::pin::pin!(found.buffered(PARALLEL));
        let (mut manifests, mut bytes) = (Vec::new(), 0);
        while let Some(manifest) = found.next().await {
            // A list may still name what has been deleted.
            if let Some(manifest) = manifest? {
                bytes += manifest.size;
                manifests.push(manifest);
            }
            if bytes > MOST_MANIFEST_BYTES {
                let why = format!("its manifests have more than {} MB together", MOST_MANIFEST_BYTES >> 20);
                return Err(RegistryError::DigestMismatch(why));
            }
        }
        Ok(manifests)
    }

    async fn content(&self, path: &str, name: &str) -> Result<Option<Response>, RegistryError> {
        let answer = self.ask(Method::GET, path).await?;
        match answer.status {
            StatusCode::OK if name.contains(':') => {
                check_digest(&Digest::of(&answer.body), name).map(|()| Some(answer))
            }
            StatusCode::OK => Ok(Some(answer)),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(RegistryError::Refused(answer.refusal())),
        }
    }

    async fn ask(&self, method: Method, path: &str) -> Result<Response, RegistryError> {
        let mut request = Request::new(method, self.at(path)?);
        request.headers = vec![(ACCEPT, MANIFESTS.to_owned())];
        self.send(&request).await
    }
}

/// The media type of a document, by its Content-Type.
fn kind(answer: &Response) -> String {
    let header = answer.header(CONTENT_TYPE).unwrap_or_default();
    let header = header.split(';').next().unwrap_or_default().trim();
    media_type(&answer.body).unwrap_or_else(|| header.to_owned())
}

fn check_digest(found: &Digest, expected: &str) -> Result<(), RegistryError> {
    if *found == *expected {
        Ok(())
    } else {
        Err(RegistryError::DigestMismatch(format!(
            "it gives {found} for {expected}"
        )))
    }
}
