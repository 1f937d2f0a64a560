//! Edge: requests to one registry: TLS, tokens, attempts. [`explain`](super::explain) and [`again`] decide.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::header::{CONTENT_LENGTH, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, Method, StatusCode};
use reqwest::{Body, Url};
use tokio::sync::Mutex;

use super::again::{self, Attempts};
use super::challenge::{self, Challenge};
use super::configuration::Login;
use super::explain::{Problem, Refusal};
use super::reference::Repository;
use super::secret::Secret;
use super::upload::Piece;
use crate::failure::{Failure, Outcome};

/// How long nothing may move, in either direction.
const STALL_LIMIT: Duration = Duration::from_secs(30);
/// How long a connection may take to come about.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// A new token may have expired as well by the time its turn comes.
const MOST_RENEWALS: usize = 2;
/// No answer that is read is larger: the specification lets a registry refuse manifests of more than 4 MiB.
const LARGEST_ANSWER: usize = 4 << 20;

/// Who is believed to be the registry.
#[derive(Clone, Debug, Default)]
pub struct Trust {
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
    /// What it brings.
    pub content: Content,
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
    Piece(Piece),
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
    url: Url,
}

impl Answer {
    /// A header's text.
    pub fn header(&self, name: impl http::header::AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Where the answer leads to; relative addresses are allowed.
    pub fn location(&self) -> Option<Url> {
        self.url.join(self.header(LOCATION)?).ok()
    }

    /// As a refusal.
    pub fn refusal(&self) -> Refusal {
        let wish = self
            .header(RETRY_AFTER)
            .and_then(|text| again::wish(text, jiff::Timestamp::now()));
        Refusal::new(self.status, &self.body, wish)
    }
}

/// How requests are authorized.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Authorization {
    Nothing,
    Basic,
    Bearer(Secret),
}

/// A registry, as far as one repository of it is concerned.
#[derive(Debug)]
pub struct Connection {
    client: reqwest::Client,
    base: Url,
    /// The repository.
    pub repository: Repository,
    /// Who logs in.
    pub login: Option<Login>,
    scopes: Vec<String>,
    authorization: Mutex<Option<Authorization>>,
}

impl Connection {
    /// Finds the registry and out how it wants to be asked. `from` is another repository of it that may be read.
    ///
    /// # Errors
    /// When it cannot be reached, is not trusted or is no registry.
    pub async fn open(
        repository: &Repository,
        from: Option<&str>,
        login: Option<Login>,
        trust: &Trust,
    ) -> Outcome<Self> {
        let loopback = repository.is_loopback();
        let schemes: &[&str] = match (trust.insecure_http, loopback) {
            (true, _) => &["http"],
            (false, true) => &["https", "http"],
            (false, false) => &["https"],
        };
        let own = challenge::scope(&repository.path, "pull,push");
        let other = from.map(|path| challenge::scope(path, "pull"));
        let doing = format!("cannot push to {repository}");
        let mut last = Problem::LoginNeeded;
        for scheme in schemes {
            let base = format!("{scheme}://{}/v2/", repository.host());
            let base = Url::parse(&base).map_err(|error| Failure::input(&doing).because(error))?;
            let connection = Self {
                client: client(repository, trust, *scheme == "http")?,
                base,
                repository: repository.clone(),
                login: login.clone(),
                scopes: std::iter::once(own.clone()).chain(other.clone()).collect(),
                authorization: Mutex::default(),
            };
            match connection.greet().await {
                Ok(()) => return Ok(connection),
                // On this machine a registry without TLS is no risk.
                Err(problem @ Problem::NoRegistry(_)) => last = problem,
                Err(problem) => return Err(problem.explain(&doing, repository, login.as_ref())),
            }
        }
        Err(last.explain(&doing, repository, login.as_ref()))
    }

    /// An address below the repository's: `blobs/sha256:…`.
    ///
    /// # Errors
    /// Never for digests and tags.
    pub fn at(&self, path: &str) -> Result<Url, Problem> {
        let whole = format!("{}/{path}", self.repository.path);
        self.base
            .join(&whole)
            .map_err(|error| Problem::NoRegistry(error.to_string()))
    }

    /// Sends a request until it is answered by something that does not pass by itself.
    ///
    /// # Errors
    /// When it is not answered, or not authorized.
    pub async fn send(&self, request: &Request) -> Result<Answer, Problem> {
        self.patiently(async || self.exchange(request).await).await
    }

    /// Sends a request once, or again with a new token.
    ///
    /// # Errors
    /// When it is not answered, or not authorized.
    pub async fn exchange(&self, request: &Request) -> Result<Answer, Problem> {
        if !self.is_registry(&request.url) {
            // Where it stores its blobs: the address itself authorizes, and the password is none of its business.
            return self.once(request, &Authorization::Nothing).await;
        }
        let mut authorization = self
            .authorization
            .lock()
            .await
            .clone()
            .unwrap_or(Authorization::Nothing);
        for _ in 0..MOST_RENEWALS {
            let answer = self.once(request, &authorization).await?;
            match answer.status {
                StatusCode::UNAUTHORIZED => authorization = self.renew(&authorization, &answer).await?,
                _ => return allowed(answer),
            }
        }
        let answer = self.once(request, &authorization).await?;
        match answer.status {
            StatusCode::UNAUTHORIZED => Err(self.unauthorized(&answer)),
            _ => allowed(answer),
        }
    }

    async fn patiently(&self, work: impl AsyncFn() -> Result<Answer, Problem>) -> Result<Answer, Problem> {
        let mut attempts = Attempts::default();
        loop {
            let problem = match work().await {
                Ok(answer) if again::may_pass(answer.status) => Problem::Refused(answer.refusal()),
                Err(problem) if problem.may_pass() => problem,
                settled => return settled,
            };
            match attempts.next_pause(problem.wish(), random()) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(problem),
            }
        }
    }

    /// Asks the registry's first address, which says that it is one and how it wants to be asked.
    async fn greet(&self) -> Result<(), Problem> {
        let request = Request {
            method: Method::GET,
            url: self.base.clone(),
            headers: Vec::new(),
            content: Content::Nothing,
        };
        let answer = self
            .patiently(async || self.once(&request, &Authorization::Nothing).await)
            .await?;
        match answer.status {
            StatusCode::OK => Ok(()),
            StatusCode::UNAUTHORIZED => self.renew(&Authorization::Nothing, &answer).await.map(drop),
            status => Err(Problem::NoRegistry(format!("{} answers {status}", self.base))),
        }
    }

    /// Finds new authorization after an answer of 401, unless another request has found it meanwhile.
    async fn renew(&self, used: &Authorization, answer: &Answer) -> Result<Authorization, Problem> {
        let mut current = self.authorization.lock().await;
        match &*current {
            Some(newer) if newer != used => return Ok(newer.clone()),
            _ => {}
        }
        let found = match self.challenge(answer) {
            None => {
                return Err(Problem::NoRegistry(
                    "it asks for a login and does not say how".to_owned(),
                ));
            }
            Some(Challenge::Basic) if self.login.is_none() => return Err(Problem::LoginNeeded),
            Some(Challenge::Basic) => Authorization::Basic,
            Some(Challenge::Bearer { realm, service, .. }) => {
                Authorization::Bearer(self.token(&realm, service.as_deref()).await?)
            }
        };
        *current = Some(found.clone());
        Ok(found)
    }

    fn challenge(&self, answer: &Answer) -> Option<Challenge> {
        let headers = answer.headers.get_all(WWW_AUTHENTICATE).iter();
        Challenge::parse(headers.filter_map(|header| header.to_str().ok()))
    }

    /// Gets a token for all scopes at once.
    /// <https://distribution.github.io/distribution/spec/auth/oauth/>
    async fn token(&self, realm: &str, service: Option<&str>) -> Result<Secret, Problem> {
        let mut url = Url::parse(realm).map_err(|error| Problem::NoRegistry(format!("its token server: {error}")))?;
        let server = url.authority().to_owned();
        if url.scheme() != "https" && self.base.scheme() == "https" {
            return Err(Problem::NoRegistry(format!(
                "its token server `{server}` would take the password without TLS"
            )));
        }
        let headers = vec![(http::header::ACCEPT, "application/json".to_owned())];
        let (request, authorization) = if let Some(Login::IdentityToken(token)) = &self.login {
            let fields = [
                ("grant_type", "refresh_token"),
                ("client_id", "deploy-tool"),
                ("service", service.unwrap_or_default()),
                ("scope", &self.scopes.join(" ")),
                ("refresh_token", token.reveal()),
            ];
            let mut form = Url::parse("form:").map_err(|error| Problem::NoRegistry(error.to_string()))?;
            form.query_pairs_mut().extend_pairs(fields);
            let form = form.query().unwrap_or_default().as_bytes().into();
            let kind = (
                http::header::CONTENT_TYPE,
                "application/x-www-form-urlencoded".to_owned(),
            );
            let headers = headers.into_iter().chain([kind]).collect();
            (
                Request {
                    method: Method::POST,
                    url,
                    headers,
                    content: Content::Bytes(form),
                },
                Authorization::Nothing,
            )
        } else {
            url.query_pairs_mut()
                .extend_pairs(service.map(|service| ("service", service)))
                .extend_pairs(self.scopes.iter().map(|scope| ("scope", scope)));
            let authorization = match self.login {
                Some(_) => Authorization::Basic,
                None => Authorization::Nothing,
            };
            (
                Request {
                    method: Method::GET,
                    url,
                    headers,
                    content: Content::Nothing,
                },
                authorization,
            )
        };
        let answer = self
            .patiently(async || self.once(&request, &authorization).await)
            .await?;
        match (answer.status.as_u16(), &self.login) {
            (200, _) => challenge::token(&answer.body)
                .ok_or_else(|| Problem::NoRegistry(format!("its token server `{server}` gives no token"))),
            (400..404, None) => Err(Problem::LoginNeeded),
            (400..404, Some(Login::IdentityToken(_))) => Err(Problem::LoginExpired(answer.refusal())),
            (400..404, Some(_)) => Err(Problem::LoginRefused(answer.refusal())),
            _ => Err(Problem::Refused(answer.refusal())),
        }
    }

    /// What it means when also new authorization is refused.
    fn unauthorized(&self, answer: &Answer) -> Problem {
        let refusal = answer.refusal();
        match self.challenge(answer) {
            _ if self.login.is_none() => Problem::LoginNeeded,
            Some(Challenge::Bearer { error: Some(error), .. }) if error == "invalid_token" => {
                Problem::LoginExpired(refusal)
            }
            Some(Challenge::Bearer { .. }) => Problem::PushRefused(refusal),
            _ => Problem::LoginRefused(refusal),
        }
    }

    fn is_registry(&self, url: &Url) -> bool {
        url.scheme() == self.base.scheme() && url.authority() == self.base.authority()
    }

    /// One request and its whole answer.
    async fn once(&self, request: &Request, authorization: &Authorization) -> Result<Answer, Problem> {
        let sent = Arc::new(AtomicU64::new(0));
        let mut builder = self.client.request(request.method.clone(), request.url.clone());
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        builder = match (authorization, &self.login) {
            (Authorization::Basic, Some(Login::Password { user, password })) => {
                builder.basic_auth(user, Some(password.reveal()))
            }
            (Authorization::Bearer(token), _) => builder.bearer_auth(token.reveal()),
            _ => builder,
        };
        builder = match &request.content {
            Content::Nothing if request.method == Method::POST => builder.header(CONTENT_LENGTH, 0),
            Content::Nothing => builder,
            Content::Bytes(bytes) => builder.body(bytes.to_vec()),
            Content::Piece(piece) => builder
                .header(CONTENT_LENGTH, piece.length)
                .body(Body::wrap_stream(piece.stream(sent.clone()))),
        };
        let exchange = async {
            let mut response = builder.send().await?;
            let mut body = Vec::new();
            while let Some(chunk) = response.chunk().await? {
                sent.fetch_add(chunk.len() as u64, Ordering::Relaxed);
                body.extend_from_slice(&chunk);
                if body.len() > LARGEST_ANSWER {
                    break;
                }
            }
            Ok(Answer {
                status: response.status(),
                headers: response.headers().clone(),
                url: response.url().clone(),
                body,
            })
        };
        unless_stalled(exchange, &sent).await
    }
}

fn allowed(answer: Answer) -> Result<Answer, Problem> {
    match answer.status {
        StatusCode::FORBIDDEN => Err(Problem::PushRefused(answer.refusal())),
        _ => Ok(answer),
    }
}

/// Ends a request when nothing has moved for a while.
async fn unless_stalled(
    exchange: impl Future<Output = Result<Answer, reqwest::Error>>,
    moved: &AtomicU64,
) -> Result<Answer, Problem> {
    let mut exchange = std::pin::pin!(exchange);
    loop {
        let before = moved.load(Ordering::Relaxed);
        match tokio::time::timeout(STALL_LIMIT, &mut exchange).await {
            Ok(answer) => return answer.map_err(|error| problem(&error)),
            Err(_) if moved.load(Ordering::Relaxed) != before => {}
            Err(_) => return Err(Problem::Lost(format!("nothing moved for {} s", STALL_LIMIT.as_secs()))),
        }
    }
}

/// What an error of the client means. Its chain ends in what TLS or the system says.
fn problem(error: &reqwest::Error) -> Problem {
    match tls_error(error) {
        Some(tls @ rustls::Error::InvalidCertificate(_)) => return Problem::Untrusted(tls.to_string()),
        Some(rustls::Error::InvalidMessage(_)) => return Problem::NoRegistry("it does not speak TLS".to_owned()),
        _ => {}
    }
    let mut last: &dyn std::error::Error = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    match error.is_connect() {
        true => Problem::Unreachable(last.to_string()),
        false => Problem::Lost(last.to_string()),
    }
}

/// The error of TLS within another one. An [`std::io::Error`] does not name as its source what it is made of.
fn tls_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    let within = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    error
        .downcast_ref()
        .or_else(|| tls_error(within?))
        .or_else(|| tls_error(error.source()?))
}

/// The client for a registry: its authority beside the system's, and no way from TLS to plain HTTP.
fn client(repository: &Repository, trust: &Trust, plain: bool) -> Outcome<reqwest::Client> {
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("deploy-tool/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_LIMIT)
        .https_only(!plain);
    if repository.is_loopback() {
        builder = builder.no_proxy();
    }
    // https://docs.docker.com/engine/security/certificates/
    let docker = Path::new("/etc/docker/certs.d").join(repository.host()).join("ca.crt");
    let authority = trust.authority.clone().or_else(|| docker.exists().then_some(docker));
    if let Some(path) = authority {
        let failure = || {
            Failure::input(format!("the certificates in `{}` cannot be used", path.display()))
                .next("name a file in PEM format: lines between BEGIN CERTIFICATE and END CERTIFICATE")
        };
        let bytes = std::fs::read(&path).map_err(|error| failure().because(error))?;
        let certificates = reqwest::Certificate::from_pem_bundle(&bytes).map_err(|error| failure().because(error))?;
        if certificates.is_empty() {
            return Err(failure().because("there is none in it"));
        }
        builder = builder.tls_certs_merge(certificates);
    }
    builder
        .build()
        .map_err(|error| Failure::prerequisite("cannot prepare connections to registries").because(error))
}

/// A random number for pauses. Without one they are of equal length, which does no harm.
pub fn random() -> u8 {
    let mut byte = [u8::MAX];
    let _ = getrandom::fill(&mut byte);
    byte[0]
}
