//! The result of waiting for a release.

use crate::Diagnosis;

/// The state of a release as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Not decided yet.
    Waiting,
    /// All targets are ready.
    Ready,
    /// It does not become ready.
    Failed(Failed),
    /// All other targets are ready, and the result of the remaining ones was not observed.
    Unknown,
}

/// Why a release does not become ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The diagnosis that decides it.
    pub first: Diagnosis,
    /// Further diagnoses.
    pub others: Vec<Diagnosis>,
}
