//! Several expressions at once, for bindgen.

use crate::{Error, Regex};

/// Regular expressions that are asked together.
#[derive(Clone, Debug)]
pub struct RegexSet(Vec<Regex>);

impl RegexSet {
    /// Reads expressions.
    ///
    /// # Errors
    /// When one is none.
    pub fn new<T: AsRef<str>>(expressions: impl IntoIterator<Item = T>) -> Result<Self, Error> {
        let read = expressions
            .into_iter()
            .map(|expression| Regex::new(expression.as_ref()));
        read.collect::<Result<_, _>>().map(Self)
    }

    /// Whether one of them matches somewhere.
    pub fn is_match(&self, text: &str) -> bool {
        self.0.iter().any(|regex| regex.is_match(text))
    }

    /// Which of them match somewhere.
    pub fn matches(&self, text: &str) -> SetMatches {
        let matching = self.0.iter().enumerate().filter(|(_, regex)| regex.is_match(text));
        SetMatches(matching.map(|(index, _)| index).collect())
    }
}

/// The expressions of a set that match.
#[derive(Clone, Debug)]
pub struct SetMatches(Vec<usize>);

impl SetMatches {
    /// Whether there is one.
    pub fn matched_any(&self) -> bool {
        !self.0.is_empty()
    }

    /// Their places in the set.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_match_are_named() {
        let set = RegexSet::new(["^a$", "b+", "."]).unwrap();
        assert_eq!(set.matches("abb").iter().collect::<Vec<_>>(), [1, 2]);
        assert!(set.is_match("a") && !set.is_match("") && !set.matches("").matched_any());
        assert!(RegexSet::new(["a", "("]).is_err());
    }
}
