//! Pure: parses the WWW-Authenticate header of a registry's 401, and the answer of its token server.
//!
//! <https://distribution.github.io/distribution/spec/auth/token/>

use serde::Deserialize;

use super::secret::Secret;

/// How a registry wants to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// User and password with each request.
    Basic,
    /// A token, which another server issues.
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
        let mut found: Vec<Self> = headers
            .into_iter()
            .flat_map(list)
            .filter_map(|challenge| challenge.challenge())
            .collect();
        found.sort_by_key(|challenge| *challenge == Self::Basic);
        found.into_iter().next()
    }

    /// The schemes that headers name, whether they are understood or not.
    pub fn schemes<'a>(headers: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
        headers
            .into_iter()
            .flat_map(list)
            .map(|challenge| challenge.scheme)
            .collect()
    }
}

/// One challenge of a list.
struct ListedChallenge<'a> {
    scheme: &'a str,
    parameters: Vec<(&'a str, String)>,
}

impl ListedChallenge<'_> {
    fn challenge(&self) -> Option<Challenge> {
        if self.scheme.eq_ignore_ascii_case("basic") {
            return Some(Challenge::Basic);
        }
        if !self.scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let value = |name: &str| {
            let mut found = self.parameters.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
            found.next().map(|(_, value)| value.clone())
        };
        Some(Challenge::Bearer {
            realm: value("realm")?,
            service: value("service"),
            error: value("error"),
        })
    }
}

/// Splits a header into its challenges. Commas separate challenges and parameters alike: what has no `=` behind it is a
/// scheme, unless it is the one text that a scheme may have in place of parameters.
/// <https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1>
fn list(header: &str) -> Vec<ListedChallenge<'_>> {
    const SPACE: [char; 2] = [' ', '\t'];
    let mut challenges: Vec<ListedChallenge<'_>> = Vec::new();
    let mut rest = header;
    loop {
        let start = rest.trim_start_matches(SPACE);
        // Where a list goes on after a comma, or begins, a scheme may stand.
        let word = start.trim_start_matches([',', ' ', '\t']);
        let is_first = challenges.is_empty() || word.len() < start.len();
        let end = word.find([',', ' ', '\t', '=', '"']).unwrap_or(word.len());
        let (name, after) = word.split_at(end);
        if name.is_empty() {
            // Nothing that can stand here: the next character is left out.
            let mut left = word.chars();
            match left.next() {
                Some(_) => rest = left.as_str(),
                None => return challenges,
            }
            continue;
        }
        let value = after
            .trim_start_matches(SPACE)
            .strip_prefix('=')
            .map(|value| value.trim_start_matches(SPACE));
        match (value, challenges.last_mut()) {
            // The end of base64, as in `Negotiate YII=`.
            (Some(value), Some(_)) if !is_first && (value.is_empty() || value.starts_with(['=', ','])) => {
                rest = value.trim_start_matches('=');
            }
            (Some(value), Some(challenge)) => {
                let (value, after) = parameter(value);
                challenge.parameters.push((name, value));
                rest = after;
            }
            (None, _) if is_first => {
                challenges.push(ListedChallenge {
                    scheme: name,
                    parameters: Vec::new(),
                });
                rest = after;
            }
            // A parameter of nothing, or base64.
            _ => rest = after,
        }
    }
}

/// The value of a parameter, quoted or not, and the rest of the text. Some registries do not quote URLs.
fn parameter(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let (mut value, mut characters) = (String::new(), quoted.chars());
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => value.extend(characters.next()),
            other => value.push(other),
        }
    }
    (value, characters.as_str())
}

/// What may be done with one repository.
pub fn scope(path: &str, actions: &str) -> String {
    format!("repository:{path}:{actions}")
}

/// What a token server answers. Some have one name for the token, some the other.
#[derive(Deserialize)]
struct Response {
    token: Option<String>,
    access_token: Option<String>,
}

/// The token in a token server's answer.
pub fn token(body: &[u8]) -> Option<Secret> {
    let answer: Response = serde_json::from_slice(body).ok()?;
    let tokens = [answer.token, answer.access_token];
    let token = tokens.into_iter().flatten().find(|token| !token.is_empty())?;
    Some(Secret::new(token))
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
            // Several in one header, RFC 9110, 11.6.1.
            (
                r#"Basic realm="r", Bearer realm="https://x/t",service="y""#,
                bearer("https://x/t", Some("y"), None),
            ),
            (
                r#"Bearer realm="https://x/t",service="y", Basic realm="r""#,
                bearer("https://x/t", Some("y"), None),
            ),
            (
                r#"Negotiate, Bearer realm="https://x/t""#,
                bearer("https://x/t", None, None),
            ),
            (
                r#"Negotiate YIIabc==, Bearer realm="https://x/t""#,
                bearer("https://x/t", None, None),
            ),
            ("Negotiate YIIabc=, Basic", Some(Challenge::Basic)),
            ("Negotiate YIIabc, Basic", Some(Challenge::Basic)),
            (
                r#"Digest realm="a, Bearer realm=b", nonce="x", algorithm=MD5, BEARER Realm = "https://x/t" , Service = y"#,
                bearer("https://x/t", Some("y"), None),
            ),
            (
                r#"Newauth realm="apps", type=1, title="Login to \"apps\"", Basic realm="simple""#,
                Some(Challenge::Basic),
            ),
            (
                r#", ,Bearer ,realm="https://x/t" ,, service="a\"b,c""#,
                bearer("https://x/t", Some("a\"b,c"), None),
            ),
            (
                r#"Bearer realm="https://x/t" service="y""#,
                bearer("https://x/t", Some("y"), None),
            ),
            (r#"Bearer realm="https://x/t"#, bearer("https://x/t", None, None)),
            (r#"Digest realm="Basic""#, None),
            (r#"Bearer service="x""#, None),
            ("Negotiate", None),
            (r#"="" "" = ,"#, None),
            ("", None),
        ];
        for (header, expected) in cases {
            assert_eq!(Challenge::parse([header]), expected, "{header}");
        }
        let both = Challenge::parse(["Basic realm=x", r#"Bearer realm="https://x/t""#]);
        assert_eq!(both, bearer("https://x/t", None, None));
        assert_eq!(
            Challenge::schemes([r#"Negotiate, NTLM, Digest realm="x""#, "Hawk"]),
            ["Negotiate", "NTLM", "Digest", "Hawk"]
        );
    }

    #[test]
    fn a_token_has_one_of_two_names() {
        for body in [
            r#"{"token":"t","expires_in":300}"#,
            r#"{"access_token":"t"}"#,
            r#"{"token":"","access_token":"t"}"#,
        ] {
            assert_eq!(token(body.as_bytes()), Some(Secret::new("t")), "{body}");
        }
        for body in ["", "{}", r#"{"token":""}"#, "<html>"] {
            assert_eq!(token(body.as_bytes()), None, "{body}");
        }
    }
}
