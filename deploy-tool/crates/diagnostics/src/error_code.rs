//! An entry of the catalogue.

use std::fmt;

/// A failure that has a number.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// Shown as DT0301.
    pub number: u16,
    /// What has happened, in a few words.
    pub title: &'static str,
    /// What it means and how it comes about: a paragraph of Markdown.
    pub explanation: &'static str,
    /// What to do about it: a paragraph of Markdown.
    pub fix: &'static str,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DT{:04}", self.number)
    }
}

impl Code {
    /// Its entry in docs/errors.md, without the heading's mark.
    pub fn text(&self) -> String {
        format!(
            "{self}: {}\n\n{}\n\n**What to do:** {}\n",
            self.title, self.explanation, self.fix
        )
    }
}
