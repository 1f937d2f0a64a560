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

/// A probe that has made the kubelet end a container this often: the probe's own limit is over twice.
pub const PROBE_KILLS: i32 = 2;

/// A missing Secret or ConfigMap may be on its way: what is applied together comes within a second or two, what another
/// controller makes a little later.
pub const CONFIGURATION: SignedDuration = SignedDuration::from_secs(5);

/// What a controller said of the state before is taken back within a second, or a few on a busy machine; or holds.
pub const OLD_VERDICT: SignedDuration = SignedDuration::from_secs(10);

/// The scheduler may have to hear of new nodes and freed resources first.
pub const UNSCHEDULABLE: SignedDuration = SignedDuration::from_secs(10);

/// The scheduler says of every node that freeing what is taken would not help. Whoever adds nodes by himself has a
/// moment to say so.
pub const UNSCHEDULABLE_FOR_GOOD: SignedDuration = SignedDuration::from_secs(4);

/// Nodes that are starting, and volumes that are being made, take longer.
pub const NODE_OR_VOLUME: SignedDuration = SignedDuration::from_secs(90);

/// The volume controller has said why a claim gets no volume. A StorageClass may be on its way.
pub const CLAIM: SignedDuration = SignedDuration::from_secs(5);

/// The kubelet cannot mount a volume: a disk may have to be taken off another node first.
pub const VOLUME: SignedDuration = SignedDuration::from_secs(60);

/// The sandbox fails for another reason than a missing runtime: a node's network may still be starting.
pub const SANDBOX: SignedDuration = SignedDuration::from_secs(60);

/// The API server refuses a controller's pod. Admission caches may be a moment behind the objects just applied.
pub const REFUSED_PODS: SignedDuration = SignedDuration::from_secs(2);

/// A container that has started, whose database is ready, and which is still not ready.
pub const NOT_READY: SignedDuration = SignedDuration::from_secs(30);

/// The autoscaler does not find what it scales. Its controller looks every 15 s.
/// <https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/>
pub const AUTOSCALER: SignedDuration = SignedDuration::from_secs(30);

/// An object is being deleted, and has a finalizer. Its controller needs a moment to take it off.
pub const HELD: SignedDuration = SignedDuration::from_secs(15);

/// A program that the kernel refuses has ended by then.
pub const NO_RUN: SignedDuration = SignedDuration::from_secs(2);

/// How many containers are asked for their last words while something is waited for.
pub const LAST_WORDS: usize = 5;
