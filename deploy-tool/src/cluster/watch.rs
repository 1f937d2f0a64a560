//! Edge: keeps a copy of the objects that decide whether something is rolled out, by the API server's watches.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;

use futures::stream::{SelectAll, Stream, StreamExt, select_all};
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::{Event, Pod};
use kube::core::NamespaceResourceScope;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event as Change, watcher};
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;

use super::{Cluster, client::explain};
use crate::rollout::Objects;

/// How many kinds are watched in each namespace.
const KINDS: usize = 5;

/// Changes the copy, and says whether a first list is complete with it.
type Update = Box<dyn FnOnce(&mut Objects) -> bool + Send>;
type Changes = Pin<Box<dyn Stream<Item = Result<Update, watcher::Error>> + Send>>;

/// A copy of some namespaces, kept up to date.
pub struct Watch {
    /// The copy.
    pub objects: Objects,
    changes: SelectAll<Changes>,
    lists_missing: usize,
    /// Why the copy may be out of date.
    pub trouble: Option<String>,
}

impl Watch {
    /// Starts to watch some namespaces.
    pub fn start(cluster: &Cluster, namespaces: &BTreeSet<String>) -> Self {
        let client = &cluster.client;
        let changes = namespaces.iter().flat_map(|namespace| -> [Changes; KINDS] {
            [
                changes::<Deployment>(client, namespace, |objects| &mut objects.deployments),
                changes::<StatefulSet>(client, namespace, |objects| &mut objects.stateful_sets),
                changes::<ReplicaSet>(client, namespace, |objects| &mut objects.replica_sets),
                changes::<Pod>(client, namespace, |objects| &mut objects.pods),
                changes::<Event>(client, namespace, |objects| &mut objects.events),
            ]
        });
        Self {
            objects: Objects::default(),
            changes: select_all(changes),
            lists_missing: KINDS * namespaces.len(),
            trouble: None,
        }
    }

    /// Waits for the next change, and takes in all that are there.
    pub async fn changed(&mut self) {
        let mut next = self.changes.next().await;
        loop {
            match next {
                Some(Ok(change)) => {
                    self.trouble = None;
                    self.lists_missing -= usize::from(change(&mut self.objects) && self.lists_missing > 0);
                }
                Some(Err(error)) => self.trouble = Some(trouble(&error)),
                // The watches of kube never end by themselves.
                None => return std::future::pending().await,
            }
            match futures::FutureExt::now_or_never(self.changes.next()) {
                Some(more) => next = more,
                None => return,
            }
        }
    }

    /// Whether every kind has been listed once.
    pub fn complete(&self) -> bool {
        self.lists_missing == 0
    }
}

fn changes<K>(client: &Client, namespace: &str, store: fn(&mut Objects) -> &mut BTreeMap<String, K>) -> Changes
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + DeserializeOwned
        + Send
        + 'static,
{
    let mut listed = BTreeMap::new();
    let prefix = format!("{namespace}/");
    let api = Api::<K>::namespaced(client.clone(), namespace);
    let stream = watcher(api, watcher::Config::default()).default_backoff();
    Box::pin(stream.map(move |change| {
        let update: Update = match change? {
            Change::Apply(object) => Box::new(move |objects| {
                store(objects).insert(key(&object), object);
                false
            }),
            Change::Delete(object) => Box::new(move |objects| {
                store(objects).remove(&key(&object));
                false
            }),
            Change::Init => {
                listed.clear();
                Box::new(|_| false)
            }
            Change::InitApply(object) => {
                listed.insert(key(&object), object);
                Box::new(|_| false)
            }
            Change::InitDone => {
                let (listed, prefix) = (std::mem::take(&mut listed), prefix.clone());
                Box::new(move |objects| {
                    let store = store(objects);
                    store.retain(|key, _| !key.starts_with(&prefix));
                    store.extend(listed);
                    true
                })
            }
        };
        Ok(update)
    }))
}

fn key<K: ResourceExt>(object: &K) -> String {
    format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any())
}

fn trouble(error: &watcher::Error) -> String {
    match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => explain(error),
        other => other.to_string(),
    }
}
