//! Whether what was applied to a Kubernetes cluster is rolled out, still on its way, or does not come up; and why, in a
//! sentence with what to do about it. Pure: the caller has the objects, this crate says what they mean.
//!
//! One object at a time, [`evaluate`] gives a [`RolloutStatus`]. Evidence is of four classes:
//!
//! | class | what it is | example |
//! |---|---|---|
//! | failed | only a change of the object itself can help | an image name that is none, a Job that has given up |
//! | blocked | something else may put it right | a missing Secret, a crash loop, no node that fits |
//! | in course | something is under way that has a limit of its own | a pull, an init container, a startup probe |
//! | settling | the counts are right, that it stays up is not proven | a container without readiness probe, 3 s old |
//!
//! A whole release over time is for a [`Tracker`]: it says when what is blocked has failed, and when everything is
//! there. The rule it keeps: never worse than `kubectl rollout status`. What that would see come up is not failed, and
//! what does not stay up is not called ready.
//!
//! [`watch_set`] says what has to be watched for that, [`Trim`] what of it has to be kept, [`default_time_limit`] how long
//! to wait at most.
//!
//! ```
//! use rollout::{Clock, Objects, Policy, Target, Tracker, Verdict};
//! # let stored = serde_json::json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"}});
//! # let (now, since) = (jiff::Timestamp::UNIX_EPOCH, jiff::Timestamp::UNIX_EPOCH);
//! // What the API server answered when the object was applied; nothing for kinds that are there at once.
//! let targets: Vec<Target> = Target::from_object(&stored).into_iter().collect();
//! let mut tracker = Tracker::new(&targets, Policy::default());
//! // Again and again, as watches change the objects:
//! let mut objects = Objects::default();
//! objects.insert(&stored)?;
//! let (statuses, verdict) = tracker.observe(&objects, Clock::new(now, since));
//! assert_eq!(verdict, Verdict::Waiting);
//! assert_eq!(statuses[0].sentence(), "Pod `web`: 0 of 1 ready; pod `web` waits for a node");
//! # Ok::<(), serde_json::Error>(())
//! ```

mod clock;
mod configuration;
mod container;
mod daemon_set;
mod dapr;
mod deployment;
mod diagnosis;
mod evaluate;
mod events;
mod exec_format;
mod failed_create;
mod finalizer;
mod generic;
mod image;
mod job;
mod movement;
mod objects;
mod ownership;
mod pod;
mod pod_view;
mod presence;
mod probe;
mod probe_times;
mod progress_row;
mod pvc;
mod replace;
mod replica_set;
mod sandbox;
mod scheduling;
mod settle;
mod stateful_set;
mod status;
mod target;
#[cfg(test)]
mod tests;
mod text;
pub mod thresholds;
mod tracker;
mod trim;
mod watch_set;

pub use clock::Clock;
pub use dapr::{SIDECAR_ANNOTATION, is_sidecar_requested};
pub use diagnosis::{ContainerLog, Diagnosis, Evidence};
pub use evaluate::evaluate;
pub use exec_format::unread_logs;
pub use failed_create::{Controller, refused_before};
pub use finalizer::diagnose as diagnose_deletion;
pub use generic::{declares_conditions, definition};
pub use objects::{Objects, event_key, other_key};
pub use pod_view::{containers, is_ready};
pub use progress_row::{Row, RowState};
pub use replace::pods_to_replace;
pub use sandbox::{is_systemd_unreachable, unknown_handler};
pub use status::{Phase, ReadyCount, RolloutStatus, WaitClass, Waiting};
pub use target::{DATABASE_ANNOTATION, Target, TargetKind, default_time_limit, is_built_in, label_selector};
pub use tracker::{Failed, Policy, Tracker, Verdict};
pub use trim::Trim;
pub use watch_set::{NOISE, Need, NeedKind, Selection, watch_set};

/// Compiles and runs the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
