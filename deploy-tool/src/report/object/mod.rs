//! Pure: the status of objects other than pods, one row per object.

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{PodTemplateSpec, Service};
use k8s_openapi::api::networking::v1::Ingress;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use serde::Serialize;

/// More ports, hosts or images than these are counted.
const MOST_LISTED: usize = 4;

/// One object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectStatus {
    /// Kind and name, such as `Service/app`.
    pub object: String,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// How it stands, in a few words.
    pub state: String,
    /// The images of its pod template.
    pub images: Vec<String>,
}

/// What becomes a line.
pub trait ToObjectStatus {
    /// The line, at a time.
    fn object_status(&self, now: Timestamp) -> ObjectStatus;
}

fn object(kind: &str, metadata: &ObjectMeta, state: String) -> ObjectStatus {
    ObjectStatus {
        object: format!("{kind}/{}", metadata.name.as_deref().unwrap_or_default()),
        created: metadata.creation_timestamp.as_ref().map(|time| time.0),
        state: match metadata.deletion_timestamp {
            Some(_) => "is being deleted".to_owned(),
            None => state,
        },
        images: Vec::new(),
    }
}

fn images(template: Option<&PodTemplateSpec>) -> Vec<String> {
    let spec = template.and_then(|template| template.spec.as_ref());
    let containers = spec.into_iter().flat_map(|spec| &spec.containers);
    containers.filter_map(|container| container.image.clone()).collect()
}

fn ready(ready: Option<i32>, wanted: i32) -> String {
    format!("{} of {wanted} ready", ready.unwrap_or_default())
}

impl ToObjectStatus for Deployment {
    fn object_status(&self, _: Timestamp) -> ObjectStatus {
        let spec = self.spec.as_ref();
        let status = self.status.as_ref();
        let mut state = ready(
            status.and_then(|status| status.ready_replicas),
            spec.and_then(|spec| spec.replicas).unwrap_or(1),
        );
        if spec.and_then(|spec| spec.paused) == Some(true) {
            state.push_str(", paused");
        }
        ObjectStatus {
            images: images(spec.map(|spec| &spec.template)),
            ..object("Deployment", &self.metadata, state)
        }
    }
}

impl ToObjectStatus for StatefulSet {
    fn object_status(&self, _: Timestamp) -> ObjectStatus {
        let spec = self.spec.as_ref();
        let found = self.status.as_ref().and_then(|status| status.ready_replicas);
        let state = ready(found, spec.and_then(|spec| spec.replicas).unwrap_or(1));
        ObjectStatus {
            images: images(spec.map(|spec| &spec.template)),
            ..object("StatefulSet", &self.metadata, state)
        }
    }
}

impl ToObjectStatus for DaemonSet {
    fn object_status(&self, _: Timestamp) -> ObjectStatus {
        let status = self.status.as_ref();
        let wanted = status.map_or(0, |status| status.desired_number_scheduled);
        ObjectStatus {
            images: images(self.spec.as_ref().map(|spec| &spec.template)),
            ..object(
                "DaemonSet",
                &self.metadata,
                ready(status.map(|status| status.number_ready), wanted),
            )
        }
    }
}

impl ToObjectStatus for Job {
    fn object_status(&self, now: Timestamp) -> ObjectStatus {
        let status = self.status.as_ref();
        let conditions = status.and_then(|status| status.conditions.as_ref());
        let condition = |kind: &str| {
            let mut all = conditions.into_iter().flatten();
            all.find(|condition| condition.type_ == kind && condition.status == "True")
        };
        let ago = |time: Option<&Time>| time.map_or(String::new(), |time| format!(" {} ago", age(time.0, now)));
        let state = if condition("Complete").is_some() {
            format!("done{}", ago(status.and_then(|status| status.completion_time.as_ref())))
        } else if let Some(failed) = condition("Failed") {
            let reason = failed.reason.as_deref().unwrap_or("no reason given");
            format!("failed{}: {reason}", ago(failed.last_transition_time.as_ref()))
        } else if condition("Suspended").is_some() {
            "suspended".to_owned()
        } else {
            let active = status.and_then(|status| status.active).unwrap_or_default();
            format!("{active} running")
        };
        ObjectStatus {
            images: images(self.spec.as_ref().map(|spec| &spec.template)),
            ..object("Job", &self.metadata, state)
        }
    }
}

impl ToObjectStatus for CronJob {
    fn object_status(&self, now: Timestamp) -> ObjectStatus {
        let (spec, status) = (self.spec.as_ref(), self.status.as_ref());
        let mut state = format!("`{}`", spec.map(|spec| spec.schedule.as_str()).unwrap_or_default());
        if let Some(zone) = spec.and_then(|spec| spec.time_zone.as_deref()) {
            state.push_str(&format!(" {zone}"));
        }
        if spec.and_then(|spec| spec.suspend) == Some(true) {
            state.push_str(", suspended");
        }
        let at = |time: Option<&Time>| time.map(|time| age(time.0, now));
        let begun = at(status.and_then(|status| status.last_schedule_time.as_ref()));
        let succeeded = at(status.and_then(|status| status.last_successful_time.as_ref()));
        let active = status.and_then(|status| status.active.as_ref()).map_or(0, Vec::len);
        state.push_str(&match (begun, succeeded) {
            (None, _) => ", has not run yet".to_owned(),
            (Some(begun), None) => format!(", last run {begun} ago, none has succeeded yet"),
            (Some(begun), Some(succeeded)) => format!(", last run {begun} ago, last success {succeeded} ago"),
        });
        if active > 0 {
            state.push_str(&format!(", {active} running"));
        }
        let template = spec.and_then(|spec| spec.job_template.spec.as_ref());
        ObjectStatus {
            images: images(template.map(|job| &job.template)),
            ..object("CronJob", &self.metadata, state)
        }
    }
}

impl ToObjectStatus for Service {
    fn object_status(&self, _: Timestamp) -> ObjectStatus {
        let spec = self.spec.as_ref();
        let kind = spec.and_then(|spec| spec.type_.as_deref()).unwrap_or("ClusterIP");
        let ports = spec.and_then(|spec| spec.ports.as_ref()).into_iter().flatten();
        let ports = ports.map(|port| {
            let protocol = port.protocol.as_deref().unwrap_or("TCP");
            match port.node_port {
                Some(node) => format!("{}:{node}/{protocol}", port.port),
                None => format!("{}/{protocol}", port.port),
            }
        });
        let mut parts = vec![kind.to_owned(), listed(ports.collect())];
        if kind == "LoadBalancer" {
            let status = self.status.as_ref().and_then(|status| status.load_balancer.as_ref());
            let ingress = status.and_then(|status| status.ingress.as_ref()).into_iter().flatten();
            let addresses: Vec<String> = ingress
                .filter_map(|entry| entry.ip.clone().or(entry.hostname.clone()))
                .collect();
            parts.push(if addresses.is_empty() {
                "no address yet".to_owned()
            } else {
                listed(addresses)
            });
        }
        if kind == "ExternalName" {
            parts.extend(spec.and_then(|spec| spec.external_name.clone()));
        }
        parts.retain(|part| !part.is_empty());
        object("Service", &self.metadata, parts.join(", "))
    }
}

impl ToObjectStatus for Ingress {
    fn object_status(&self, _: Timestamp) -> ObjectStatus {
        let spec = self.spec.as_ref();
        let rules = spec.and_then(|spec| spec.rules.as_ref()).into_iter().flatten();
        let hosts: Vec<String> = rules
            .map(|rule| rule.host.clone().unwrap_or_else(|| "*".to_owned()))
            .collect();
        let status = self.status.as_ref().and_then(|status| status.load_balancer.as_ref());
        let ingress = status.and_then(|status| status.ingress.as_ref()).into_iter().flatten();
        let addresses: Vec<String> = ingress
            .filter_map(|entry| entry.ip.clone().or(entry.hostname.clone()))
            .collect();
        let class = spec.and_then(|spec| spec.ingress_class_name.as_deref());
        let mut parts = vec![listed(hosts)];
        parts.extend(class.map(|class| format!("class {class}")));
        parts.push(if addresses.is_empty() {
            "no address yet".to_owned()
        } else {
            listed(addresses)
        });
        parts.retain(|part| !part.is_empty());
        object("Ingress", &self.metadata, parts.join(", "))
    }
}

impl ToObjectStatus for HorizontalPodAutoscaler {
    fn object_status(&self, _: Timestamp) -> ObjectStatus {
        let (spec, status) = (self.spec.as_ref(), self.status.as_ref());
        let state = spec.map_or_else(String::new, |spec| {
            let target = &spec.scale_target_ref;
            format!(
                "{} to {} of {}/{}, now {}",
                spec.min_replicas.unwrap_or(1),
                spec.max_replicas,
                target.kind,
                target.name,
                status.and_then(|status| status.current_replicas).unwrap_or_default()
            )
        });
        object("HorizontalPodAutoscaler", &self.metadata, state)
    }
}

fn listed(mut words: Vec<String>) -> String {
    let more = words.len().saturating_sub(MOST_LISTED);
    words.truncate(MOST_LISTED);
    if more > 0 {
        words.push(format!("and {more} more"));
    }
    words.join(" ")
}

/// The age of an object in the format of kubectl: `12s`, `5m`, `3h`, `4d`.
pub fn age(created: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(created).as_secs().max(0);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// A short name of an image: without the host of Docker Hub and most of the digest.
pub fn short_image(image: &str) -> String {
    let name = image.strip_prefix("docker.io/").unwrap_or(image);
    let name = name.strip_prefix("library/").unwrap_or(name);
    match name.find("sha256").map(|offset| offset + "sha256:".len()) {
        Some(digits) if name.len() >= digits + 64 && name.is_char_boundary(digits + 12) => {
            name[..digits + 12].to_owned()
        }
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests;
