//! The objects that a wait is for.

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::PodSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube_core::{GroupVersionKind, Selector};
use serde::Serialize;
use serde_json::Value;

use crate::probe_times::{pod_budget, seconds};
use crate::thresholds;

/// The annotation of a Deployment that names the StatefulSet of its database.
pub const DATABASE_ANNOTATION: &str = "deploy-tool.dev/database";

/// Which object is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its kind.
    pub kind: TargetKind,
    /// Its namespace; empty for objects of the whole cluster.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The uid that it was stored with: another one is another object of the same name.
    pub uid: Option<String>,
    /// The generation that the cluster stored when it was applied.
    pub generation: i64,
    /// The labels of its pods, if it has pods and they are known.
    pub selector: Option<String>,
    /// The StatefulSet without which its pods do not become ready.
    pub database: Option<String>,
    /// Whether the wait includes the deletion of surplus pods.
    pub surplus_gone: bool,
    /// How long it may take by its own fields: its deadline, and the probes of its pods.
    pub time_limit: SignedDuration,
    /// Whether its manifest stops its controller: `spec.paused`, `spec.suspend`.
    pub is_held: bool,
    /// Whether it is deleted after its end: a Job with `ttlSecondsAfterFinished`.
    pub removes_itself: bool,
    /// Its definition has `status.conditions`: without any, its controller has not looked at it yet.
    pub has_conditions: bool,
}

/// The kinds that can be waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// A Deployment.
    Deployment,
    /// A StatefulSet.
    StatefulSet,
    /// A DaemonSet.
    DaemonSet,
    /// A Job.
    Job,
    /// A pod without a controller.
    Pod,
    /// Any other kind, by the conditions in its status.
    Generic(GroupVersionKind),
}

impl TargetKind {
    /// Group, version and kind.
    pub fn group_version_kind(&self) -> GroupVersionKind {
        let (group, kind) = match self {
            Self::Deployment => ("apps", "Deployment"),
            Self::StatefulSet => ("apps", "StatefulSet"),
            Self::DaemonSet => ("apps", "DaemonSet"),
            Self::Job => ("batch", "Job"),
            Self::Pod => ("", "Pod"),
            Self::Generic(kind) => return kind.clone(),
        };
        GroupVersionKind::gvk(group, "v1", kind)
    }

    /// Whether it has pods of its own, which are looked at with it.
    pub(crate) fn has_pods(&self) -> bool {
        match self {
            Self::Pod => false,
            Self::Generic(kind) => is_replica_set(kind),
            Self::Deployment | Self::StatefulSet | Self::DaemonSet | Self::Job => true,
        }
    }
}

/// Whether its controller keeps a number of equal pods, and no more: a ReplicaSet without a Deployment, and what it was
/// called before.
pub(crate) fn is_replica_set(kind: &GroupVersionKind) -> bool {
    let name = (kind.group.as_str(), kind.kind.as_str());
    [("apps", "ReplicaSet"), ("", "ReplicationController")].contains(&name)
}

/// The API groups of Kubernetes itself. Kinds in them that [`waited_for`] does not name are ready as soon as they are stored.
const BUILT_IN: &str = " apps autoscaling batch policy admissionregistration.k8s.io apiextensions.k8s.io \
    certificates.k8s.io coordination.k8s.io discovery.k8s.io events.k8s.io flowcontrol.apiserver.k8s.io \
    networking.k8s.io node.k8s.io rbac.authorization.k8s.io resource.k8s.io scheduling.k8s.io storage.k8s.io";

impl Target {
    /// What to wait for after an object has been stored: nothing, for objects that are there at once.
    ///
    /// Takes a typed object as well as one that came from the cluster without a type.
    pub fn from_object(object: &impl Serialize) -> Option<Self> {
        let object = serde_json::to_value(object).ok()?;
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
        let (api_version, kind) = (text("/apiVersion")?, text("/kind")?);
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let kind = waited_for(GroupVersionKind::gvk(group, version, kind), &object)?;
        let selector = match kind {
            TargetKind::Pod => None,
            // That of a ReplicationController is of an older form: all pods of its namespace are looked at.
            TargetKind::Generic(ref kind) if !is_replica_set(kind) || kind.group.is_empty() => None,
            _ => object.pointer("/spec/selector").and_then(label_selector),
        };
        let annotations = object.pointer("/metadata/annotations");
        let database = annotations.and_then(|all| all.get(DATABASE_ANNOTATION)?.as_str());
        let generation = object.pointer("/metadata/generation").and_then(Value::as_i64);
        let ttl = object.pointer("/spec/ttlSecondsAfterFinished");
        Some(Self {
            kind,
            namespace: text("/metadata/namespace").unwrap_or_default().to_owned(),
            name: text("/metadata/name")?.to_owned(),
            uid: text("/metadata/uid").map(str::to_owned),
            generation: generation.unwrap_or(0),
            selector,
            database: database.map(str::to_owned),
            surplus_gone: false,
            time_limit: time_limit(&object),
            is_held: false,
            removes_itself: ttl.is_some_and(|ttl| !ttl.is_null()),
            has_conditions: false,
        })
    }

    /// Adds the fields of its manifest: other managers may have changed them in the stored object.
    #[must_use]
    pub fn with_manifest(self, manifest: &Value) -> Self {
        let is_true = |pointer: &str| manifest.pointer(pointer) == Some(&Value::Bool(true));
        Self {
            is_held: is_true("/spec/paused") || is_true("/spec/suspend"),
            ..self
        }
    }

    /// For sentences: Deployment `app`.
    pub fn title(&self) -> String {
        let kind = match &self.kind {
            TargetKind::Deployment => "Deployment",
            TargetKind::StatefulSet => "StatefulSet",
            TargetKind::DaemonSet => "DaemonSet",
            TargetKind::Job => "Job",
            TargetKind::Pod => "Pod",
            TargetKind::Generic(kind) => &kind.kind,
        };
        format!("{kind} `{}`", self.name)
    }

    /// What kubectl calls its kind: `deployment`, `service.v1.serving.knative.dev`.
    pub(crate) fn resource(&self) -> String {
        match &self.kind {
            TargetKind::Generic(kind) if !kind.group.is_empty() => {
                format!("{}.{}.{}", kind.kind.to_ascii_lowercase(), kind.version, kind.group)
            }
            TargetKind::Generic(kind) => kind.kind.to_ascii_lowercase(),
            TargetKind::Deployment => "deployment".to_owned(),
            TargetKind::StatefulSet => "statefulset".to_owned(),
            TargetKind::DaemonSet => "daemonset".to_owned(),
            TargetKind::Job => "job".to_owned(),
            TargetKind::Pod => "pod".to_owned(),
        }
    }

    /// Its place in [`super::Objects`].
    pub fn key(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}

/// A time limit that no deadline of these targets exceeds.
pub fn default_time_limit(targets: &[Target]) -> SignedDuration {
    let longest = targets.iter().map(|target| target.time_limit).max();
    longest.unwrap_or_default().max(thresholds::TIME_LIMIT)
}

/// How long an object may take by its own fields. A deadline that no one lives to see is none.
fn time_limit(object: &Value) -> SignedDuration {
    let number = |pointer: &str| {
        let number = object.pointer(pointer).and_then(Value::as_i64)?;
        i32::try_from(number).ok().filter(|number| *number < i32::MAX)
    };
    let deadline = number("/spec/progressDeadlineSeconds").max(number("/spec/activeDeadlineSeconds"));
    let spec = match object.pointer("/kind").and_then(Value::as_str) {
        Some("Pod") => object.get("spec"),
        _ => object.pointer("/spec/template/spec"),
    };
    let spec = spec
        .cloned()
        .and_then(|spec| serde_json::from_value::<PodSpec>(spec).ok());
    let min_ready = seconds(number("/spec/minReadySeconds").unwrap_or(0));
    let pod = spec.map_or(min_ready, |spec| pod_budget(&spec, min_ready));
    seconds(deadline.unwrap_or(0)).saturating_add(pod)
}

/// Whether a group is one of Kubernetes' own, whose objects are there as soon as they are stored unless something else is
/// said of their kind.
pub fn is_built_in(group: &str) -> bool {
    BUILT_IN.split(' ').any(|built_in| built_in == group)
}

/// The kind, if there is anything to wait for.
fn waited_for(kind: GroupVersionKind, object: &Value) -> Option<TargetKind> {
    Some(match (kind.group.as_str(), kind.kind.as_str()) {
        ("apps", "Deployment") => TargetKind::Deployment,
        ("apps", "StatefulSet") => TargetKind::StatefulSet,
        ("apps", "DaemonSet") => TargetKind::DaemonSet,
        ("batch", "Job") => TargetKind::Job,
        ("", "Pod") => TargetKind::Pod,
        ("", "Service") if object.pointer("/spec/type").is_none_or(|kind| kind != "LoadBalancer") => return None,
        ("", "Service" | "PersistentVolumeClaim" | "ReplicationController")
        | ("apps", "ReplicaSet")
        | ("autoscaling", "HorizontalPodAutoscaler")
        | ("apiextensions.k8s.io", "CustomResourceDefinition") => TargetKind::Generic(kind),
        (group, _) if is_built_in(group) => return None,
        _ => TargetKind::Generic(kind),
    })
}

/// Formats a label selector as a query parameter of the API; none for an empty one, which would select everything.
pub fn label_selector(selector: &Value) -> Option<String> {
    let selector: LabelSelector = serde_json::from_value(selector.clone()).ok()?;
    let text = Selector::try_from(selector).ok()?.to_string();
    (!text.is_empty()).then_some(text)
}
