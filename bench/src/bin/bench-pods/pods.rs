//! Edge: the pods of a variant, and when this host has heard of each change. Their own times are whole seconds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use futures::stream::{BoxStream, StreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::runtime::watcher::{self, Event};

use bench::benchmark::objects::VARIANT_LABEL;
use bench::benchmark::pods::has;
use cluster::Cluster;
use deploy_tool::forward::listen as forward;
use diagnostics::{Error, Result};

/// Twenty interpreted pods on a busy machine take a minute.
const LIMIT: Duration = Duration::from_secs(240);

/// A pod as it was last heard of.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The pod.
    pub pod: Pod,
    /// When it was scheduled.
    pub scheduled: Option<Instant>,
    /// When it was ready.
    pub ready: Option<Instant>,
}

/// The pods of a variant.
pub struct Pods {
    changes: BoxStream<'static, watcher::Result<Event<Pod>>>,
    /// By their names.
    pub seen: BTreeMap<String, Seen>,
    listed: BTreeSet<String>,
    variant: String,
}

impl Pods {
    /// Starts to watch them, and waits for the first list.
    ///
    /// # Errors
    /// When there is none in time.
    pub async fn watch(cluster: &Cluster, namespace: &str, variant: &str) -> Result<Self> {
        let mut pods = Self {
            changes: forward::watch(cluster, namespace, &format!("{VARIANT_LABEL}={variant}")),
            seen: BTreeMap::new(),
            listed: BTreeSet::new(),
            variant: variant.to_owned(),
        };
        let listed = async {
            while let Some(change) = pods.changes.next().await {
                if pods.take(change) {
                    break;
                }
            }
        };
        match tokio::time::timeout(LIMIT, listed).await {
            Ok(()) => Ok(pods),
            Err(_) => Err(Error::cluster("the API server does not list the pods")),
        }
    }

    /// Waits until they are as they are wanted. Says when that was heard of.
    ///
    /// # Errors
    /// When they are not in time.
    pub async fn await_state(
        &mut self,
        what: &str,
        wanted: impl Fn(&BTreeMap<String, Seen>) -> bool,
    ) -> Result<Instant> {
        let reached = async {
            while !wanted(&self.seen) {
                if let Some(change) = self.changes.next().await {
                    self.take(change);
                }
            }
            Instant::now()
        };
        match tokio::time::timeout(LIMIT, reached).await {
            Ok(at) => Ok(at),
            Err(_) => Err(Error::cluster(format!(
                "the pods of variant `{}` are not {what} after {} s",
                self.variant,
                LIMIT.as_secs()
            ))
            .detail(self.statuses())),
        }
    }

    /// Takes a change in. Says whether a list is complete with it.
    fn take(&mut self, change: watcher::Result<Event<Pod>>) -> bool {
        match change {
            Ok(Event::Apply(pod)) => self.update_pod(pod),
            Ok(Event::Delete(pod)) => {
                self.seen.remove(&pod.name_any());
            }
            // A new list, when the watch could not go on: only at its end is it known what is gone.
            Ok(Event::Init) => self.listed.clear(),
            Ok(Event::InitApply(pod)) => {
                self.listed.insert(pod.name_any());
                self.update_pod(pod);
            }
            Ok(Event::InitDone) => {
                self.seen.retain(|name, _| self.listed.contains(name));
                return true;
            }
            // The watch goes on after an error, and a deadline ends the waiting.
            Err(_) => {}
        }
        false
    }

    fn update_pod(&mut self, pod: Pod) {
        let seen = self.seen.entry(pod.name_any()).or_insert_with(|| Seen {
            pod: Pod::default(),
            scheduled: None,
            ready: None,
        });
        if has(&pod, "PodScheduled") {
            seen.scheduled.get_or_insert_with(Instant::now);
        }
        if has(&pod, "Ready") {
            seen.ready.get_or_insert_with(Instant::now);
        }
        seen.pod = pod;
    }

    fn statuses(&self) -> String {
        let status = |(name, seen): (&String, &Seen)| {
            let status = seen
                .pod
                .status
                .as_ref()
                .map(|status| (&status.phase, &status.container_statuses));
            format!("{name}: {}", serde_json::to_string(&status).unwrap_or_default())
        };
        self.seen.iter().map(status).collect::<Vec<_>>().join("\n")
    }
}
