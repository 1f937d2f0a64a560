//! What moves while something is waited for.
//!
//! Movement is what happens once: a pod is made, gets a node, starts, becomes ready; a count or a condition has a value
//! that it never had. What repeats itself is none: restarts, back-off, probes that fail, refusals. Else a crash loop
//! would move for ever.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeSet, HashSet};
use std::hash::{Hash, Hasher};

use k8s_openapi::api::core::v1::Pod;
use serde_json::Value;

use crate::ownership::pods_of_target;
use crate::status::{Phase, RolloutStatus};
use crate::{Objects, Target, TargetKind, events, other_key, pod_view};

/// The reasons of events that are progress: of nodes, volumes and images.
const MOVES: [&str; 5] = [
    "TriggeredScaleUp",
    "Nominated",
    "SuccessfulAttachVolume",
    "Provisioning",
    "ExternalProvisioning",
];

/// What has been seen of one target.
#[derive(Clone, Debug, Default)]
pub struct Movement {
    /// Hashes of what was so at some time.
    facts: HashSet<u64>,
    /// The pods that were there the last time.
    pods: BTreeSet<String>,
}

impl Movement {
    /// Records the status of a target. Returns whether it made progress since the last call.
    pub fn observe(&mut self, target: &Target, objects: &Objects, status: &RolloutStatus) -> bool {
        let before = self.facts.len();
        let facts = &mut self.facts;
        let mut add = |fact: &dyn Fact| _ = facts.insert(fact.number());
        // Of a crash loop, the counts go up and down: each value counts once.
        add(&("ready", status.ready.map(|count| (count.ready, count.wanted))));
        add(&("done", matches!(status.phase, Phase::Done(_))));
        self::of_object(target, objects, &mut add);
        let pods = pods_of_target(target, objects);
        for pod in &pods {
            of_pod(pod, objects, &mut add);
        }
        // A deleted pod counts as progress: it may free quota, a node or a volume for another one.
        let uids: BTreeSet<String> = pods.iter().filter_map(|pod| pod.metadata.uid.clone()).collect();
        for gone in self.pods.difference(&uids) {
            add(&("gone", gone));
        }
        self.pods = uids;
        self.facts.len() > before
    }
}

/// Something that is so from now on.
trait Fact {
    fn number(&self) -> u64;
}

impl<T: Hash> Fact for T {
    fn number(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }
}

fn of_object(target: &Target, objects: &Objects, add: &mut dyn FnMut(&dyn Fact)) {
    let key = target.key();
    match &target.kind {
        TargetKind::Deployment => {
            if let Some(deployment) = objects.deployments.get(&key) {
                let status = deployment.status.clone().unwrap_or_default();
                add(&("observed", status.observed_generation));
                add(&("all", status.replicas));
                add(&("updated", status.updated_replicas));
                add(&(
                    "old",
                    status.replicas.unwrap_or(0) - status.updated_replicas.unwrap_or(0),
                ));
            }
        }
        TargetKind::StatefulSet => {
            if let Some(set) = objects.stateful_sets.get(&key) {
                let status = set.status.clone().unwrap_or_default();
                add(&("observed", status.observed_generation));
                add(&("all", status.replicas));
                add(&("updated", status.updated_replicas));
            }
        }
        TargetKind::DaemonSet => {
            if let Some(set) = objects.daemon_sets.get(&key) {
                let status = set.status.clone().unwrap_or_default();
                add(&("observed", status.observed_generation));
                add(&("wanted", status.desired_number_scheduled));
                add(&("updated", status.updated_number_scheduled));
            }
        }
        TargetKind::Job => {
            if let Some(job) = objects.jobs.get(&key) {
                let status = job.status.clone().unwrap_or_default();
                add(&("succeeded", status.succeeded));
                add(&("failed", status.failed));
            }
        }
        TargetKind::Pod => {}
        TargetKind::Generic(kind) => {
            let object = objects.others.get(&other_key(kind, &target.namespace, &target.name));
            let status = object.and_then(|object| object.data.get("status"));
            add(&("phase", status.and_then(|status| status["phase"].as_str())));
            let conditions = status.and_then(|status| status["conditions"].as_array());
            for condition in conditions.into_iter().flatten() {
                let text = |field: &str| condition.get(field).and_then(Value::as_str);
                add(&("condition", text("type"), text("status"), text("reason")));
            }
        }
    }
}

fn of_pod(pod: &Pod, objects: &Objects, add: &mut dyn FnMut(&dyn Fact)) {
    let uid = pod.metadata.uid.as_deref();
    add(&("pod", uid));
    add(&("leaving", uid, pod_view::is_leaving(pod)));
    add(&("node", uid, pod_view::node_name(pod)));
    let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    for condition in conditions.filter(|condition| condition.status == "True") {
        add(&("condition", uid, &condition.type_));
    }
    for (_, status) in pod_view::containers(pod) {
        let has_started = pod_view::running_since(status).is_some()
            || pod_view::ended(status).is_some()
            || pod_view::ended_before(status).is_some();
        add(&("started", uid, &status.name, has_started));
        add(&("pulled", uid, &status.name, !status.image_id.is_empty()));
        let is_over = pod_view::ended(status).is_some_and(|ended| ended.exit_code == 0);
        add(&("over", uid, &status.name, is_over));
    }
    if pod_view::is_ready(pod) {
        return;
    }
    for event in events::list_for(objects, &pod.metadata) {
        if event.reason.as_deref().is_some_and(|reason| MOVES.contains(&reason)) {
            add(&("event", &event.metadata.name));
        }
    }
}
