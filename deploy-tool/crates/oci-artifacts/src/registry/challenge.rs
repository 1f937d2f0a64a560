//! Pure: what a registry asks for with 401, and what its token server answers.
//!
//! <https://distribution.github.io/distribution/spec/auth/token/>

use serde::Deserialize;

use super::secret::Secret;

/// How a registry wants to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// User and password with each request.
    Basic,
    /// A token, to be had elsewhere.
    Bearer {
        /// The token server's address.
        realm: String,
        /// The registry's name at the token server.
        service: Option<String>,
        /// Why the last token was no good: `invalid_token`, `insufficient_scope`.
        error: Option<String>,
    },
}

impl Challenge {
    /// Reads the headers `WWW-Authenticate`: the first challenge that is understood, tokens preferred.
    pub fn parse<'a>(headers: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut found: Vec<Self> = headers.into_iter().filter_map(one).collect();
        found.sort_by_key(|challenge| *challenge == Self::Basic);
        found.into_iter().next()
    }
}

fn one(header: &str) -> Option<Challenge> {
    let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
    if scheme.eq_ignore_ascii_case("basic") {
        return Some(Challenge::Basic);
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let parameters = parameters(rest);
    let value = |name: &str| {
        let mut found = parameters.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.clone())
    };
    Some(Challenge::Bearer {
        realm: value("realm")?,
        service: value("service"),
        error: value("error"),
    })
}

/// Splits `a="b,c",d=e`: commas inside quotes belong to the value.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut parameters = Vec::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim_matches([',', ' ']).to_owned();
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(',').unwrap_or((after, "")),
        };
        parameters.push((name, value.trim().to_owned()));
        rest = next;
    }
    parameters
}

/// What may be done with one repository.
pub fn scope(path: &str, actions: &str) -> String {
    format!("repository:{path}:{actions}")
}

/// What a token server answers. Some have one name for the token, some the other.
#[derive(Deserialize)]
struct Answer {
    token: Option<String>,
    access_token: Option<String>,
}

/// The token in a token server's answer.
pub fn token(body: &[u8]) -> Option<Secret> {
    let answer: Answer = serde_json::from_slice(body).ok()?;
    let token = answer.token.or(answer.access_token)?;
    (!token.is_empty()).then(|| Secret::new(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_as_registries_write_them() {
        let bearer = |realm: &str, service: Option<&str>, error: Option<&str>| {
            Some(Challenge::Bearer {
                realm: realm.into(),
                service: service.map(Into::into),
                error: error.map(Into::into),
            })
        };
        let cases = [
            (
                r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push",error="invalid_token""#,
                bearer(
                    "https://auth.docker.io/token",
                    Some("registry.docker.io"),
                    Some("invalid_token"),
                ),
            ),
            (
                "bearer realm=https://x/t, service=y",
                bearer("https://x/t", Some("y"), None),
            ),
            (r#"Basic realm="test""#, Some(Challenge::Basic)),
            ("Basic", Some(Challenge::Basic)),
            (r#"Bearer service="x""#, None),
            ("Negotiate", None),
            ("", None),
        ];
        for (header, expected) in cases {
            assert_eq!(Challenge::parse([header]), expected, "{header}");
        }
        let both = Challenge::parse(["Basic realm=x", r#"Bearer realm="https://x/t""#]);
        assert_eq!(both, bearer("https://x/t", None, None));
    }

    #[test]
    fn a_token_has_one_of_two_names() {
        for body in [r#"{"token":"t","expires_in":300}"#, r#"{"access_token":"t"}"#] {
            assert_eq!(token(body.as_bytes()), Some(Secret::new("t")), "{body}");
        }
        for body in ["", "{}", r#"{"token":""}"#, "<html>"] {
            assert_eq!(token(body.as_bytes()), None, "{body}");
        }
    }
}
