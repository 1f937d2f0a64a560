//! Pure: what a run has changed in the cluster, one object at a time.

use std::fmt;

use serde::Serialize;

use crate::manifest::Wave;
use crate::release::Identity;

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// It was not there before.
    Created,
    /// It was there and is different now.
    Changed,
    /// The server has taken its deletion; it may be there until its finalizers are done.
    Deleted,
}

/// An object that the server has stored, or has taken the deletion of.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Written {
    /// What happened to it.
    pub action: Action,
    /// With which others at the same time.
    pub wave: Wave,
    /// Which object.
    #[serde(flatten)]
    pub identity: Identity,
}

/// As `--verbose` says it: created Deployment `app`.
impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let action = match self.action {
            Action::Created => "created",
            Action::Changed => "changed",
            Action::Deleted => "deleted",
        };
        write!(f, "{action} {}", self.identity.title())
    }
}
