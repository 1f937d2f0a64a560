//! Pure: who logs in to a registry, by Docker's configuration file.
//!
//! <https://docs.docker.com/reference/cli/docker/login/#credential-stores>

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;

use super::reference::Repository;
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

    /// The text of a Secret of the type kubernetes.io/dockerconfigjson, with which nodes log in to one registry.
    /// <https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/>
    pub fn pull_secret(&self, repository: &Repository) -> Secret {
        let entry = match self {
            Self::Password { user, password } => {
                let auth = STANDARD.encode(format!("{user}:{}", password.reveal()));
                json!({"username": user, "password": password.reveal(), "auth": auth})
            }
            Self::IdentityToken(token) => json!({"identitytoken": token.reveal()}),
        };
        Secret::new(json!({"auths": {repository.login_key(): entry}}).to_string())
    }
}

/// The part of the file that is about logins.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Configuration {
    auths: BTreeMap<String, Entry>,
    #[serde(rename = "credHelpers")]
    helpers: BTreeMap<String, String>,
    #[serde(rename = "credsStore")]
    store: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
}

// Written by hand: it would show passwords.
impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entry(…)")
    }
}

impl Configuration {
    /// Reads the file's text.
    ///
    /// # Errors
    /// When it is no such file. What it says is not repeated: it may hold passwords.
    pub fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| {
            format!(
                "line {}, column {}: no JSON as Docker writes it",
                error.line(),
                error.column()
            )
        })
    }

    /// The program that keeps the login of a repository's registry: `docker-credential-` and this.
    pub fn helper(&self, repository: &Repository) -> Option<&str> {
        let own = self
            .helpers
            .iter()
            .find(|(key, _)| normal(key) == normal(repository.login_key()));
        let name = own.map_or(self.store.as_str(), |(_, name)| name.as_str());
        (!name.is_empty()).then_some(name)
    }

    /// The login that stands in the file: of the longest path that the repository is in, as podman writes them.
    ///
    /// # Errors
    /// When its entry cannot be read.
    pub fn login(&self, repository: &Repository) -> Result<Option<Login>, String> {
        let registry = normal(repository.login_key());
        let whole = format!("{registry}/{}", repository.path);
        let covers = |key: &str| whole == key || whole.starts_with(&format!("{key}/"));
        let fitting = self.auths.iter().filter(|(key, _)| covers(normal(key)));
        let best = fitting.max_by_key(|(key, _)| normal(key).len());
        best.map_or(Ok(None), |(key, entry)| entry.login(key))
    }
}

impl Entry {
    fn login(&self, key: &str) -> Result<Option<Login>, String> {
        if !self.identitytoken.is_empty() {
            return Ok(Some(Login::IdentityToken(Secret::new(&self.identitytoken))));
        }
        if !self.username.is_empty() {
            return Ok(Some(Login::password(&self.username, &self.password)));
        }
        if self.auth.is_empty() {
            // `docker login` leaves an empty entry beside a credential helper.
            return Ok(None);
        }
        let decoded = STANDARD
            .decode(&self.auth)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok());
        let parts = decoded.as_deref().and_then(|text| text.split_once(':'));
        let (user, password) = parts.ok_or_else(|| format!("`auth` of `{key}` is not USER:PASSWORD in base64"))?;
        Ok(Some(Login::password(user, password.trim_end_matches('\0'))))
    }
}

/// A key without what programs put around a registry's name: `https://index.docker.io/v1/` is `index.docker.io`.
fn normal(key: &str) -> &str {
    let key = key
        .trim_start_matches("https://")
        .trim_start_matches("http://")
        .trim_end_matches('/');
    key.strip_suffix("/v1").or(key.strip_suffix("/v2")).unwrap_or(key)
}

/// What a credential helper answers.
/// <https://github.com/docker/docker-credential-helpers#usage>
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Helped {
    username: String,
    secret: String,
}

/// The login in a credential helper's answer.
pub fn helped(stdout: &str) -> Option<Login> {
    let helped: Helped = serde_json::from_str(stdout).ok()?;
    (!helped.secret.is_empty()).then(|| Login::password(helped.username, helped.secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(text: &str) -> Repository {
        Repository::parse(text).unwrap().0
    }

    #[test]
    fn logins_stand_under_many_keys() {
        // user:secret
        let auth = r#"{"auth": "dXNlcjpzZWNyZXQ="}"#;
        let expected = Some(Login::password("user", "secret"));
        for (key, name) in [
            ("https://index.docker.io/v1/", "user/orders"),
            ("registry.example.com", "registry.example.com/a/b"),
            ("https://registry.example.com/v2/", "registry.example.com/a/b"),
            ("registry.example.com/a", "registry.example.com/a/b"),
            ("localhost:5000", "localhost:5000/orders"),
        ] {
            let text = format!(r#"{{"auths": {{"{key}": {auth}}}}}"#);
            let configuration = Configuration::parse(&text).unwrap();
            assert_eq!(configuration.login(&repository(name)).unwrap(), expected, "{key}");
            assert_eq!(configuration.login(&repository("other.example.com/a")).unwrap(), None);
        }
    }

    #[test]
    fn an_entry_is_a_password_a_token_or_nothing() {
        let login = |entry: &str| {
            let text = format!(r#"{{"auths": {{"x.io": {entry}}}}}"#);
            Configuration::parse(&text).unwrap().login(&repository("x.io/a"))
        };
        let token = Some(Login::IdentityToken(Secret::new("t")));
        assert_eq!(login(r#"{"identitytoken": "t", "auth": "MDA6"}"#), Ok(token));
        assert_eq!(
            login(r#"{"username": "u", "password": "p"}"#),
            Ok(Some(Login::password("u", "p")))
        );
        assert_eq!(login("{}"), Ok(None));
        // With a colon in the password.
        assert_eq!(login(r#"{"auth": "dTphOmI="}"#), Ok(Some(Login::password("u", "a:b"))));
        assert!(login(r#"{"auth": "!"}"#).unwrap_err().contains("x.io"));
    }

    #[test]
    fn a_helper_of_the_registry_comes_before_the_store() {
        let text = r#"{"credHelpers": {"x.io": "one"}, "credsStore": "all", "auths": {"x.io": {}}}"#;
        let configuration = Configuration::parse(text).unwrap();
        assert_eq!(configuration.helper(&repository("x.io/a")), Some("one"));
        assert_eq!(configuration.helper(&repository("y.io/a")), Some("all"));
        assert_eq!(Configuration::parse("{}").unwrap().helper(&repository("x.io/a")), None);
        assert_eq!(
            helped(r#"{"ServerURL":"x","Username":"u","Secret":"s"}"#),
            Some(Login::password("u", "s"))
        );
        assert_eq!(
            helped(r#"{"Username":"<token>","Secret":"s"}"#),
            Some(Login::IdentityToken(Secret::new("s")))
        );
        assert_eq!(helped("credentials not found in native keychain"), None);
    }

    #[test]
    fn nothing_shows_a_password() {
        let text = r#"{"auths": {"x.io": {"username": "u", "password": "hunter2", "auth": "hunter2"}}}"#;
        let configuration = Configuration::parse(text).unwrap();
        let login = configuration.login(&repository("x.io/a")).unwrap();
        assert!(!format!("{configuration:?} {login:?}").contains("hunter2"));
        assert!(
            !Configuration::parse("{\"auths\": \"hunter2\"}")
                .unwrap_err()
                .contains("hunter2")
        );
    }

    #[test]
    fn nodes_read_the_pull_secret_as_docker_does() {
        for login in [Login::password("u", "p:q"), Login::IdentityToken(Secret::new("t"))] {
            for name in ["user/orders", "x.io:5000/a"] {
                let secret = login.pull_secret(&repository(name));
                let read = Configuration::parse(secret.reveal()).unwrap();
                assert_eq!(read.login(&repository(name)), Ok(Some(login.clone())));
            }
        }
    }
}
