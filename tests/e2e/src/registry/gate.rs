//! Pure: a token server and the tokens it has given, as Docker Hub and others have them.
//!
//! <https://distribution.github.io/distribution/spec/auth/token/>

/// Who gets tokens, and how long these are good.
pub struct Gate {
    known: Known,
    uses: usize,
    given: usize,
    left: usize,
    asked: Vec<String>,
}

/// Who is known.
pub enum Known {
    /// Who brings this header: user and password.
    Basic(String),
    /// Who brings this identity token.
    Identity(&'static str),
}

impl Gate {
    /// Gives tokens that are good for so many requests.
    pub fn new(known: Known, uses: usize) -> Self {
        Self {
            known,
            uses,
            given: 0,
            left: 0,
            asked: Vec::new(),
        }
    }

    /// Whether a request may pass: it brings the newest token, and that is still good.
    pub fn lets_in(&mut self, authorization: &str) -> bool {
        let good = self.left > 0 && authorization == format!("Bearer token-{}", self.given);
        self.left -= usize::from(good);
        good
    }

    /// A token, for somebody who is known.
    pub fn token(&mut self, authorization: &str, question: &str) -> Option<String> {
        self.asked.push(question.to_owned());
        let is_known = match &self.known {
            Known::Basic(header) => authorization == header,
            Known::Identity(token) => question.ends_with(&format!("refresh_token={token}")),
        };
        is_known.then(|| {
            self.given += 1;
            self.left = self.uses;
            format!(r#"{{"token":"token-{}"}}"#, self.given)
        })
    }

    /// What was asked for: the query or the form of each request for a token.
    pub fn asked(&self) -> &[String] {
        &self.asked
    }

    /// How many tokens were given.
    pub fn given(&self) -> usize {
        self.given
    }
}
