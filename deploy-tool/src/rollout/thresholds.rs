//! How long something that may pass by itself has to last before it counts as a failure. One place, with reasons.
//!
//! What cannot pass by itself counts at once: an image that does not exist, a name that is no image, a handler that no
//! node has, a file that is no program for this machine.

use jiff::SignedDuration;

/// A container that has ended this often does not run. The kubelet restarts it at once, then after 10 s, 20 s, …:
/// the third end comes about ten seconds after the first. One early restart is nothing.
/// <https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy>
pub const ENDS: i32 = 3;

/// Only ends of runs shorter than this count: what has served for a while has come up.
pub const SHORT_RUN: SignedDuration = SignedDuration::from_secs(60);

/// Out of memory twice in a row: the limit is too low. Once can be a peak.
pub const OUT_OF_MEMORY_ENDS: i32 = 2;

/// Pulls that failed for a reason that may pass (network, registry busy): the third comes about 30 s after the first.
pub const FAILED_PULLS: i32 = 3;

/// Pulls from a registry that is not there: the second comes about 12 s after the first.
pub const UNREACHABLE_PULLS: i32 = 2;

/// A missing Secret or ConfigMap may be on its way.
pub const CONFIGURATION: SignedDuration = SignedDuration::from_secs(10);

/// The scheduler may have to hear of new nodes and freed resources first.
pub const UNSCHEDULABLE: SignedDuration = SignedDuration::from_secs(10);

/// Nodes that are starting, and volumes that are being made, take longer.
pub const NODE_OR_VOLUME: SignedDuration = SignedDuration::from_secs(90);

/// The API server refuses a controller's pod. Admission caches may be a moment behind the objects just applied.
pub const REFUSED_PODS: SignedDuration = SignedDuration::from_secs(4);

/// A container that has started, whose database is ready, and which is still not ready.
pub const NOT_READY: SignedDuration = SignedDuration::from_secs(30);
