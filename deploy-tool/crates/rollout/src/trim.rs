//! Removes fields that are not used from watched objects, to save memory with thousands of pods.

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Container, Event, Node, Pod, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube_core::DynamicObject;

use crate::{Objects, job};

/// An object of which a copy is kept.
pub trait Trim: Sized {
    /// Removes the fields that this crate does not read.
    fn trim(&mut self);

    /// Called when the object is deleted: keeps what is needed of it afterwards. `is_last`: whether this is its state at
    /// deletion, as in the event of a watch; an object that is only missing in a list may have changed since.
    fn retain_after_deletion(self, _key: &str, _objects: &mut Objects, _is_last: bool) {}
}

/// <https://kubernetes.io/docs/reference/using-api/server-side-apply/#managed-fields>: as large as the rest together.
fn trim_metadata(metadata: &mut ObjectMeta) {
    metadata.managed_fields = None;
    if let Some(annotations) = &mut metadata.annotations {
        annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    }
}

impl Trim for Pod {
    fn trim(&mut self) {
        trim_metadata(&mut self.metadata);
        self.metadata.generate_name = None;
        if let Some(spec) = &mut self.spec {
            spec.containers.iter_mut().for_each(trim_container);
            spec.init_containers.iter_mut().flatten().for_each(trim_container);
            // Claims are read, nothing else of the volumes.
            let volumes = spec.volumes.take().into_iter().flatten();
            let claims: Vec<_> = volumes
                .filter(|volume| volume.persistent_volume_claim.is_some())
                .collect();
            spec.volumes = (!claims.is_empty()).then_some(claims);
            spec.tolerations = None;
            spec.affinity = None;
            spec.topology_spread_constraints = None;
            spec.security_context = None;
            spec.dns_config = None;
            spec.image_pull_secrets = None;
        }
    }
}

fn trim_container(container: &mut Container) {
    container.env = None;
    container.env_from = None;
    container.args = None;
    container.command = None;
    container.lifecycle = None;
    container.security_context = None;
    // Where volumes are mounted: what lies there is not from the image.
    for mount in container.volume_mounts.iter_mut().flatten() {
        mount.sub_path = None;
        mount.sub_path_expr = None;
    }
    container.termination_message_path = None;
    container.termination_message_policy = None;
}

impl Trim for ReplicaSet {
    fn trim(&mut self) {
        trim_metadata(&mut self.metadata);
        // Old revisions, each with a whole template; their owner and their number are read.
        self.spec = None;
    }
}

impl Trim for Event {
    fn trim(&mut self) {
        trim_metadata(&mut self.metadata);
    }
}

fn trim_template(metadata: &mut ObjectMeta, template: Option<&mut PodTemplateSpec>) {
    trim_metadata(metadata);
    if let Some(template) = template {
        template.spec = None;
    }
}

impl Trim for Deployment {
    fn trim(&mut self) {
        trim_template(&mut self.metadata, self.spec.as_mut().map(|spec| &mut spec.template));
    }
}

impl Trim for StatefulSet {
    fn trim(&mut self) {
        trim_template(&mut self.metadata, self.spec.as_mut().map(|spec| &mut spec.template));
    }
}

impl Trim for DaemonSet {
    fn trim(&mut self) {
        trim_template(&mut self.metadata, self.spec.as_mut().map(|spec| &mut spec.template));
    }
}

impl Trim for Job {
    fn trim(&mut self) {
        trim_template(&mut self.metadata, self.spec.as_mut().map(|spec| &mut spec.template));
    }

    /// The last state of a Job has its result.
    fn retain_after_deletion(self, key: &str, objects: &mut Objects, is_last: bool) {
        if is_last || job::has_ended(&self) {
            objects.gone_jobs.insert(key.to_owned(), self);
        }
    }
}

impl Trim for Node {
    fn trim(&mut self) {
        trim_metadata(&mut self.metadata);
        self.metadata.labels = None;
        self.metadata.annotations = None;
        self.spec = None;
        if let Some(status) = &mut self.status {
            let conditions = status.conditions.take();
            *status = k8s_openapi::api::core::v1::NodeStatus {
                conditions,
                ..Default::default()
            };
        }
    }
}

impl Trim for DynamicObject {
    fn trim(&mut self) {
        trim_metadata(&mut self.metadata);
    }
}
