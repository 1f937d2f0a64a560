//! As `regex::bytes`: expressions for bytes, which match UTF-8 alone.

use crate::Error;

/// A regular expression.
#[derive(Clone, Debug)]
pub struct Regex(regex_lite::Regex);

impl Regex {
    /// Reads an expression.
    ///
    /// # Errors
    /// When it is none.
    pub fn new(expression: &str) -> Result<Self, Error> {
        regex_lite::Regex::new(expression).map(Self)
    }

    /// Whether it matches somewhere.
    pub fn is_match(&self, bytes: &[u8]) -> bool {
        std::str::from_utf8(bytes).is_ok_and(|text| self.0.is_match(text))
    }

    /// The groups of the first match.
    pub fn captures<'a>(&self, bytes: &'a [u8]) -> Option<Captures<'a>> {
        self.0.captures(std::str::from_utf8(bytes).ok()?).map(Captures)
    }
}

/// What the groups of an expression matched.
#[derive(Debug)]
pub struct Captures<'a>(regex_lite::Captures<'a>);

impl<'a> Captures<'a> {
    /// A group, counted from 1; 0 is the whole match.
    pub fn get(&self, index: usize) -> Option<Match<'a>> {
        self.0.get(index).map(Match)
    }
}

/// What a group matched.
#[derive(Clone, Copy, Debug)]
pub struct Match<'a>(regex_lite::Match<'a>);

impl<'a> Match<'a> {
    /// The bytes of it.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.0.as_str().as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drivers_own_expressions_find_what_they_found() {
        let version = Regex::new(r"^(\d{1,2})\.(\d{1,2})\.(\d{1,3})(.*)").unwrap();
        let found = version.captures(b"11.8.3-MariaDB-0+deb13u1 from Debian").unwrap();
        let group = |index| found.get(index).unwrap().as_bytes();
        assert_eq!([group(1), group(2), group(3)], [&b"11"[..], b"8", b"3"]);
        assert!(found.get(9).is_none());
        assert!(version.captures(b"none").is_none() && version.captures(b"11.8.3\xff").is_none());
        assert!(Regex::new(r"^\d{2}:[0-5]\d:[0-5]\d$").unwrap().is_match(b"10:59:59"));
        let key = Regex::new("-----BEGIN PUBLIC KEY-----([^-]*)-----END PUBLIC KEY-----").unwrap();
        let found = key.captures(b"-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----\n");
        assert_eq!(found.unwrap().get(1).unwrap().as_bytes(), b"\nAA==\n");
    }
}
