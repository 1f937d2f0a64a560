//! A revision: what one deployment of a release applied, who did it, and how it ended.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use kube::api::DynamicObject;
use serde::{Deserialize, Serialize};

use super::Identity;
use crate::manifest::Object;
use diagnostics::{Error, ExitStatus};

/// What one deployment applied, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Revision {
    /// 1 for the first, and one more for each that follows.
    pub number: u32,
    /// How far it came.
    pub state: State,
    /// The command that made it: `up`, `apply`, `rollback to 3`, `down`.
    pub reason: String,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// When it began, by the cluster's clock.
    pub created: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<Timestamp>,
    /// Who makes or made it.
    pub deployer: HolderIdentity,
    /// The manifests, with exact images. Values that are made in the cluster are not in them.
    pub objects: Vec<DynamicObject>,
    /// What the release owns: what this deployment applied, and what unfinished ones before it may have applied.
    pub inventory: BTreeSet<Identity>,
    /// Objects with data of earlier revisions, which are kept until `--delete-data`.
    #[serde(default)]
    pub kept: BTreeSet<Identity>,
    /// Its Jobs that have succeeded and are deleted by their TTL: later, the cluster does not show that.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub completed: BTreeSet<Identity>,
}

impl Revision {
    /// The objects as they came from manifests; the revision takes the place of the file.
    pub fn manifests(&self) -> Vec<Object> {
        let object = |value: &DynamicObject| Object {
            file: format!("revision {}", self.number),
            line: 1,
            value: value.clone(),
        };
        self.objects.iter().map(object).collect()
    }

    /// Whether it can be deployed again: it came up, and is no `down`, which has no objects.
    pub fn is_restorable(&self) -> bool {
        self.state == State::Deployed && !self.objects.is_empty()
    }

    /// Whether one of its Jobs has succeeded and was deleted by `ttlSecondsAfterFinished`, by this record. A revision that was
    /// deployed successfully has run all of its Jobs.
    pub fn has_completed(&self, job: &Object) -> bool {
        let field = |name: &str| job.value.data.get("spec").and_then(|spec| spec.get(name));
        let removes_itself = field("ttlSecondsAfterFinished").is_some_and(|seconds| !seconds.is_null());
        let is_suspended = field("suspend").is_some_and(|suspended| suspended == true);
        let is_job = job.kind() == "Job" && job.group_version_kind().group == "batch";
        let is_over = self.completed.contains(&job.identity()) || self.state == State::Deployed && !is_suspended;
        // By the name first: whole objects are compared for one of them alone.
        let is_same = |object: &DynamicObject| object.metadata.name == job.value.metadata.name && *object == job.value;
        is_job && removes_itself && is_over && self.objects.iter().any(is_same)
    }

    /// The images of its workloads.
    pub fn images(&self) -> BTreeSet<String> {
        crate::manifest::images(&self.manifests())
    }
}

/// How far a revision came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// In progress, or interrupted.
    Pending,
    /// Everything was applied and came up.
    Deployed,
    /// An object was refused or did not become ready, or the run was interrupted.
    Failed,
    /// The time limit was over before it became ready or failed: both are still possible.
    Undecided,
}

impl State {
    /// The state after a deployment that has failed.
    pub fn from_failure(failure: &Error) -> Self {
        match failure.status {
            ExitStatus::Undecided => Self::Undecided,
            _ => Self::Failed,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "pending",
            Self::Deployed => "deployed",
            Self::Failed => "failed",
            Self::Undecided => "undecided",
        })
    }
}

/// A process that works on a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HolderIdentity {
    /// `user@host`
    pub host: String,
    /// The ID of the cache folder, whose file locks show whether a process still runs.
    #[serde(default)]
    pub cache_id: String,
    /// The boot ID of the host: a copy of the cache folder on another host has the same ID, but other file locks.
    #[serde(default)]
    pub boot_id: String,
    /// Its process number there.
    pub process: u32,
}

impl HolderIdentity {
    /// Whether both use the same file locks of the same host. False where an ID is unknown.
    pub fn shares_locks_with(&self, other: &Self) -> bool {
        let is_known = !self.cache_id.is_empty() && !self.boot_id.is_empty();
        is_known && (&self.cache_id, &self.boot_id) == (&other.cache_id, &other.boot_id)
    }
}

/// For sentences: `root@build-7, process 12`.
impl fmt::Display for HolderIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, process {}", self.host, self.process)
    }
}
