//! Pure but for [`worker`]: what became of a compilation in the background.

pub mod worker;

use serde::{Deserialize, Serialize};

/// A compilation that was begun in the background.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct Work {
    /// Its process.
    pub process: u32,
    /// The digest of what it compiles.
    pub sources: String,
}

/// What is known of it later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its process lives.
    pub lives: bool,
    /// The sources are still the same.
    pub is_current: bool,
    /// What it was to make is there.
    pub is_made: bool,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is at work on what is wanted: who needs that waits for it.
    UnderWay,
    /// It is at work on what nobody wants any more.
    Outdated,
    /// It is done.
    Done,
    /// It has failed, or was killed.
    Lost,
}

impl Found {
    /// What became of it.
    pub fn fate(self) -> Fate {
        match self {
            Self { is_made: true, .. } => Fate::Done,
            Self {
                lives: true,
                is_current: true,
                ..
            } => Fate::UnderWay,
            Self { lives: true, .. } => Fate::Outdated,
            Self { lives: false, .. } => Fate::Lost,
        }
    }
}

/// Why it was lost, by what it has said: its error, or nothing when it was killed.
pub fn reason(log: &str) -> &str {
    let error = log.lines().find_map(|line| line.strip_prefix("error"));
    error.map_or("it was killed", |error| error.trim_start_matches([':', ' ']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_it() {
        let cases = [
            ((true, true, false), Fate::UnderWay),
            ((true, false, false), Fate::Outdated),
            ((false, true, false), Fate::Lost),
            ((false, false, false), Fate::Lost),
            ((false, true, true), Fate::Done),
            // It is about to end.
            ((true, true, true), Fate::Done),
            ((true, false, true), Fate::Done),
        ];
        for ((lives, is_current, is_made), expected) in cases {
            let found = Found {
                lives,
                is_current,
                is_made,
            };
            assert_eq!(found.fate(), expected, "{found:?}");
        }
    }

    #[test]
    fn its_error_says_why() {
        let log =
            "✗ Wasm module of app (3.1 s)\n\nerror: the package `app` does not compile for wasm32-wasip1\n  because: …";
        assert_eq!(reason(log), "the package `app` does not compile for wasm32-wasip1");
        assert_eq!(reason("error DT0107 it is gone\n  next: …"), "DT0107 it is gone");
        assert_eq!(reason("  … Wasm module of app (10 s)\n"), "it was killed");
        assert_eq!(reason(""), "it was killed");
    }
}
