//! Edge: reads manifests and small documents of a repository, and proves that they are what was asked for.
//!
//! <https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pull>

use http::header::ACCEPT;
use http::{Method, StatusCode};

use super::connection::Connection;
use super::explain::Problem;
use super::transport::{Answer, Request};
use crate::digest;

/// What is understood of manifests.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

impl Connection {
    /// A manifest or index by its digest or tag, if the registry has it.
    ///
    /// # Errors
    /// When it cannot be read, or has another digest than asked for.
    pub async fn manifest(&self, name: &str) -> Result<Option<Vec<u8>>, Problem> {
        self.content(&format!("manifests/{name}"), name).await
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
        self.content(&format!("blobs/{digest}"), digest).await
    }

    async fn content(&self, path: &str, name: &str) -> Result<Option<Vec<u8>>, Problem> {
        let answer = self.ask(Method::GET, path).await?;
        match answer.status {
            StatusCode::OK if !name.contains(':') || digest::oci(&answer.body) == name => Ok(Some(answer.body)),
            StatusCode::OK => Err(Problem::Lie(format!(
                "it gives {} for {name}",
                digest::oci(&answer.body)
            ))),
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
