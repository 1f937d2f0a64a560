//! Edge: one request to a registry and its whole answer: TLS, and an end to what stalls.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::header::{CONTENT_LENGTH, LOCATION, RETRY_AFTER};
use http::{HeaderMap, HeaderName, Method, StatusCode};
use reqwest::{Body, Url};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use super::address;
use super::certificates::Certificates;
use super::chunk::Chunk;
use super::error::{Refusal, RegistryError};
use super::reference::Repository;
use super::retry;
use super::secret::Secret;
use diagnostics::{Error, Result};

/// How long nothing may move, in either direction.
const STALL_LIMIT: Duration = Duration::from_secs(30);
/// How long a connection may take to come about.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// No answer that is read is larger: the specification lets a registry refuse manifests of more than 4 MiB.
const LARGEST_ANSWER: usize = 4 << 20;

/// How connections to a registry are secured.
#[derive(Clone, Debug, Default)]
pub struct TlsOptions {
    /// A file of certificates that are trusted beside the system's.
    pub authority: Option<PathBuf>,
    /// Whether there is no TLS.
    pub insecure_http: bool,
}

/// A request that can be sent again.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its method.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// Beside the authorization.
    pub headers: Vec<(HeaderName, String)>,
    /// The body.
    pub content: Content,
    /// Where the body of a successful answer goes, instead of into memory.
    pub save: Option<Saved>,
}

/// A file for the body of an answer.
#[derive(Clone, Debug)]
pub struct Saved {
    /// The file.
    pub path: PathBuf,
    /// It grows no larger.
    pub most_bytes: u64,
}

impl Request {
    /// One without headers and content.
    pub fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: Vec::new(),
            content: Content::Nothing,
            save: None,
        }
    }
}

/// What a request brings.
#[derive(Clone, Debug, Default)]
pub enum Content {
    /// Nothing.
    #[default]
    Nothing,
    /// A few bytes.
    Bytes(Arc<[u8]>),
    /// A part of a blob, which is read while it is sent.
    Chunk(Chunk),
}

/// A whole answer.
#[derive(Debug)]
pub struct Response {
    /// Its status.
    pub status: StatusCode,
    headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
    url: Url,
}

impl Response {
    /// A header's text.
    pub fn header(&self, name: impl http::header::AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The texts of all headers of a name.
    pub fn all(&self, name: HeaderName) -> impl Iterator<Item = &str> {
        let headers = self.headers.get_all(name).into_iter();
        headers.filter_map(|header| header.to_str().ok())
    }

    /// The Location header, if there is one; it may be relative.
    ///
    /// # Errors
    /// When it leads from HTTPS to HTTP.
    pub fn location(&self) -> Result<Option<Url>, RegistryError> {
        let named = self.header(LOCATION).and_then(|text| self.url.join(text).ok());
        let secured = named.map(|named| address::require_https(named, &self.url)).transpose();
        secured.map_err(|named| RegistryError::Downgrade(named.to_string()))
    }

    /// As a refusal.
    pub fn refusal(&self) -> Refusal {
        let retry_after = self
            .header(RETRY_AFTER)
            .and_then(|text| retry::parse_retry_after(text, jiff::Timestamp::now()));
        Refusal::new(self.status, &self.body, retry_after)
    }
}

/// How a request is authorized.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Authorization {
    /// Not at all.
    #[default]
    Nothing,
    /// By a user and a password.
    Basic(String, Secret),
    /// By a token.
    Bearer(Secret),
}

/// Connections to one registry.
#[derive(Debug)]
pub struct HttpClient(reqwest::Client);

impl HttpClient {
    /// For a registry: with its authority beside the system's, and no way from TLS to plain HTTP.
    ///
    /// # Errors
    /// When the authority cannot be read.
    pub fn new(repository: &Repository, tls: &TlsOptions, plain: bool) -> Result<Self> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("deploy-tool/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_LIMIT)
            .https_only(!plain);
        if repository.is_loopback() {
            builder = builder.no_proxy();
        }
        let certificates = Certificates::read(tls.authority.as_deref(), repository)?;
        if let Some(configuration) = certificates.configuration()? {
            builder = builder.tls_backend_preconfigured(configuration);
        }
        builder
            .build()
            .map(Self)
            .map_err(|error| Error::prerequisite("cannot prepare connections to registries").cause(error))
    }

    /// One request and its whole answer.
    ///
    /// # Errors
    /// When there is none.
    pub async fn send(&self, request: &Request, authorization: &Authorization) -> Result<Response, RegistryError> {
        let moved = Arc::new(AtomicU64::new(0));
        let mut builder = self.0.request(request.method.clone(), request.url.clone());
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        builder = match authorization {
            Authorization::Nothing => builder,
            Authorization::Basic(user, password) => builder.basic_auth(user, Some(password.reveal())),
            Authorization::Bearer(token) => builder.bearer_auth(token.reveal()),
        };
        builder = match &request.content {
            Content::Nothing if request.method == Method::POST => builder.header(CONTENT_LENGTH, 0),
            Content::Nothing => builder,
            Content::Bytes(bytes) => builder.body(bytes.to_vec()),
            Content::Chunk(chunk) => builder
                .header(CONTENT_LENGTH, chunk.length)
                .body(Body::wrap_stream(chunk.stream(moved.clone()))),
        };
        let exchange = async {
            let response = builder.send().await.map_err(|error| registry_error(&error))?;
            let (status, headers) = (response.status(), response.headers().clone());
            let url = response.url().clone();
            let body = match request.save.as_ref().filter(|_| status == StatusCode::OK) {
                Some(file) => file.receive(response, &moved).await.map(|()| Vec::new()),
                None => receive(response, &moved).await,
            }?;
            Ok(Response {
                status,
                headers,
                url,
                body,
            })
        };
        unless_stalled(exchange, &moved).await
    }
}

/// An answer's body, in memory.
async fn receive(mut response: reqwest::Response, moved: &AtomicU64) -> Result<Vec<u8>, RegistryError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| registry_error(&error))? {
        moved.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST_ANSWER {
            return Err(RegistryError::DigestMismatch(format!(
                "it answers more than {LARGEST_ANSWER} bytes"
            )));
        }
    }
    Ok(body)
}

impl Saved {
    /// An answer's body, in the file. A second attempt starts over.
    async fn receive(&self, mut response: reqwest::Response, moved: &AtomicU64) -> Result<(), RegistryError> {
        let unwritable = |error: std::io::Error| RegistryError::LocalFile(format!("{}: {error}", self.path.display()));
        let mut file = File::create(&self.path).await.map_err(unwritable)?;
        let mut size = 0;
        while let Some(chunk) = response.chunk().await.map_err(|error| registry_error(&error))? {
            moved.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            size += chunk.len() as u64;
            if size > self.most_bytes {
                return Err(RegistryError::DigestMismatch(format!(
                    "it gives more than {} bytes",
                    self.most_bytes
                )));
            }
            file.write_all(&chunk).await.map_err(unwritable)?;
        }
        file.flush().await.map_err(unwritable)
    }
}

/// Ends a request when nothing has moved for a while.
async fn unless_stalled(
    exchange: impl Future<Output = Result<Response, RegistryError>>,
    moved: &AtomicU64,
) -> Result<Response, RegistryError> {
    let mut exchange = std::pin::pin!(exchange);
    loop {
        let before = moved.load(Ordering::Relaxed);
        match tokio::time::timeout(STALL_LIMIT, &mut exchange).await {
            Ok(answer) => return answer,
            Err(_) if moved.load(Ordering::Relaxed) != before => {}
            Err(_) => {
                return Err(RegistryError::ConnectionLost(format!(
                    "no data received for {} s",
                    STALL_LIMIT.as_secs()
                )));
            }
        }
    }
}

/// Converts an error of the client, by the TLS or I/O error in its chain of sources.
fn registry_error(error: &reqwest::Error) -> RegistryError {
    let mut last: &dyn std::error::Error = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    // The client follows redirects by itself, though not for ever, and none from TLS to plain HTTP.
    if let Some(url) = error.url().filter(|_| error.is_redirect()) {
        if last.to_string().contains("too many redirects") {
            return RegistryError::NotARegistry(format!("one address leads to the next, and at last to `{url}`"));
        }
        if url.scheme() == "http" {
            return RegistryError::Downgrade(url.to_string());
        }
    }
    match tls_error(error) {
        Some(tls @ rustls::Error::InvalidCertificate(_)) => return RegistryError::Untrusted(tls.to_string()),
        Some(rustls::Error::InvalidMessage(_)) => {
            return RegistryError::NotARegistry("it does not speak TLS".to_owned());
        }
        _ => {}
    }
    if error.is_connect() {
        RegistryError::Unreachable(last.to_string())
    } else {
        RegistryError::ConnectionLost(last.to_string())
    }
}

/// Finds the TLS error in another error. [`std::io::Error`] does not return its inner error as its source.
fn tls_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    let within = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    error
        .downcast_ref()
        .or_else(|| tls_error(within?))
        .or_else(|| tls_error(error.source()?))
}
