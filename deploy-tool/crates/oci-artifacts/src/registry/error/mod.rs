//! Pure: what went wrong with a registry, and what a person reads of it.

use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;

use super::credentials::FoundLogin;
use super::docker_config::Login;
use super::purpose::Purpose;
use super::reference::Repository;
use super::retry;
use diagnostics::Error;
use diagnostics::code::Code;
use diagnostics::code::registry::{
    AUTHORITY_UNKNOWN, CONNECTION_LOST, CONTENT_REFUSED, DIGEST_MISMATCH, LOGIN_EXPIRED, LOGIN_NEEDED, LOGIN_REFUSED,
    NOT_A_REGISTRY, PUSH_REFUSED, RATE_LIMITED, READ_REFUSED, REGISTRY_FAILS, REGISTRY_NOT_REACHED, REPOSITORY_UNKNOWN,
    TOO_LARGE,
};

/// What went wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistryError {
    /// No connection came about.
    Unreachable(String),
    /// Its certificate is not trusted.
    Untrusted(String),
    /// The server does not speak TLS or HTTP, or is no registry.
    NotARegistry(String),
    /// It is asked with TLS, and leads to an address without.
    Downgrade(String),
    /// The connection ended, or no data came for a while.
    ConnectionLost(String),
    /// There is no login, and one is asked for.
    LoginNeeded,
    /// The login is refused.
    LoginRefused(Refusal),
    /// The login has been good once.
    LoginExpired(Refusal),
    /// The login is good, or none is needed, and the right is missing.
    Forbidden(Refusal),
    /// Another refusal.
    Refused(Refusal),
    /// It names other bytes than were sent, or gives others than were asked for.
    DigestMismatch(String),
    /// A file on this host cannot be written.
    LocalFile(String),
}

/// An answer that is none of those hoped for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Its status.
    pub status: StatusCode,
    /// The first code in its body, such as `DENIED`.
    pub code: String,
    /// The message.
    pub message: String,
    /// The pause that it asks for.
    pub retry_after: Option<Duration>,
}

/// <https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes>
#[derive(Deserialize)]
struct Errors {
    errors: Vec<ErrorEntry>,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct ErrorEntry {
    code: String,
    message: String,
    detail: serde_json::Value,
}

impl Refusal {
    /// Parses the body of an answer: in the form of the specification, or text of a proxy.
    pub fn new(status: StatusCode, body: &[u8], retry_after: Option<Duration>) -> Self {
        let errors = serde_json::from_slice::<Errors>(body)
            .map(|body| body.errors)
            .unwrap_or_default();
        let Some(first) = errors.into_iter().next() else {
            let text = String::from_utf8_lossy(body);
            let text: String = text.trim().chars().take(300).collect();
            return Self {
                status,
                code: String::new(),
                message: text,
                retry_after,
            };
        };
        let detail = match &first.detail {
            serde_json::Value::Null => String::new(),
            serde_json::Value::String(text) => format!(" ({text})"),
            other => format!(" ({other})"),
        };
        let message = format!("{}{detail}", first.message);
        Self {
            status,
            code: first.code,
            message,
            retry_after,
        }
    }

    /// The message for users.
    pub fn sentence(&self) -> String {
        let parts = [self.code.as_str(), self.message.as_str()];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        if parts.is_empty() {
            format!("it answers {}", self.status)
        } else {
            format!("it answers {}: {}", self.status, parts.join(": "))
        }
    }
}

impl RegistryError {
    /// Whether another attempt may end well.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::ConnectionLost(_) => true,
            Self::Refused(refusal) => retry::is_transient(refusal.status),
            _ => false,
        }
    }

    /// The pause that the registry asked for.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(refusal) => refusal.retry_after,
            _ => None,
        }
    }

    /// What a person reads, after everything that could be tried has been tried.
    pub fn explain(&self, purpose: &Purpose, repository: &Repository, found: &FoundLogin) -> Error {
        let registry = &repository.registry;
        let doing = purpose.failing(repository);
        let (code, why, next) = match self {
            Self::Unreachable(why) => (
                &REGISTRY_NOT_REACHED,
                why.clone(),
                format!("correct the registry's name `{registry}`, or let this host reach it"),
            ),
            Self::Untrusted(why) => (
                &AUTHORITY_UNKNOWN,
                why.clone(),
                format!(
                    "name the file of the authority that signed its certificate, or of the certificate itself where it has \
                     signed itself: --registry-ca FILE, or /etc/docker/certs.d/{registry}/ca.crt"
                ),
            ),
            Self::NotARegistry(why) => (
                &NOT_A_REGISTRY,
                why.clone(),
                format!("correct the name and port of `{registry}`; a registry without TLS takes --insecure-http"),
            ),
            Self::Downgrade(address) => (
                &NOT_A_REGISTRY,
                format!("it is asked with TLS, and its header Location leads to `{address}`, without TLS"),
                "have the proxy in front of it send `X-Forwarded-Proto: https`, or set the registry's own address (for \
                 distribution: REGISTRY_HTTP_HOST=https://NAME)"
                    .to_owned(),
            ),
            Self::ConnectionLost(why) => (&CONNECTION_LOST, why.clone(), retry_hint(purpose).to_owned()),
            Self::LoginNeeded => return login_needed(doing, registry, found),
            Self::LoginRefused(refusal) => (&LOGIN_REFUSED, refusal.sentence(), log_in(registry)),
            Self::LoginExpired(refusal) => (&LOGIN_EXPIRED, refusal.sentence(), log_in(registry)),
            Self::Forbidden(refusal) => {
                let (code, right) = match purpose {
                    Purpose::Read => (&READ_REFUSED, "read"),
                    Purpose::Push { .. } => (&PUSH_REFUSED, "push"),
                };
                let next = format!("correct the name `{repository}`, or get the right to {right} there");
                (code, refusal.sentence(), next)
            }
            Self::Refused(refusal) => refusal_cause(refusal, purpose, repository),
            Self::LocalFile(why) => return Error::prerequisite(doing).cause(why),
            Self::DigestMismatch(why) => (
                &DIGEST_MISMATCH,
                why.clone(),
                "run the same command again; if it comes again, go around the proxies on the way".to_owned(),
            ),
        };
        let failure = Error::cluster(doing).code(code).cause(why);
        match (self, &found.login) {
            (Self::LoginRefused(_) | Self::LoginExpired(_) | Self::Forbidden(_), Some(login)) => {
                failure.cause(format!("the login is that of {}", title(login)))
            }
            _ => failure,
        }
        .hint(next)
    }
}

/// A login that could not be read may be the one that is missing.
fn login_needed(doing: String, registry: &str, found: &FoundLogin) -> Error {
    let why = format!("`{registry}` asks for a login, and nothing names one");
    let mut unusable = found.unusable.iter().cloned();
    if let Some(first) = unusable.next() {
        let failure = unusable.fold(first, |failure, cause| failure.cause(cause.message()));
        return failure.cause(why);
    }
    let failure = Error::cluster(doing).code(&LOGIN_NEEDED).cause(why);
    let failure = if found.searched.is_empty() {
        failure
    } else {
        failure.cause(format!("looked for in: {}", found.searched.join(", ")))
    };
    failure.hint(log_in(registry))
}

fn refusal_cause(refusal: &Refusal, purpose: &Purpose, repository: &Repository) -> (&'static Code, String, String) {
    let (code, next) = match (refusal.status.as_u16(), refusal.code.as_str()) {
        (429, _) | (_, "TOOMANYREQUESTS") => (&RATE_LIMITED, "log in, or run the same command again later"),
        (413 | 507, _) | (_, "SIZE_INVALID" | "QUOTA_EXCEEDED") => (
            &TOO_LARGE,
            "make room there, or raise the limit of the registry or of the proxy in front of it",
        ),
        (_, "DIGEST_INVALID" | "MANIFEST_UNVERIFIED") => (&DIGEST_MISMATCH, "run the same command again"),
        (_, "NAME_UNKNOWN" | "NAME_INVALID") => (&REPOSITORY_UNKNOWN, "correct the name, or make the repository"),
        (404, "") => (&NOT_A_REGISTRY, "correct the registry's name"),
        (404, _) => (&REPOSITORY_UNKNOWN, "correct the name, or make the repository"),
        (500.., _) => (&REGISTRY_FAILS, retry_hint(purpose)),
        (100..400, _) => (&NOT_A_REGISTRY, "correct the registry's name"),
        _ => (&CONTENT_REFUSED, "read what it says"),
    };
    (
        code,
        format!("`{}`: {}", repository.registry, refusal.sentence()),
        next.to_owned(),
    )
}

fn retry_hint(purpose: &Purpose) -> &'static str {
    match purpose {
        Purpose::Read => "run the same command again later",
        Purpose::Push { .. } => "run the same command again later: what is there already is not sent again",
    }
}

fn log_in(registry: &str) -> String {
    format!("log in: `docker login {registry}`, or name a user and pipe the password: --user NAME --password-stdin")
}

fn title(login: &Login) -> String {
    match login {
        Login::Password { user, .. } => format!("user `{user}`"),
        Login::IdentityToken(_) => "an identity token".to_owned(),
    }
}

#[cfg(test)]
mod tests;
