//! What has to be watched to know how far some targets are: no more, for a namespace may have thousands of pods.

use kube_core::GroupVersionKind;

use crate::target::is_replica_set;
use crate::{Target, TargetKind};

/// More watches of one kind in one namespace than this, and the whole namespace is watched once instead.
const MOST_SELECTIONS: usize = 4;

/// Something to watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// What.
    pub kind: NeedKind,
    /// Where; empty for objects of the whole cluster.
    pub namespace: String,
    /// Which ones.
    pub selection: Selection,
}

/// The kinds of objects that are watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NeedKind {
    /// Targets.
    Target(TargetKind),
    /// ReplicaSets of Deployments.
    ReplicaSets,
    /// Pods of controllers.
    Pods,
    /// Events of a namespace.
    Events,
    /// Nodes, which not everybody may look at: without them, none is known to be dead.
    Nodes,
}

/// Which objects of a kind are watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All of the namespace.
    All,
    /// One, by its name.
    Name(String),
    /// Those with some labels.
    Labels(String),
}

/// Reasons of events that are not watched: normal events without use here, and warnings that repeat the pod's status. With
/// thousands of pods they are most of the traffic.
pub const NOISE: [&str; 12] = [
    "Scheduled",
    "FailedScheduling",
    "Pulling",
    "Pulled",
    "Created",
    "Started",
    "SuccessfulCreate",
    "SuccessfulDelete",
    "ScalingReplicaSet",
    "BackOff",
    "NodeNotReady",
    "LeaderElection",
];

impl Need {
    /// Whether targets can be evaluated without it: events only explain why an object is not ready.
    pub fn is_optional(&self) -> bool {
        [NeedKind::Nodes, NeedKind::Events].contains(&self.kind)
    }
}

impl NeedKind {
    /// Which kind that is.
    pub fn group_version_kind(&self) -> GroupVersionKind {
        match self {
            Self::Target(kind) => kind.group_version_kind(),
            Self::ReplicaSets => GroupVersionKind::gvk("apps", "v1", "ReplicaSet"),
            Self::Pods => GroupVersionKind::gvk("", "v1", "Pod"),
            Self::Events => GroupVersionKind::gvk("", "v1", "Event"),
            Self::Nodes => GroupVersionKind::gvk("", "v1", "Node"),
        }
    }
}

/// What has to be watched.
pub fn watch_set(targets: &[Target]) -> Vec<Need> {
    let mut needs = Vec::new();
    for target in targets {
        let name = |name: &str| Selection::Name(name.to_owned());
        let mut want = |kind, selection| add(&mut needs, kind, &target.namespace, selection);
        want(NeedKind::Target(target.kind.clone()), name(&target.name));
        let labels = || target.selector.clone().map_or(Selection::All, Selection::Labels);
        if target.kind == TargetKind::Deployment {
            want(NeedKind::ReplicaSets, labels());
        }
        if target.kind.has_pods() {
            want(NeedKind::Pods, labels());
        }
        if let Some(database) = &target.database {
            want(NeedKind::Target(TargetKind::StatefulSet), name(database));
            let is_database =
                |candidate: &Target| candidate.kind == TargetKind::StatefulSet && candidate.name == *database;
            let known = targets
                .iter()
                .find(|candidate| is_database(candidate) && candidate.namespace == target.namespace);
            let labels = known.and_then(|known| known.selector.clone());
            want(NeedKind::Pods, labels.map_or(Selection::All, Selection::Labels));
        }
        if has_events(&target.kind) {
            want(NeedKind::Events, Selection::All);
        }
        if target.kind == TargetKind::DaemonSet {
            add(&mut needs, NeedKind::Nodes, "", Selection::All);
        }
    }
    needs
}

/// Adds a watch, unless it is there; one of the whole namespace takes the place of many.
fn add(needs: &mut Vec<Need>, kind: NeedKind, namespace: &str, selection: Selection) {
    let same = |need: &&Need| need.kind == kind && need.namespace == namespace;
    let others: Vec<&Selection> = needs.iter().filter(same).map(|need| &need.selection).collect();
    if others.contains(&&Selection::All) || others.contains(&&selection) {
        return;
    }
    let all = selection == Selection::All || others.len() >= MOST_SELECTIONS;
    if all {
        needs.retain(|need| !same(&need));
    }
    needs.push(Need {
        kind,
        namespace: namespace.to_owned(),
        selection: if all { Selection::All } else { selection },
    });
}

/// Whether something is read from the events about such a target.
fn has_events(kind: &TargetKind) -> bool {
    match kind {
        TargetKind::Generic(kind) if is_replica_set(kind) => true,
        TargetKind::Generic(kind) => ["PersistentVolumeClaim", "Service"]
            .iter()
            .any(|core| *kind == GroupVersionKind::gvk("", "v1", core)),
        _ => true,
    }
}
