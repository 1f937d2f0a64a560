//! Pure: who logs in to a registry, by Docker's and podman's files.
//!
//! <https://docs.docker.com/reference/cli/docker/login/#credential-stores>

use std::cmp::Reverse;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer};

use super::reference::{Repository, registry_name};
use super::secret::Secret;

/// The user name by which credential helpers mark an identity token.
const TOKEN_USER: &str = "<token>";

/// Who logs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// A user with a password or access token.
    Password {
        /// The user.
        user: String,
        /// The password or access token.
        password: Secret,
    },
    /// A token that the registry's token server exchanges for short-lived ones.
    IdentityToken(Secret),
}

impl Login {
    /// The parts of `USER:PASSWORD`.
    pub fn password(user: impl Into<String>, password: impl Into<String>) -> Self {
        let (user, password) = (user.into(), password.into());
        match user.as_str() {
            TOKEN_USER => Self::IdentityToken(Secret::new(password)),
            _ => Self::Password {
                user,
                password: Secret::new(password),
            },
        }
    }
}

/// The part of the file that is about logins.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct DockerConfig {
    #[serde(deserialize_with = "or_null")]
    auths: BTreeMap<String, Option<Entry>>,
    #[serde(rename = "credHelpers", deserialize_with = "or_null")]
    helpers: BTreeMap<String, Option<String>>,
    #[serde(rename = "credsStore", deserialize_with = "or_null")]
    store: String,
}

/// As in Go, `null` is nothing.
fn or_null<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A login in the file.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Entry {
    #[serde(deserialize_with = "or_null")]
    auth: String,
    #[serde(deserialize_with = "or_null")]
    username: String,
    #[serde(deserialize_with = "or_null")]
    password: String,
    #[serde(deserialize_with = "or_null")]
    identitytoken: String,
}

// Written by hand: it would show passwords.
impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entry(…)")
    }
}

impl DockerConfig {
    /// Reads the file's text.
    ///
    /// # Errors
    /// When it is invalid. The error does not contain the text, which may have passwords.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_str(text).map_err(|error| {
            format!(
                "line {}, column {}: no JSON as Docker writes it",
                error.line(),
                error.column()
            )
        })
    }

    /// Where the login of a repository may be, the closest first: by the longest path that the repository is in, as podman
    /// writes them; at the same length what a helper keeps comes before what stands in the file.
    pub fn credential_sources(&self, repository: &Repository) -> Vec<CredentialSource<'_>> {
        let mut sources: Vec<(usize, CredentialSource<'_>)> = Vec::new();
        let mut has_own = false;
        for (key, program) in &self.helpers {
            let Some(program) = program else { continue };
            if let Some(length) = covers(key, repository).filter(|_| !program.is_empty()) {
                has_own = true;
                sources.push((length, CredentialSource::Helper(program)));
            }
        }
        if !has_own && !self.store.is_empty() {
            sources.push((repository.registry.len(), CredentialSource::Helper(&self.store)));
        }
        for (key, entry) in &self.auths {
            let Some(entry) = entry else { continue };
            // `docker login` leaves an empty entry beside a credential helper.
            if let Some(length) = covers(key, repository).filter(|_| !entry.is_empty()) {
                sources.push((length, CredentialSource::Entry(key, entry)));
            }
        }
        // Of two keys that mean the same, the name itself comes before an address.
        sources.sort_by_key(|(length, source)| match source {
            CredentialSource::Helper(_) => (Reverse(*length), 0),
            CredentialSource::Entry(key, _) => (Reverse(*length), 1 + usize::from(*key != normalize_key(key))),
        });
        sources.into_iter().map(|(_, source)| source).collect()
    }
}

/// Where a login may be.
#[derive(Clone, Copy, Debug)]
pub enum CredentialSource<'a> {
    /// With a program: `docker-credential-` and this.
    Helper(&'a str),
    /// In the file, under this key.
    Entry(&'a str, &'a Entry),
}

impl Entry {
    fn is_empty(&self) -> bool {
        [&self.identitytoken, &self.username, &self.auth]
            .iter()
            .all(|text| text.is_empty())
    }

    /// The login in it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn login(&self, key: &str) -> Result<Login, String> {
        if !self.identitytoken.is_empty() {
            return Ok(Login::IdentityToken(Secret::new(&self.identitytoken)));
        }
        if self.auth.is_empty() {
            return Ok(Login::password(&self.username, &self.password));
        }
        // Made by hand with `base64`, it has a line end after each 76 characters.
        let auth: String = self.auth.split(['\r', '\n']).collect();
        let decoded = STANDARD
            .decode(auth)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok());
        let parts = decoded.as_deref().and_then(|text| text.split_once(':'));
        let (user, password) = parts.ok_or_else(|| format!("`auth` of `{key}` is not USER:PASSWORD in base64"))?;
        Ok(Login::password(user, password.trim_end_matches('\0')))
    }
}

/// How much of a repository's name a key covers, in bytes; none when it is the key of another one.
///
/// podman's keys are a registry or a path in it, Docker's a registry or an address of it.
/// <https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md>
fn covers(key: &str, repository: &Repository) -> Option<usize> {
    let key = normalize_key(key);
    let (host, path) = key.split_once('/').unwrap_or((&key, ""));
    let rest = repository.path.strip_prefix(path)?;
    let is_whole = path.is_empty() || rest.is_empty() || rest.starts_with('/');
    (host == repository.registry && is_whole).then_some(key.len())
}

/// A key as repositories are named: `https://index.docker.io/v1/` is `docker.io`. Of an address only the host counts.
fn normalize_key(key: &str) -> String {
    let address = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://"));
    let name = address.unwrap_or(key).trim_end_matches('/');
    let (host, path) = name.split_once('/').unwrap_or((name, ""));
    let host = registry_name(host);
    match (address, path) {
        (Some(_), _) | (None, "" | "v1" | "v2") => host.to_owned(),
        (None, path) => format!("{host}/{path}"),
    }
}

/// What a credential helper answers.
/// <https://github.com/docker/docker-credential-helpers#usage>
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HelperOutput {
    username: String,
    secret: String,
}

/// The login in a credential helper's answer.
pub fn parse_helper_output(stdout: &str) -> Option<Login> {
    let output: HelperOutput = serde_json::from_str(stdout).ok()?;
    (!output.secret.is_empty()).then(|| Login::password(output.username, output.secret))
}

#[cfg(test)]
mod tests;
