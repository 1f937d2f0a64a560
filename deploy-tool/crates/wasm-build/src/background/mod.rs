//! Pure but for [`worker`]: what became of a compilation in the background.

pub mod worker;

use serde::{Deserialize, Serialize};

/// A compilation that was begun in the background.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct Job {
    /// Its process.
    pub process: u32,
    /// The digest of its sources.
    pub sources: String,
}

/// The state of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// Its process lives.
    pub lives: bool,
    /// The sources are still the same.
    pub is_current: bool,
    /// Whether its result exists.
    pub is_made: bool,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    /// It is compiling the wanted sources: a process that needs the result waits for it.
    UnderWay,
    /// It is compiling outdated sources.
    Outdated,
    /// It is done.
    Done,
    /// It has failed, or was killed.
    Lost,
}

impl Lookup {
    /// What became of it.
    pub fn state(self) -> JobState {
        match self {
            Self { is_made: true, .. } => JobState::Done,
            Self {
                lives: true,
                is_current: true,
                ..
            } => JobState::UnderWay,
            Self { lives: true, .. } => JobState::Outdated,
            Self { lives: false, .. } => JobState::Lost,
        }
    }
}

/// The error in its log; empty when it was killed.
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
            ((true, true, false), JobState::UnderWay),
            ((true, false, false), JobState::Outdated),
            ((false, true, false), JobState::Lost),
            ((false, false, false), JobState::Lost),
            ((false, true, true), JobState::Done),
            // It is about to end.
            ((true, true, true), JobState::Done),
            ((true, false, true), JobState::Done),
        ];
        for ((lives, is_current, is_made), expected) in cases {
            let found = Lookup {
                lives,
                is_current,
                is_made,
            };
            assert_eq!(found.state(), expected, "{found:?}");
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
