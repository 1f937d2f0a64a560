//! Edge: reads manifests and blobs of a repository, and proves that they are what was asked for.
//!
//! <https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pull>

use std::path::Path;

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Method, StatusCode};

use super::connection::Connection;
use super::explain::Problem;
use super::transport::{Answer, Request, Saved};
use crate::digest;
use crate::image::specification::{Descriptor, Index, media_type};
use crate::image::{Blob, tag};

/// What is understood of manifests.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

impl Connection {
    /// A manifest or index by its digest or tag, if the registry has it.
    ///
    /// # Errors
    /// When it cannot be read, or has another digest than asked for.
    pub async fn manifest(&self, name: &str) -> Result<Option<Blob>, Problem> {
        let answer = self.content(&format!("manifests/{name}"), name).await?;
        Ok(answer.map(|answer| {
            let header = answer.header(CONTENT_TYPE).unwrap_or_default();
            let header = header.split(';').next().unwrap_or_default().trim();
            // The digest is of what the manifest says itself.
            let kind = media_type(&answer.body).unwrap_or_else(|| header.to_owned());
            Blob::of(&kind, answer.body)
        }))
    }

    /// The digest behind a digest or tag, if the registry has it.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn digest_of(&self, name: &str) -> Result<Option<String>, Problem> {
        let answer = self.ask(Method::HEAD, &format!("manifests/{name}")).await?;
        match answer.status {
            StatusCode::OK => Ok(answer.header("docker-content-digest").map(str::to_owned)),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(Problem::Refused(answer.refusal())),
        }
    }

    /// A blob of at most four megabytes by its digest, if the registry has it.
    ///
    /// # Errors
    /// When it cannot be read, or has another digest than asked for.
    pub async fn document(&self, digest: &str) -> Result<Option<Vec<u8>>, Problem> {
        let answer = self.content(&format!("blobs/{digest}"), digest).await?;
        Ok(answer.map(|answer| answer.body))
    }

    /// Brings a blob of any size into a file. Returns whether the registry has it.
    ///
    /// # Errors
    /// When it cannot be read or written, or has another digest than asked for.
    pub async fn save(&self, blob: &Descriptor, path: &Path) -> Result<bool, Problem> {
        let mut request = Request::new(Method::GET, self.at(&format!("blobs/{}", blob.digest))?);
        request.save = Some(Saved {
            path: path.to_owned(),
            most_bytes: blob.size,
        });
        let answer = self.send(&request).await?;
        match answer.status {
            StatusCode::OK => {
                let found = std::fs::File::open(path).and_then(digest::read);
                let found = found.map_err(|error| Problem::File(format!("{}: {error}", path.display())))?;
                same(&found, &blob.digest).map(|()| true)
            }
            StatusCode::NOT_FOUND => Ok(false),
            _ => Err(Problem::Refused(answer.refusal())),
        }
    }

    /// The manifests that are about a digest, as the registry or, where it keeps no account, the list under a tag says.
    /// <https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers>
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn referrers(&self, digest: &str) -> Result<Vec<Descriptor>, Problem> {
        let answer = self.ask(Method::GET, &format!("referrers/{digest}")).await?;
        let list = match answer.status {
            StatusCode::OK => Some(answer.body),
            _ => self.manifest(&tag(digest)).await?.map(|list| list.bytes().to_vec()),
        };
        let Some(list) = list else { return Ok(Vec::new()) };
        let index: Index = serde_json::from_slice(&list)
            .map_err(|error| Problem::NoRegistry(format!("its list of what is attached: {error}")))?;
        Ok(index.manifests)
    }

    async fn content(&self, path: &str, name: &str) -> Result<Option<Answer>, Problem> {
        let answer = self.ask(Method::GET, path).await?;
        match answer.status {
            StatusCode::OK if name.contains(':') => same(&digest::oci(&answer.body), name).map(|()| Some(answer)),
            StatusCode::OK => Ok(Some(answer)),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(Problem::Refused(answer.refusal())),
        }
    }

    async fn ask(&self, method: Method, path: &str) -> Result<Answer, Problem> {
        let mut request = Request::new(method, self.at(path)?);
        request.headers = vec![(ACCEPT, MANIFESTS.to_owned())];
        self.send(&request).await
    }
}

fn same(found: &str, asked: &str) -> Result<(), Problem> {
    match found == asked {
        true => Ok(()),
        false => Err(Problem::Lie(format!("it gives {found} for {asked}"))),
    }
}
