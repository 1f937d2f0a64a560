//! Which pods belong to which controller.

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::Pod;

use crate::objects::other_key;
use crate::pod_view::is_owned_by;
use crate::{Objects, Target, TargetKind};

/// The Deployment controller numbers its ReplicaSets with it.
const REVISION: &str = "deployment.kubernetes.io/revision";

/// The ReplicaSet of the newest revision.
pub fn newest_replica_set<'a>(deployment: &Deployment, objects: &'a Objects) -> Option<&'a ReplicaSet> {
    let revision = deployment.metadata.annotations.as_ref()?.get(REVISION)?;
    replica_sets(deployment, objects).find(|set| {
        let annotations = set.metadata.annotations.as_ref();
        annotations.is_some_and(|all| all.get(REVISION) == Some(revision))
    })
}

/// All ReplicaSets of a Deployment.
pub fn replica_sets<'a>(deployment: &Deployment, objects: &'a Objects) -> impl Iterator<Item = &'a ReplicaSet> {
    let uid = deployment.metadata.uid.clone();
    let sets = objects.replica_sets.values();
    sets.filter(move |set| is_owned_by(&set.metadata, uid.as_deref()))
}

/// The pods that a controller has made itself.
pub fn pods_of<'a>(objects: &'a Objects, uid: Option<&str>) -> impl Iterator<Item = &'a Pod> + use<'a> {
    let uid = uid.map(str::to_owned);
    let pods = objects.pods.values();
    pods.filter(move |pod| is_owned_by(&pod.metadata, uid.as_deref()))
}

/// All pods of a target, of whatever revision.
pub fn pods_of_target<'a>(target: &Target, objects: &'a Objects) -> Vec<&'a Pod> {
    let key = target.key();
    let uid = match target.kind {
        TargetKind::Deployment => {
            let Some(deployment) = objects.deployments.get(&key) else {
                return Vec::new();
            };
            let sets = replica_sets(deployment, objects);
            let uids: Vec<&str> = sets.filter_map(|set| set.metadata.uid.as_deref()).collect();
            let owners = |pod: &&Pod| uids.iter().any(|uid| is_owned_by(&pod.metadata, Some(uid)));
            return objects.pods.values().filter(owners).collect();
        }
        TargetKind::StatefulSet => objects.stateful_sets.get(&key).map(|set| &set.metadata),
        TargetKind::DaemonSet => objects.daemon_sets.get(&key).map(|set| &set.metadata),
        TargetKind::Job => objects.jobs.get(&key).map(|job| &job.metadata),
        TargetKind::Pod => return objects.pods.get(&key).into_iter().collect(),
        TargetKind::Generic(ref kind) if target.kind.has_pods() => {
            let set = objects.others.get(&other_key(kind, &target.namespace, &target.name));
            set.map(|set| &set.metadata)
        }
        TargetKind::Generic(_) => None,
    };
    pods_of(objects, uid.and_then(|metadata| metadata.uid.as_deref())).collect()
}
