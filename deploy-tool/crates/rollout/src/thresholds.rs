//! All time limits and counts for decisions, with their reasons.
//!
//! A problem is always *shown* at once. The first part of this file defines when it is a failure; the second, what is a
//! clear sign for [`Policy::fail_fast`](crate::Policy::fail_fast).

use jiff::SignedDuration;

// When something is decided.

/// A blocked target has failed after this time without progress, unless a field of the object has a limit: `progressDeadlineSeconds` of a Deployment is 600 by default.
/// <https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#progress-deadline-seconds>
pub const STALL: SignedDuration = SignedDuration::from_secs(600);

/// The Deployment controller reports an exceeded deadline itself; this much later it is computed here.
pub const DEADLINE_MARGIN: SignedDuration = SignedDuration::from_secs(60);

/// A crash loop in a release where nothing else is unfinished. Containers that end at once are started 0, 1, 11, 31 and
/// 72 s after the first start, and then at 153 s: five attempts have failed by then.
/// <https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy>
pub const CRASH_LOOP: SignedDuration = SignedDuration::from_secs(120);

/// A container that has ended this often does not run. One early restart is nothing.
pub const ENDS: i32 = 3;

/// The longest retry interval of the kubelet for problems without a count of attempts: missing Secrets, volumes that
/// cannot be mounted (2 min 2 s).
pub const LONGEST_RETRY: SignedDuration = SignedDuration::from_secs(130);

/// After a failure, other targets in progress get this much more time, so that one run reports all failures.
pub const FAILURE_GRACE: SignedDuration = SignedDuration::from_secs(10);

/// The shortest default of the time limit. It has to be longer than any deadline in the objects.
pub const TIME_LIMIT: SignedDuration = SignedDuration::from_secs(15 * 60);

/// The default of the time limit while nodes are being added.
pub const TIME_LIMIT_FOR_NODES: SignedDuration = SignedDuration::from_secs(30 * 60);

/// A container without a readiness probe is ready after it has run this long.
pub const SETTLE: SignedDuration = SignedDuration::from_secs(10);

/// A pod whose readiness is probed, after its first answer.
pub const SETTLE_READY: SignedDuration = SignedDuration::from_secs(3);

/// Added to one and a half times the run before the last end.
pub const SETTLE_MARGIN: SignedDuration = SignedDuration::from_secs(5);

/// Upper limit of the time to settle, unless `minReadySeconds` is longer.
pub const LONGEST_SETTLE: SignedDuration = SignedDuration::from_secs(120);

/// A node that an autoscaler has begun to make is there by then, or it is not coming.
/// <https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md> (max-node-provision-time)
pub const NODE_COMES: SignedDuration = SignedDuration::from_secs(15 * 60);

/// Margin after the grace period of a terminating pod: until then it may free resources for another one.
pub const LEAVING: SignedDuration = SignedDuration::from_secs(60);

/// With `imagePullPolicy: Never` and a missing image: the kubelet has checked at least twice, and a load of the image into
/// the node has had time.
pub const IMAGE_NEVER: SignedDuration = SignedDuration::from_secs(30);

/// Policies, levels and limits that refuse a pod: the same answer over so long a time is one that stays.
pub const REFUSED_FOR_GOOD: SignedDuration = SignedDuration::from_secs(60);

/// …and at least this often.
pub const REFUSALS: i32 = 3;

/// A controller for load balancers reacts within a second or two; after this time there is none.
pub const LOAD_BALANCER: SignedDuration = SignedDuration::from_secs(30);

/// The controller of HorizontalPodAutoscalers looks every 15 s; that of a custom kind writes a first status.
pub const FIRST_STATUS: SignedDuration = SignedDuration::from_secs(60);

// What a clear sign is.

/// Only exits of runs shorter than this count as failed starts.
pub const SHORT_RUN: SignedDuration = SignedDuration::from_secs(60);

/// Out of memory twice in a row: the limit is too low. Once can be a peak.
pub const OUT_OF_MEMORY_ENDS: i32 = 2;

/// Pulls that failed for a reason that may pass (network, registry busy): the third comes about 30 s after the first.
pub const FAILED_PULLS: i32 = 3;

/// Pulls from a registry that is not there: the second comes about 12 s after the first.
pub const UNREACHABLE_PULLS: i32 = 2;

/// A probe that has made the kubelet end a container this often: the probe's own limit is over twice.
pub const PROBE_KILLS: i32 = 2;

/// For a missing Secret or ConfigMap: objects that are applied together appear within a second or two.
pub const CONFIGURATION: SignedDuration = SignedDuration::from_secs(5);

/// The scheduler needs time to see new nodes and freed resources, and a cluster autoscaler scans every ten seconds.
pub const UNSCHEDULABLE: SignedDuration = SignedDuration::from_secs(30);

/// Nodes that are starting, and volumes that are being made, take longer.
pub const NODE_OR_VOLUME: SignedDuration = SignedDuration::from_secs(90);

/// After an event about an unbound claim: its StorageClass may be created a moment later.
pub const CLAIM: SignedDuration = SignedDuration::from_secs(5);

/// The kubelet cannot mount a volume: a disk may have to be taken off another node first.
pub const VOLUME: SignedDuration = SignedDuration::from_secs(60);

/// The sandbox fails for another reason than a missing runtime: a node's network may still be starting.
pub const SANDBOX: SignedDuration = SignedDuration::from_secs(60);

/// The API server refuses a controller's pod. Admission caches may be a moment behind the objects just applied.
pub const REFUSED_PODS: SignedDuration = SignedDuration::from_secs(2);

/// An object is being deleted, and has a finalizer. Its controller needs a moment to take it off.
pub const HELD: SignedDuration = SignedDuration::from_secs(15);

// What containers are asked.

/// A program that the kernel refuses has ended by then.
pub const NO_RUN: SignedDuration = SignedDuration::from_secs(2);

/// How many containers are asked for their last words while something is waited for.
pub const LAST_WORDS: usize = 5;
