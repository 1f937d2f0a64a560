//! Pure: one finding, and where it is.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

/// The effect of a finding; the first is the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// It does not compile for Wasm.
    Compile,
    /// It compiles, and stops or fails at run time.
    Stop,
    /// It runs, and is slow or behaves otherwise.
    Wrong,
}

/// The effort to fix a finding; the least comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Remedy {
    /// Another line in its place.
    Line,
    /// Another dependency with the same API.
    Swap,
    /// Another way of doing it.
    Redesign,
}

/// Where something was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "kind")]
pub enum Location {
    /// A line of a file.
    File {
        /// Its path, from the workspace's folder.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// A crate of the lock file.
    Crate {
        /// The crates that bring it, from the package's own dependency to the crate itself.
        path: Vec<String>,
    },
}

/// Something that is known to fail or to be slow in a Wasm guest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Its name in docs/wasi-crates.md.
    pub trap: &'static str,
    /// Its effect.
    pub weight: Weight,
    /// The effort to fix it.
    pub remedy: Remedy,
    /// Where it is.
    #[serde(rename = "place")]
    pub location: Location,
    /// The finding and its consequence.
    pub what: String,
    /// What to do about it.
    pub fix: String,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Crate { path } => f.write_str(&path.join(" → ")),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]: {}", self.location, self.trap, self.what)
    }
}

/// Sorts findings: the worst first, then by place. Removes duplicates.
pub fn sorted(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|left, right| {
        let key = |finding: &Finding| (finding.weight, finding.location.clone(), finding.trap);
        key(left).cmp(&key(right))
    });
    findings.dedup();
    findings
}
