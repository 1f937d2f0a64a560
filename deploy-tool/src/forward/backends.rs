//! The pods behind a Service that can answer now, and the one that does.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::ResourceExt;

use rollout::{self, Clock, Objects, Phase, Target};

/// A pod that can answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// The pod.
    pub pod: String,
    /// Its port.
    pub port: u16,
    created: Option<Timestamp>,
}

/// All of them, and the chosen one.
#[derive(Debug)]
pub struct Backends {
    target: IntOrString,
    ready: BTreeMap<String, Backend>,
    /// Ready pods that refused a connection.
    aside: BTreeMap<String, Backend>,
    current: Option<Backend>,
}

impl Backends {
    /// Those with a port of that number or name; none so far.
    pub fn new(target: IntOrString) -> Self {
        Self {
            target,
            ready: BTreeMap::new(),
            aside: BTreeMap::new(),
            current: None,
        }
    }

    /// Updates a pod by its status.
    pub fn update_pod(&mut self, pod: &Pod) {
        self.aside.remove(&pod.name_any());
        match backend(pod, &self.target) {
            Some(backend) => _ = self.ready.insert(pod.name_any(), backend),
            None => _ = self.ready.remove(&pod.name_any()),
        }
    }

    /// A pod is no more.
    pub fn remove_pod(&mut self, pod: &str) {
        self.ready.remove(pod);
        self.aside.remove(pod);
    }

    /// Marks a pod that refused a connection: others are preferred until [`Self::retry`].
    pub fn failed(&mut self, pod: &str) {
        if let Some((name, backend)) = self.ready.remove_entry(pod) {
            self.aside.insert(name, backend);
        }
    }

    /// Makes pods that refused a connection eligible again.
    pub fn retry(&mut self) {
        self.ready.append(&mut self.aside);
    }

    /// Whether there are pods that refused a connection and may be retried.
    pub fn may_recover(&self) -> bool {
        !self.aside.is_empty()
    }

    /// Only these pods are left: a list has started over.
    pub fn retain_pods(&mut self, pods: &BTreeSet<String>) {
        self.ready.retain(|pod, _| pods.contains(pod));
        self.aside.retain(|pod, _| pods.contains(pod));
    }

    /// The pod that answers: the same as before while it can, then the youngest, which a rollout leaves.
    pub fn choose(&mut self) -> Option<Backend> {
        let stays = self
            .current
            .as_ref()
            .is_some_and(|current| self.ready.get(&current.pod) == Some(current));
        if !stays {
            let youngest = self.ready.values().max_by_key(|backend| backend.created);
            self.current = youngest.cloned();
        }
        self.current.clone()
    }
}

fn backend(pod: &Pod, target: &IntOrString) -> Option<Backend> {
    if pod.metadata.deletion_timestamp.is_some() || !rollout::is_ready(pod) {
        return None;
    }
    let port = match target {
        IntOrString::Int(port) => *port,
        IntOrString::String(name) => {
            let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
            let mut ports = containers.flat_map(|container| container.ports.iter().flatten());
            ports.find(|port| port.name.as_ref() == Some(name))?.container_port
        }
    };
    Some(Backend {
        pod: pod.name_any(),
        port: port.try_into().ok()?,
        created: pod.metadata.creation_timestamp.as_ref().map(|time| time.0),
    })
}

/// Why none of these pods can answer.
pub fn reason(pods: &[Pod], now: Timestamp) -> String {
    let leaving = |pod: &&Pod| pod.metadata.deletion_timestamp.is_some();
    let Some(pod) = pods.iter().find(|pod| !leaving(pod)) else {
        return match pods.len() {
            0 => "it selects no pod that is there: the workload has no replicas, or other labels".to_owned(),
            count => format!("its pods are terminating ({count})"),
        };
    };
    let mut objects = Objects::default();
    let key = format!("{}/{}", pod.namespace().unwrap_or_default(), pod.name_any());
    objects.pods.insert(key, pod.clone());
    // Whatever is wrong may have been so for long: everything since the beginning counts.
    let clock = Clock::new(now, Timestamp::UNIX_EPOCH);
    let status = Target::from_object(pod).map(|target| rollout::evaluate(&target, &objects, clock));
    match status.map(|status| status.phase) {
        Some(Phase::Waiting(waiting)) => waiting.reason,
        Some(Phase::Failed(diagnosis)) => diagnosis.sentence,
        // It is ready: then it is the port that is missing.
        Some(Phase::Done(_)) | None => format!(
            "pod `{}` has no port of the name that the Service asks for",
            pod.name_any()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(name: &str, ready: bool, created: &str, leaving: bool) -> Pod {
        let mut pod = json!({
            "metadata": {"name": name, "namespace": "n", "creationTimestamp": created},
            "spec": {"nodeName": "w", "containers": [{"name": "c", "ports": [{"name": "web", "containerPort": 8080}]}]},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }}]},
        });
        if leaving {
            pod["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        }
        serde_json::from_value(pod).unwrap()
    }

    const OLD: &str = "2026-01-01T00:00:00Z";
    const NEW: &str = "2026-01-02T00:00:00Z";

    #[test]
    fn the_same_pod_while_it_can_then_the_youngest() {
        let mut backends = Backends::new(IntOrString::String("web".into()));
        let mut chosen = |change: &dyn Fn(&mut Backends)| {
            change(&mut backends);
            backends.choose().map(|backend| (backend.pod, backend.port))
        };
        assert_eq!(chosen(&|_| ()), None);
        assert_eq!(chosen(&|all| all.update_pod(&pod("b", false, OLD, false))), None);
        assert_eq!(
            chosen(&|all| all.update_pod(&pod("b", true, OLD, false))),
            Some(("b".into(), 8080))
        );
        assert_eq!(
            chosen(&|all| all.update_pod(&pod("a", true, NEW, false))),
            Some(("b".into(), 8080))
        );
        assert_eq!(
            chosen(&|all| all.update_pod(&pod("c", true, OLD, false))),
            Some(("b".into(), 8080))
        );
        assert_eq!(
            chosen(&|all| all.update_pod(&pod("b", true, OLD, true))),
            Some(("a".into(), 8080))
        );
        assert_eq!(chosen(&|all| all.remove_pod("a")), Some(("c".into(), 8080)));
        // A ready pod that refused a connection is tried again, unless it was deleted since.
        assert_eq!(chosen(&|all| all.failed("c")), None);
        assert_eq!(chosen(&Backends::retry), Some(("c".into(), 8080)));
        chosen(&|all| all.failed("c"));
        assert_eq!(
            chosen(&|all| {
                all.remove_pod("c");
                all.retry();
            }),
            None
        );
        chosen(&|all| all.update_pod(&pod("c", true, OLD, false)));
        assert_eq!(chosen(&|all| all.retain_pods(&BTreeSet::new())), None);
    }

    #[test]
    fn ports_by_number_or_by_a_name_that_is_there() {
        let ready = pod("a", true, OLD, false);
        let port = |target| backend(&ready, &target).map(|backend| backend.port);
        assert_eq!(port(IntOrString::Int(33060)), Some(33060));
        assert_eq!(port(IntOrString::String("web".into())), Some(8080));
        assert_eq!(port(IntOrString::String("other".into())), None);
    }

    #[test]
    fn why_nobody_answers() {
        let now = NEW.parse().unwrap();
        assert!(reason(&[], now).contains("no replicas"));
        assert!(reason(&[pod("a", true, OLD, true)], now).contains("terminating (1)"));
        let starting = reason(&[pod("a", false, OLD, false)], now);
        assert!(starting.contains('a') && starting.contains("starting"), "{starting}");
    }
}
