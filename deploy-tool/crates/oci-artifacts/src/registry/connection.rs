//! Edge: requests to one repository: tokens and attempts. [`explain`](super::explain) and [`again`](super::again) decide.

use http::header::{ACCEPT, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{Method, StatusCode};
use reqwest::Url;
use tokio::sync::Mutex;

use super::again::{self, Attempts};
use super::challenge::{self, Challenge};
use super::configuration::Login;
use super::explain::Problem;
use super::purpose::Purpose;
use super::reference::Repository;
use super::secret::Secret;
use super::transport::{Answer, Authorization, Content, Request, Transport, Trust};
use diagnostics::{Failure, Outcome};

/// A new token may have expired as well by the time its turn comes.
const MOST_RENEWALS: usize = 2;

/// A registry, as far as one repository of it is concerned.
#[derive(Debug)]
pub struct Connection {
    transport: Transport,
    base: Url,
    /// The repository.
    pub repository: Repository,
    purpose: Purpose,
    login: Option<Login>,
    authorization: Mutex<Option<Authorization>>,
}

impl Connection {
    /// Finds the registry and out how it wants to be asked.
    ///
    /// # Errors
    /// When it cannot be reached, is not trusted or is no registry.
    pub async fn open(repository: &Repository, purpose: Purpose, login: Option<Login>, trust: &Trust) -> Outcome<Self> {
        let loopback = repository.is_loopback();
        let (first, second) = match (trust.insecure_http, loopback) {
            (true, _) => ("http", None),
            (false, true) => ("https", Some("http")),
            (false, false) => ("https", None),
        };
        let mut connection = Self::to(first, repository, purpose, login, trust)?;
        let mut greeted = connection.greet().await;
        // On this machine a registry without TLS is no risk.
        if let (Err(Problem::NoRegistry(_)), Some(second)) = (&greeted, second) {
            let Self { purpose, login, .. } = connection;
            connection = Self::to(second, repository, purpose, login, trust)?;
            greeted = connection.greet().await;
        }
        match greeted {
            Ok(()) => Ok(connection),
            Err(problem) => Err(connection.explain(&problem)),
        }
    }

    fn to(
        scheme: &str,
        repository: &Repository,
        purpose: Purpose,
        login: Option<Login>,
        trust: &Trust,
    ) -> Outcome<Self> {
        let base = format!("{scheme}://{}/v2/", repository.host());
        let base = Url::parse(&base).map_err(|error| Failure::input(purpose.failing(repository)).because(error))?;
        Ok(Self {
            transport: Transport::new(repository, trust, scheme == "http")?,
            base,
            repository: repository.clone(),
            purpose,
            login,
            authorization: Mutex::default(),
        })
    }

    /// What a person reads of a problem.
    pub fn explain(&self, problem: &Problem) -> Failure {
        problem.explain(&self.purpose, &self.repository, self.login.as_ref())
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
            return self.transport.once(request, &Authorization::Nothing).await;
        }
        let mut authorization = self
            .authorization
            .lock()
            .await
            .clone()
            .unwrap_or(Authorization::Nothing);
        for _ in 0..MOST_RENEWALS {
            let answer = self.transport.once(request, &authorization).await?;
            match answer.status {
                StatusCode::UNAUTHORIZED => authorization = self.renew(&authorization, &answer).await?,
                _ => return allowed(answer),
            }
        }
        let answer = self.transport.once(request, &authorization).await?;
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
        let request = Request::new(Method::GET, self.base.clone());
        let answer = self
            .patiently(async || self.transport.once(&request, &Authorization::Nothing).await)
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
            Some(Challenge::Basic) => self.basic(),
            Some(Challenge::Bearer { realm, service, .. }) => {
                Authorization::Bearer(self.token(&realm, service.as_deref()).await?)
            }
        };
        *current = Some(found.clone());
        Ok(found)
    }

    fn challenge(&self, answer: &Answer) -> Option<Challenge> {
        Challenge::parse(answer.all(WWW_AUTHENTICATE))
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
        let scopes = self.purpose.scopes(&self.repository);
        let (mut request, authorization) = if let Some(Login::IdentityToken(token)) = &self.login {
            let fields = [
                ("grant_type", "refresh_token"),
                ("client_id", "deploy-tool"),
                ("service", service.unwrap_or_default()),
                ("scope", &scopes.join(" ")),
                ("refresh_token", token.reveal()),
            ];
            let mut form = Url::parse("form:").map_err(|error| Problem::NoRegistry(error.to_string()))?;
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
            .patiently(async || self.transport.once(&request, &authorization).await)
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
            Some(Challenge::Bearer { .. }) => Problem::Forbidden(refusal),
            _ => Problem::LoginRefused(refusal),
        }
    }

    /// The password, where there is one.
    fn basic(&self) -> Authorization {
        match &self.login {
            Some(Login::Password { user, password }) => Authorization::Basic(user.clone(), password.clone()),
            _ => Authorization::Nothing,
        }
    }

    fn is_registry(&self, url: &Url) -> bool {
        url.scheme() == self.base.scheme() && url.authority() == self.base.authority()
    }
}

fn allowed(answer: Answer) -> Result<Answer, Problem> {
    match answer.status {
        StatusCode::FORBIDDEN => Err(Problem::Forbidden(answer.refusal())),
        _ => Ok(answer),
    }
}

/// A random number for pauses. Without one they are of equal length, which does no harm.
pub fn random() -> u8 {
    let mut byte = [u8::MAX];
    let _ = getrandom::fill(&mut byte);
    byte[0]
}
