//! How far a ReplicaSet without a Deployment is, or a ReplicationController: pods that exist already stay as they are when its
//! template changes.

use kube_core::GroupVersionKind;
use serde_json::Value;

use crate::objects::other_key;
use crate::ownership::pods_of;
use crate::presence::{self, Presence};
use crate::status::{Phase, ReadyCount, RolloutStatus};
use crate::{Clock, Objects, Target, failed_create, pod, pod_view, probe_times};

pub fn evaluate(target: &Target, kind: &GroupVersionKind, objects: &Objects, clock: Clock) -> RolloutStatus {
    let key = other_key(kind, &target.namespace, &target.name);
    let set = match presence::find(target, objects.others.get(&key), clock) {
        Presence::Present(set) => set,
        Presence::Absent(phase) => return target.status(None, phase),
    };
    let number = |pointer: &str| {
        let number = set.data.pointer(pointer).and_then(Value::as_i64)?;
        i32::try_from(number).ok()
    };
    let wanted = number("/spec/replicas").unwrap_or(1);
    let min_ready = probe_times::seconds(number("/spec/minReadySeconds").unwrap_or(0));
    let pods: Vec<_> = pods_of(objects, set.metadata.uid.as_deref())
        .filter(|pod| !pod_view::is_leaving(pod))
        .collect();
    let ready = pods.iter().filter(|pod| pod_view::is_ready(pod)).count();
    let count = ReadyCount::new(i32::try_from(ready).unwrap_or(i32::MAX), wanted);
    let observed = set.data.pointer("/status/observedGeneration").and_then(Value::as_i64);
    let phase = presence::unobserved(target, &set.metadata, Some(observed.unwrap_or(0))).unwrap_or_else(|| {
        let parts = pods
            .iter()
            .map(|pod| pod::evaluate(pod, objects, None, min_ready, clock));
        match Phase::of_parts(parts, true) {
            Phase::Done(_) if ready == pods.len() && i32::try_from(ready) == Ok(wanted) => Phase::DONE,
            Phase::Done(_) => failed_create::evaluate(objects, &set.metadata, &target.title(), clock)
                .unwrap_or_else(|| Phase::in_progress(format!("{} of {wanted} pods are there", pods.len()))),
            parts => parts,
        }
    });
    target.status(Some(count), phase)
}
