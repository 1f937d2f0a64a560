//! Edge: keeps a copy of the objects that a rollout depends on, by watches.
//!
//! A watch recovers from all failures: its resourceVersion is too old (410: it lists again), the server restarts or is
//! overloaded (it retries with a back-off), the connection hangs (see [`WATCH_SECONDS`]).
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes>

mod backoff;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;

use futures::stream::{SelectAll, Stream, StreamExt, select_all};
use k8s_openapi::api::core::v1::Node;
use kube::api::{ApiResource, DynamicObject};
use kube::core::GroupVersionKind;
use kube::core::NamespaceResourceScope;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event as Change, watcher};
use kube::{Api, Resource, ResourceExt, discovery};
use serde::de::DeserializeOwned;

use crate::Cluster;
use crate::client::explain;
use backoff::WatchBackoff;
use diagnostics::Result;
use rollout::{NOISE, Need, NeedKind, Objects, Selection, Target, TargetKind, Trim, event_key, other_key, watch_set};

/// The server ends each watch after this time, and kube takes one that has said nothing for five seconds longer as
/// dead: a connection that hangs is found out without any limit on how long nothing may happen.
const WATCH_SECONDS: u32 = 30;

/// Updates the copy, and returns whether that completes a first list.
type Update = Box<dyn FnOnce(&mut Objects) -> bool + Send>;
type Changes = Pin<Box<dyn Stream<Item = Result<Update, watcher::Error>> + Send>>;

/// A copy of what some targets depend on, kept up to date.
pub struct Watch {
    /// The copy.
    pub objects: Objects,
    sources: Vec<Source>,
    changes: SelectAll<Changes>,
    lists_missing: usize,
    /// Why the copy may be out of date.
    pub last_error: Option<String>,
}

/// Something to watch; of a kind that is not built in, with the name that the cluster has for it.
struct Source {
    need: Need,
    resource: Option<ApiResource>,
}

impl Watch {
    /// Starts to watch what some targets depend on.
    ///
    /// # Errors
    /// When the cluster does not know a target's kind.
    pub async fn start(cluster: &Cluster, targets: &[Target]) -> Result<Self> {
        let mut sources = Vec::new();
        for need in watch_set(targets) {
            let resource = match &need.kind {
                NeedKind::Target(TargetKind::Generic(kind)) => Some(find_resource(cluster, kind).await?),
                _ => None,
            };
            sources.push(Source { need, resource });
        }
        Ok(Self::of_sources(cluster, sources))
    }

    fn of_sources(cluster: &Cluster, sources: Vec<Source>) -> Self {
        let changes: Vec<Changes> = sources.iter().map(|source| watch_source(cluster, source)).collect();
        Self {
            objects: Objects::default(),
            sources,
            lists_missing: changes.len(),
            changes: select_all(changes),
            last_error: None,
        }
    }

    /// Lists everything again, in place of the state from the watches. What no list shows is kept: the last state of
    /// deleted Jobs, and the logs. No request is needed to begin, so an outage only makes it longer.
    pub fn list_again(&mut self, cluster: &Cluster) {
        let objects = Objects {
            gone_jobs: std::mem::take(&mut self.objects.gone_jobs),
            last_words: std::mem::take(&mut self.objects.last_words),
            ..Objects::default()
        };
        let sources = std::mem::take(&mut self.sources);
        *self = Self {
            objects,
            ..Self::of_sources(cluster, sources)
        };
    }

    /// Waits for the next change, and takes in all that are there.
    pub async fn changed(&mut self) {
        let mut next = self.changes.next().await;
        loop {
            match next {
                Some(Ok(change)) => {
                    self.last_error = None;
                    self.lists_missing -= usize::from(change(&mut self.objects) && self.lists_missing > 0);
                }
                Some(Err(error)) => self.last_error = Some(describe_error(&error)),
                // The watches of kube never end by themselves; without any there is nothing to wait for.
                None => return std::future::pending().await,
            }
            match futures::FutureExt::now_or_never(self.changes.next()) {
                Some(more) => next = more,
                None => return,
            }
        }
    }

    /// Whether everything has been listed once.
    pub fn is_complete(&self) -> bool {
        self.lists_missing == 0
    }
}

fn watch_source(cluster: &Cluster, source: &Source) -> Changes {
    let watched = watch_need(cluster, source);
    if source.need.is_optional() {
        skip_forbidden(watched)
    } else {
        watched
    }
}

fn watch_need(cluster: &Cluster, Source { need, resource }: &Source) -> Changes {
    match &need.kind {
        NeedKind::Target(TargetKind::Deployment) => typed_changes(cluster, need, |objects| &mut objects.deployments),
        NeedKind::Target(TargetKind::StatefulSet) => typed_changes(cluster, need, |objects| &mut objects.stateful_sets),
        NeedKind::Target(TargetKind::DaemonSet) => typed_changes(cluster, need, |objects| &mut objects.daemon_sets),
        NeedKind::Target(TargetKind::Job) => typed_changes(cluster, need, |objects| &mut objects.jobs),
        NeedKind::ReplicaSets => typed_changes(cluster, need, |objects| &mut objects.replica_sets),
        NeedKind::Target(TargetKind::Pod) | NeedKind::Pods => typed_changes(cluster, need, |objects| &mut objects.pods),
        NeedKind::Events => {
            let api = Api::namespaced(cluster.watches.clone(), &need.namespace);
            let noise: Vec<String> = NOISE.iter().map(|reason| format!("reason!={reason}")).collect();
            let config = config(need).fields(&noise.join(","));
            changes(api, config, |objects| &mut objects.events, event_key)
        }
        NeedKind::Nodes => {
            let api: Api<Node> = Api::all(cluster.watches.clone());
            changes(
                api,
                config(need),
                |objects| &mut objects.nodes,
                |node| format!("/{}", node.name_any()),
            )
        }
        NeedKind::Target(TargetKind::Generic(kind)) => generic_changes(cluster, need, kind, resource.as_ref()),
    }
}

/// A watch of what not everybody may look at: who may not has none of it, and waits for no list.
fn skip_forbidden(changes: Changes) -> Changes {
    let allowed = changes.scan(false, |is_over, change| {
        let change = match change {
            _ if *is_over => None,
            Err(error) if is_forbidden(&error) => {
                *is_over = true;
                let update: Update = Box::new(|_| true);
                Some(Ok(update))
            }
            change => Some(change),
        };
        std::future::ready(change)
    });
    Box::pin(allowed)
}

fn is_forbidden(error: &watcher::Error) -> bool {
    let (watcher::Error::InitialListFailed(error)
    | watcher::Error::WatchStartFailed(error)
    | watcher::Error::WatchFailed(error)) = error
    else {
        return false;
    };
    matches!(error, kube::Error::Api(status) if status.code == 403)
}

fn typed_changes<K>(cluster: &Cluster, need: &Need, store: fn(&mut Objects) -> &mut BTreeMap<String, K>) -> Changes
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Trim
        + Clone
        + std::fmt::Debug
        + DeserializeOwned
        + Send
        + 'static,
{
    let api = Api::namespaced(cluster.watches.clone(), &need.namespace);
    changes(api, config(need), store, |object: &K| {
        format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any())
    })
}

/// The name that the cluster has for a kind, which only it knows.
async fn find_resource(cluster: &Cluster, kind: &GroupVersionKind) -> Result<ApiResource> {
    let message = format!("cannot find out where the cluster keeps objects of kind {}", kind.kind);
    let found = cluster.call(&message, discovery::pinned_kind(&cluster.client, kind));
    found.await.map(|(resource, _)| resource)
}

fn generic_changes(cluster: &Cluster, need: &Need, kind: &GroupVersionKind, resource: Option<&ApiResource>) -> Changes {
    let resource = resource.cloned().unwrap_or_else(|| ApiResource::from_gvk(kind));
    let api: Api<DynamicObject> = match need.namespace.as_str() {
        "" => Api::all_with(cluster.watches.clone(), &resource),
        namespace => Api::namespaced_with(cluster.watches.clone(), namespace, &resource),
    };
    let kind = kind.clone();
    changes(
        api,
        config(need),
        |objects| &mut objects.others,
        move |object: &DynamicObject| other_key(&kind, &object.namespace().unwrap_or_default(), &object.name_any()),
    )
}

fn config(need: &Need) -> watcher::Config {
    let config = watcher::Config::default().timeout(WATCH_SECONDS);
    match &need.selection {
        Selection::All => config,
        Selection::Name(name) => config.fields(&format!("metadata.name={name}")),
        Selection::Labels(labels) => config.labels(labels),
    }
}

fn changes<K>(
    api: Api<K>,
    config: watcher::Config,
    store: fn(&mut Objects) -> &mut BTreeMap<String, K>,
    key: impl Fn(&K) -> String + Send + 'static,
) -> Changes
where
    K: Resource + Trim + Clone + std::fmt::Debug + DeserializeOwned + Send + 'static,
{
    // What this watch has put into the copy: other watches may be about the same kind.
    let mut known = BTreeSet::new();
    let mut listed = BTreeMap::new();
    let mut is_first = true;
    let stream = watcher(api, config).modify(Trim::trim).backoff(WatchBackoff::default());
    Box::pin(stream.map(move |change| {
        let update: Update = match change? {
            Change::Apply(object) => {
                let key = key(&object);
                known.insert(key.clone());
                Box::new(move |objects| {
                    store(objects).insert(key, object);
                    false
                })
            }
            Change::Delete(object) => {
                let key = key(&object);
                known.remove(&key);
                Box::new(move |objects| {
                    store(objects).remove(&key);
                    object.retain_after_deletion(&key, objects, true);
                    false
                })
            }
            Change::Init => {
                listed.clear();
                Box::new(|_| false)
            }
            Change::InitApply(object) => {
                listed.insert(key(&object), object);
                Box::new(|_| false)
            }
            Change::InitDone => {
                let listed = std::mem::take(&mut listed);
                let before = std::mem::replace(&mut known, listed.keys().cloned().collect());
                // Only the first list is one that is missing.
                let is_first = std::mem::take(&mut is_first);
                Box::new(move |objects| {
                    for key in before {
                        let gone = store(objects).remove(&key).filter(|_| !listed.contains_key(&key));
                        if let Some(gone) = gone {
                            gone.retain_after_deletion(&key, objects, false);
                        }
                    }
                    store(objects).extend(listed);
                    is_first
                })
            }
        };
        Ok(update)
    }))
}

fn describe_error(error: &watcher::Error) -> String {
    match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => explain(error),
        other => other.to_string(),
    }
}
