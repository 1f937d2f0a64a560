//! What is waited for.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube_core::{GroupVersionKind, Selector};
use serde::Serialize;
use serde_json::Value;

use crate::DATABASE_ANNOTATION;

/// Which object is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What it is.
    pub kind: TargetKind,
    /// Its namespace; empty for objects of the whole cluster.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The generation that the cluster stored when it was applied.
    pub generation: i64,
    /// The labels of its pods, if it has pods and they are known.
    pub selector: Option<String>,
    /// The StatefulSet without which its pods do not become ready.
    pub database: Option<String>,
    /// Pods on their way out have to be gone too.
    pub surplus_gone: bool,
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
    /// Anything whose status says whether it is there.
    Other(GroupVersionKind),
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
            Self::Other(kind) => return kind.clone(),
        };
        GroupVersionKind::gvk(group, "v1", kind)
    }
}

/// Kubernetes' own groups. What is in them and not named in [`waited_for`] is there as soon as it is stored.
const BUILT_IN: &str = " apps autoscaling batch policy admissionregistration.k8s.io apiextensions.k8s.io \
    certificates.k8s.io coordination.k8s.io discovery.k8s.io events.k8s.io flowcontrol.apiserver.k8s.io \
    networking.k8s.io node.k8s.io rbac.authorization.k8s.io resource.k8s.io scheduling.k8s.io storage.k8s.io";

impl Target {
    /// What to wait for after an object has been stored: nothing, for objects that are there at once.
    ///
    /// Takes a typed object as well as one that came from the cluster without a type.
    pub fn of(object: &impl Serialize) -> Option<Self> {
        let object = serde_json::to_value(object).ok()?;
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
        let (api_version, kind) = (text("/apiVersion")?, text("/kind")?);
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let kind = waited_for(GroupVersionKind::gvk(group, version, kind), &object)?;
        let selector = match kind {
            TargetKind::Pod | TargetKind::Other(_) => None,
            _ => object.pointer("/spec/selector").and_then(labels),
        };
        let annotations = object.pointer("/metadata/annotations");
        let database = annotations.and_then(|all| all.get(DATABASE_ANNOTATION)?.as_str());
        Some(Self {
            kind,
            namespace: text("/metadata/namespace").unwrap_or_default().to_owned(),
            name: text("/metadata/name")?.to_owned(),
            generation: object
                .pointer("/metadata/generation")
                .and_then(Value::as_i64)
                .unwrap_or(0),
            selector,
            database: database.map(str::to_owned),
            surplus_gone: false,
        })
    }

    /// For sentences: Deployment `app`.
    pub fn title(&self) -> String {
        let kind = match &self.kind {
            TargetKind::Deployment => "Deployment",
            TargetKind::StatefulSet => "StatefulSet",
            TargetKind::DaemonSet => "DaemonSet",
            TargetKind::Job => "Job",
            TargetKind::Pod => "Pod",
            TargetKind::Other(kind) => &kind.kind,
        };
        format!("{kind} `{}`", self.name)
    }

    /// Its place in [`super::Objects`].
    pub fn key(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
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
        ("", "Service" | "PersistentVolumeClaim")
        | ("autoscaling", "HorizontalPodAutoscaler")
        | ("apiextensions.k8s.io", "CustomResourceDefinition") => TargetKind::Other(kind),
        (group, _) if BUILT_IN.split(' ').any(|built_in| built_in == group) => return None,
        _ => TargetKind::Other(kind),
    })
}

/// A label selector as the API's parameter has it.
fn labels(selector: &Value) -> Option<String> {
    let selector: LabelSelector = serde_json::from_value(selector.clone()).ok()?;
    let text = Selector::try_from(selector).ok()?.to_string();
    // An empty one would select everything.
    (!text.is_empty()).then_some(text)
}
