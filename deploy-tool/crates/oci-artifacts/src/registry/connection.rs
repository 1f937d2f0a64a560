//! Edge: requests to one repository: tokens and backoff. `error` and `retry` decide.

use http::header::{ACCEPT, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{Method, StatusCode};
use reqwest::Url;
use tokio::sync::Mutex;

use super::address;
use super::challenge::{self, Challenge};
use super::credentials::FoundLogin;
use super::docker_config::Login;
use super::error::RegistryError;
use super::http_client::{Authorization, Content, HttpClient, Request, Response, TlsOptions};
use super::purpose::Purpose;
use super::reference::Repository;
use super::retry::{self, Backoff};
use super::secret::Secret;
use diagnostics::{Error, Result};

/// A new token may have expired as well by the time its turn comes.
const MOST_RENEWALS: usize = 2;

/// A registry, as far as one repository of it is concerned.
#[derive(Debug)]
pub struct Connection {
    transport: HttpClient,
    base: Url,
    /// The repository.
    pub repository: Repository,
    purpose: Purpose,
    found: FoundLogin,
    authorization: Mutex<Option<Authorization>>,
}

impl Connection {
    /// Finds the registry and out how it wants to be asked.
    ///
    /// # Errors
    /// When it cannot be reached, is not trusted or is no registry.
    pub async fn open(repository: &Repository, purpose: Purpose, found: FoundLogin, tls: &TlsOptions) -> Result<Self> {
        let loopback = repository.is_loopback();
        let (first, second) = match (tls.insecure_http, loopback) {
            (true, _) => ("http", None),
            (false, true) => ("https", Some("http")),
            (false, false) => ("https", None),
        };
        let mut connection = Self::to(first, repository, purpose, found, tls)?;
        let mut probed = connection.probe_registry().await;
        // On this machine a registry without TLS is no risk.
        if let (Err(RegistryError::NotARegistry(_)), Some(second)) = (&probed, second) {
            let Self { purpose, found, .. } = connection;
            connection = Self::to(second, repository, purpose, found, tls)?;
            probed = connection.probe_registry().await;
        }
        match probed {
            Ok(()) => Ok(connection),
            Err(error) => Err(connection.explain(&error)),
        }
    }

    fn to(
        scheme: &str,
        repository: &Repository,
        purpose: Purpose,
        found: FoundLogin,
        tls: &TlsOptions,
    ) -> Result<Self> {
        let base = format!("{scheme}://{}/v2/", repository.host());
        let base = Url::parse(&base).map_err(|error| Error::input(purpose.failing(repository)).cause(error))?;
        Ok(Self {
            transport: HttpClient::new(repository, tls, scheme == "http")?,
            base,
            repository: repository.clone(),
            purpose,
            found,
            authorization: Mutex::default(),
        })
    }

    /// Warnings when the registry was used anonymously although credentials may be stored.
    pub fn warnings(&self) -> Vec<String> {
        self.found.warnings()
    }

    /// The error as the user reads it.
    pub fn explain(&self, error: &RegistryError) -> Error {
        error.explain(&self.purpose, &self.repository, &self.found)
    }

    /// An address below the repository's: `blobs/sha256:…`.
    ///
    /// # Errors
    /// Never for digests and tags.
    pub fn at(&self, path: &str) -> Result<Url, RegistryError> {
        let whole = format!("{}/{path}", self.repository.path);
        self.base
            .join(&whole)
            .map_err(|error| RegistryError::NotARegistry(error.to_string()))
    }

    /// Sends a request until it is answered by something that does not pass by itself.
    ///
    /// # Errors
    /// When it is not answered, or not authorized.
    pub async fn send(&self, request: &Request) -> Result<Response, RegistryError> {
        self.send_with_retries(async || self.exchange(request).await).await
    }

    /// Sends a request once, or again with a new token.
    ///
    /// # Errors
    /// When it is not answered, or not authorized.
    pub async fn exchange(&self, request: &Request) -> Result<Response, RegistryError> {
        if !self.is_registry(&request.url) {
            // Where it stores its blobs: the address itself authorizes, and the password is not sent there.
            return self.transport.send(request, &Authorization::Nothing).await;
        }
        let mut authorization = self
            .authorization
            .lock()
            .await
            .clone()
            .unwrap_or(Authorization::Nothing);
        for _ in 0..MOST_RENEWALS {
            let answer = self.transport.send(request, &authorization).await?;
            match answer.status {
                StatusCode::UNAUTHORIZED => authorization = self.renew(&authorization, &answer).await?,
                _ => return allowed(answer),
            }
        }
        let answer = self.transport.send(request, &authorization).await?;
        match answer.status {
            StatusCode::UNAUTHORIZED => Err(self.unauthorized(&answer)),
            _ => allowed(answer),
        }
    }

    async fn send_with_retries(
        &self,
        work: impl AsyncFn() -> Result<Response, RegistryError>,
    ) -> Result<Response, RegistryError> {
        let mut backoff = Backoff::default();
        loop {
            let error = match work().await {
                Ok(answer) if retry::is_transient(answer.status) => RegistryError::Refused(answer.refusal()),
                Err(error) if error.is_transient() => error,
                settled => return settled,
            };
            match backoff.next_delay(error.retry_after(), random()) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(error),
            }
        }
    }

    /// Requests `/v2/`, which shows that it is a registry, and its method of authentication.
    async fn probe_registry(&self) -> Result<(), RegistryError> {
        let request = Request::new(Method::GET, self.base.clone());
        let answer = self
            .send_with_retries(async || self.transport.send(&request, &Authorization::Nothing).await)
            .await?;
        match answer.status {
            StatusCode::OK => Ok(()),
            StatusCode::UNAUTHORIZED => match self.renew(&Authorization::Nothing, &answer).await {
                // There may be repositories that everybody may read.
                Ok(_) | Err(RegistryError::LoginNeeded) => Ok(()),
                Err(error) => Err(error),
            },
            status => Err(RegistryError::NotARegistry(format!("{} answers {status}", self.base))),
        }
    }

    /// Gets a new token after a 401, unless a concurrent request has got one since.
    async fn renew(&self, used: &Authorization, answer: &Response) -> Result<Authorization, RegistryError> {
        let mut current = self.authorization.lock().await;
        match &*current {
            Some(newer) if newer != used => return Ok(newer.clone()),
            _ => {}
        }
        let found = match self.challenge(answer) {
            None => {
                let schemes = Challenge::schemes(answer.all(WWW_AUTHENTICATE));
                let by_token = schemes.iter().any(|scheme| scheme.eq_ignore_ascii_case("bearer"));
                return Err(RegistryError::NotARegistry(if schemes.is_empty() {
                    "it asks for a login and does not say how".to_owned()
                } else if by_token {
                    "it asks for a token and does not say where there are any".to_owned()
                } else {
                    let schemes = schemes.join(", ");
                    format!("it asks for a login by {schemes}, and not by Basic or Bearer")
                }));
            }
            Some(Challenge::Basic) if self.found.login.is_none() => return Err(RegistryError::LoginNeeded),
            Some(Challenge::Basic) => self.basic(),
            Some(Challenge::Bearer { realm, service, .. }) => {
                Authorization::Bearer(self.token(&realm, service.as_deref()).await?)
            }
        };
        *current = Some(found.clone());
        Ok(found)
    }

    fn challenge(&self, answer: &Response) -> Option<Challenge> {
        Challenge::parse(answer.all(WWW_AUTHENTICATE))
    }

    /// Gets a token for all scopes at once.
    /// <https://distribution.github.io/distribution/spec/auth/oauth/>
    async fn token(&self, realm: &str, service: Option<&str>) -> Result<Secret, RegistryError> {
        let url =
            Url::parse(realm).map_err(|error| RegistryError::NotARegistry(format!("its token server: {error}")))?;
        let server = url.authority().to_owned();
        let mut url = address::require_https(url, &self.base).map_err(|_| {
            RegistryError::NotARegistry(format!(
                "its token server `{server}` would take the password without TLS"
            ))
        })?;
        let scopes = self.purpose.scopes(&self.repository);
        let (mut request, authorization) = if let Some(Login::IdentityToken(token)) = &self.found.login {
            let fields = [
                ("grant_type", "refresh_token"),
                ("client_id", "deploy-tool"),
                ("service", service.unwrap_or_default()),
                ("scope", &scopes.join(" ")),
                ("refresh_token", token.reveal()),
            ];
            let mut form = Url::parse("form:").map_err(|error| RegistryError::NotARegistry(error.to_string()))?;
            form.query_pairs_mut().extend_pairs(fields);
            let mut request = Request::new(Method::POST, url);
            request.headers = vec![(CONTENT_TYPE, "application/x-www-form-urlencoded".to_owned())];
            request.content = Content::Bytes(form.query().unwrap_or_default().as_bytes().into());
            (request, Authorization::Nothing)
        } else {
            url.query_pairs_mut()
                .extend_pairs(service.map(|service| ("service", service)))
                .extend_pairs(scopes.iter().map(|scope| ("scope", scope)));
            (Request::new(Method::GET, url), self.basic())
        };
        request.headers.push((ACCEPT, "application/json".to_owned()));
        let answer = self
            .send_with_retries(async || self.transport.send(&request, &authorization).await)
            .await?;
        match (answer.status.as_u16(), &self.found.login) {
            (200, _) => challenge::token(&answer.body)
                .ok_or_else(|| RegistryError::NotARegistry(format!("its token server `{server}` gives no token"))),
            (400..404, None) => Err(RegistryError::LoginNeeded),
            (400..404, Some(Login::IdentityToken(_))) => Err(RegistryError::LoginExpired(answer.refusal())),
            (400..404, Some(_)) => Err(RegistryError::LoginRefused(answer.refusal())),
            _ => Err(RegistryError::Refused(answer.refusal())),
        }
    }

    /// The error when a new token is refused as well.
    fn unauthorized(&self, answer: &Response) -> RegistryError {
        let refusal = answer.refusal();
        match self.challenge(answer) {
            _ if self.found.login.is_none() => RegistryError::LoginNeeded,
            Some(Challenge::Bearer { error: Some(error), .. }) if error == "invalid_token" => {
                RegistryError::LoginExpired(refusal)
            }
            Some(Challenge::Bearer { .. }) => RegistryError::Forbidden(refusal),
            _ => RegistryError::LoginRefused(refusal),
        }
    }

    /// The password, where there is one.
    fn basic(&self) -> Authorization {
        match &self.found.login {
            Some(Login::Password { user, password }) => Authorization::Basic(user.clone(), password.clone()),
            _ => Authorization::Nothing,
        }
    }

    fn is_registry(&self, url: &Url) -> bool {
        url.scheme() == self.base.scheme() && url.authority() == self.base.authority()
    }
}

fn allowed(answer: Response) -> Result<Response, RegistryError> {
    match answer.status {
        StatusCode::FORBIDDEN => Err(RegistryError::Forbidden(answer.refusal())),
        _ => Ok(answer),
    }
}

/// A random number for pauses. Without one they are of equal length, which does no harm.
pub fn random() -> u8 {
    let mut byte = [u8::MAX];
    let _ = getrandom::fill(&mut byte);
    byte[0]
}
