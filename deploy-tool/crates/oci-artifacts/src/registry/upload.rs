//! Edge: uploads one blob: skipped, mounted, or sent in chunks, resuming after a lost connection.
//!
//! <https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs>

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use http::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE};
use http::{Method, StatusCode};
use reqwest::Url;

use super::chunk::Chunk;
use super::connection::{Connection, random};
use super::error::RegistryError;
use super::http_client::{Content, Request, Response};
use super::retry::Backoff;
use super::upload_progress::Stage;
use crate::Digest;
use crate::image::Blob;

/// The largest chunk. What a cut costs is sent again, and some proxies take no request of more than 100 MB.
const PIECE: u64 = 32 << 20;
const DIGEST_HEADER: &str = "docker-content-digest";

/// Where an upload stands.
struct Session {
    location: Url,
    offset: u64,
    /// The largest chunk that is sent: some registries ask for larger ones.
    chunk: u64,
}

/// Brings a blob into the repository. `sent` counts its bytes.
///
/// # Errors
/// When it cannot be brought there, after all attempts.
pub async fn upload(
    connection: &Connection,
    blob: &Arc<Blob>,
    from: Option<&str>,
    sent: Arc<AtomicU64>,
) -> Result<Stage, RegistryError> {
    if is_present(connection, blob).await? {
        return Ok(Stage::Present);
    }
    let Some(mut session) = start(connection, blob, from).await? else {
        return Ok(Stage::Mounted);
    };
    let (mut backoff, mut furthest) = (Backoff::default(), 0);
    loop {
        let error = match send_rest(connection, blob, &mut session, &sent).await {
            Ok(()) => return Ok(Stage::Uploaded),
            Err(error) if error.is_transient() || is_forgotten(&error) => error,
            Err(error) => return Err(error),
        };
        if let Some((location, offset)) = query_offset(connection, &session).await? {
            session.location = location;
            session.offset = offset.min(blob.size);
            if session.offset > furthest {
                furthest = session.offset;
                backoff.reset();
            }
        } else if is_present(connection, blob).await? {
            // The answer was lost after the last byte had come.
            return Ok(Stage::Uploaded);
        } else {
            match start(connection, blob, None).await? {
                Some(new) => session = new,
                None => return Ok(Stage::Mounted),
            }
        }
        match backoff.next_delay(error.retry_after(), random()) {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return Err(error),
        }
    }
}

async fn is_present(connection: &Connection, blob: &Blob) -> Result<bool, RegistryError> {
    let url = connection.at(&format!("blobs/{}", blob.digest))?;
    let answer = connection.send(&Request::new(Method::HEAD, url)).await?;
    match answer.status {
        StatusCode::NOT_FOUND => Ok(false),
        StatusCode::OK => {
            let size = answer.header(CONTENT_LENGTH).and_then(|text| text.parse::<u64>().ok());
            match size.filter(|size| *size != blob.size) {
                Some(size) => Err(RegistryError::DigestMismatch(format!(
                    "it says that {} has {size} bytes; there are {}",
                    blob.digest, blob.size
                ))),
                None => same_digest(&answer, &blob.digest).map(|()| true),
            }
        }
        _ => Err(RegistryError::Refused(answer.refusal())),
    }
}

/// Begins an upload; none when the registry takes the blob from another repository.
async fn start(connection: &Connection, blob: &Blob, from: Option<&str>) -> Result<Option<Session>, RegistryError> {
    let mut url = connection.at("blobs/uploads/")?;
    if let Some(from) = from {
        url.query_pairs_mut()
            .append_pair("mount", blob.digest.as_str())
            .append_pair("from", from);
    }
    let answer = connection.send(&Request::new(Method::POST, url)).await?;
    match answer.status {
        StatusCode::CREATED => same_digest(&answer, &blob.digest).map(|()| None),
        StatusCode::ACCEPTED => {
            let least = answer.header("oci-chunk-min-length").and_then(|text| text.parse().ok());
            Ok(Some(Session {
                location: location(&answer)?,
                offset: 0,
                chunk: PIECE.max(least.unwrap_or(0)),
            }))
        }
        _ => Err(RegistryError::Refused(answer.refusal())),
    }
}

async fn send_rest(
    connection: &Connection,
    blob: &Arc<Blob>,
    session: &mut Session,
    sent: &Arc<AtomicU64>,
) -> Result<(), RegistryError> {
    while session.offset < blob.size {
        let length = session.chunk.min(blob.size - session.offset);
        let chunk = Chunk {
            blob: blob.clone(),
            start: session.offset,
            length,
            sent: sent.clone(),
        };
        let mut request = Request::new(Method::PATCH, session.location.clone());
        request.headers = vec![
            (CONTENT_TYPE, "application/octet-stream".to_owned()),
            (
                CONTENT_RANGE,
                format!("{}-{}", session.offset, session.offset + length - 1),
            ),
        ];
        request.content = Content::Chunk(chunk);
        let answer = connection.exchange(&request).await?;
        if answer.status != StatusCode::ACCEPTED {
            return Err(RegistryError::Refused(answer.refusal()));
        }
        session.location = location(&answer)?;
        session.offset += length;
    }
    let mut url = session.location.clone();
    url.query_pairs_mut().append_pair("digest", blob.digest.as_str());
    let mut request = Request::new(Method::PUT, url);
    request.headers = vec![(CONTENT_LENGTH, "0".to_owned())];
    let answer = connection.exchange(&request).await?;
    match answer.status {
        StatusCode::CREATED | StatusCode::NO_CONTENT => same_digest(&answer, &blob.digest),
        _ => Err(RegistryError::Refused(answer.refusal())),
    }
}

/// How far an upload has come, and where it goes on; none when the registry does not know it, or has nothing of it.
async fn query_offset(connection: &Connection, session: &Session) -> Result<Option<(Url, u64)>, RegistryError> {
    let answer = connection
        .send(&Request::new(Method::GET, session.location.clone()))
        .await?;
    match answer.status {
        StatusCode::NO_CONTENT => {
            let offset = answer.header(RANGE).and_then(next_offset);
            let location = answer.location()?.unwrap_or(session.location.clone());
            Ok(offset.map(|offset| (location, offset)))
        }
        _ => Ok(None),
    }
}

/// The first byte that is missing: `0-99` is 100. Registries write `0-0` both before and after the first byte.
fn next_offset(range: &str) -> Option<u64> {
    let (_, last) = range.trim().trim_start_matches("bytes=").split_once('-')?;
    let last: u64 = last.parse().ok()?;
    (last > 0).then_some(last + 1)
}

/// The registry no longer knows the upload, or has more or less of it than this side believes.
fn is_forgotten(error: &RegistryError) -> bool {
    let RegistryError::Refused(refusal) = error else {
        return false;
    };
    refusal.status == StatusCode::RANGE_NOT_SATISFIABLE
        || refusal.code == "BLOB_UPLOAD_UNKNOWN"
        || refusal.code == "BLOB_UPLOAD_INVALID"
}

fn location(answer: &Response) -> Result<Url, RegistryError> {
    let missing = || RegistryError::NotARegistry("it does not say where to upload".to_owned());
    answer.location()?.ok_or_else(missing)
}

/// Whether the registry names the digest that was sent. It need not name any.
pub fn same_digest(answer: &Response, expected: &Digest) -> Result<(), RegistryError> {
    match answer.header(DIGEST_HEADER) {
        Some(named) if *expected != *named => Err(RegistryError::DigestMismatch(format!(
            "it names {named} what was sent as {expected}"
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_says_where_to_go_on() {
        for (range, expected) in [("0-99", Some(100)), ("bytes=0-4", Some(5)), ("0-0", None), ("x", None)] {
            assert_eq!(next_offset(range), expected, "{range}");
        }
    }
}
