//! Why a container's image cannot be pulled.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, ContainerStatus, Pod};

use crate::status::Phase;
use crate::text::contains_any;
use crate::{Clock, Diagnosis, Objects, events, pod_view, thresholds};
use diagnostics::Code;
use diagnostics::code::rollout::{
    IMAGE_FOR_ANOTHER_PLATFORM, IMAGE_NAME_INVALID, IMAGE_NOT_FOUND, IMAGE_NOT_ON_NODE, IMAGE_REFUSED,
    REGISTRY_UNREACHABLE,
};

/// Messages of containerd and registries, with the error code, the hint, and the number of failed pulls after which it is
/// a clear sign. The first match counts: `pull access denied, repository does not exist or may require authorization` is
/// a refusal.
const TABLE: [(&[&str], &Code, &str, i32); 4] = [
    (
        &[
            "no match for platform in manifest",
            "no matching manifest for",
            "does not match the specified platform",
        ],
        &IMAGE_FOR_ANOTHER_PLATFORM,
        "build the image for the nodes' platform: `kubectl get nodes --label-columns kubernetes.io/arch`",
        1,
    ),
    (
        &[
            "unauthorized",
            "authorization failed",
            "access denied",
            "403 forbidden",
            "insufficient_scope",
            "no basic auth credentials",
        ],
        &IMAGE_REFUSED,
        "log the cluster in to the registry (`kubectl create secret docker-registry`, then imagePullSecrets in the pod \
         template), or correct the name",
        1,
    ),
    (
        &["not found", "manifest unknown", "does not exist", "name unknown"],
        &IMAGE_NOT_FOUND,
        "correct the image's name and tag, or push it; one that is on this host alone can be loaded into the nodes of a kind \
         cluster: `kind load docker-image NAME`",
        1,
    ),
    (
        &[
            "connection refused",
            "no such host",
            "no route to host",
            "network is unreachable",
        ],
        &REGISTRY_UNREACHABLE,
        "correct the registry's name, or let the nodes reach it; images of this host can be loaded: `kind load docker-image NAME`",
        thresholds::UNREACHABLE_PULLS,
    ),
];

/// Evaluates why an image cannot be pulled. `waiting` is the kubelet's reason and message.
pub fn evaluate(
    title: &str,
    pod: &Pod,
    status: &ContainerStatus,
    objects: &Objects,
    clock: Clock,
    waiting: (&str, &str),
) -> Phase {
    let (reason, message) = waiting;
    let image = name(pod, status);
    let node = pod_view::node(pod);
    // The kubelet repeats the image's name, and the pause before its next attempt comes and goes.
    let short = message
        .rsplit_once("failed to do request: ")
        .map_or(message, |(_, rest)| rest);
    let sentence = format!("{title}: node `{node}` cannot pull the image `{image}`: {short}");
    let (code, next, enough) = kind(reason, message, image);
    let diagnosis = Diagnosis::new(code, sentence, next);
    let (pulls, last) = failed_pulls(pod, objects);
    if is_final(pod, status, code, reason, pulls, clock) {
        return diagnosis.failed();
    }
    diagnosis
        .blocked()
        .clear(enough <= 1 || pulls >= enough)
        .attempted(last, None)
        .into()
}

/// Whether neither the registry nor the node can make it another answer.
fn is_final(pod: &Pod, status: &ContainerStatus, code: &Code, reason: &str, pulls: i32, clock: Clock) -> bool {
    if code == &IMAGE_NAME_INVALID {
        return true;
    }
    if reason == "ErrImageNeverPull" {
        return clock.waited(pod_view::created(pod)) >= thresholds::IMAGE_NEVER;
    }
    let is_digest = name(pod, status).contains("@sha256:");
    code == &IMAGE_FOR_ANOTHER_PLATFORM && is_digest && pulls >= 2
}

/// Whether a container that is started again gets the same content: a tag may be pushed again, and pulled.
/// <https://kubernetes.io/docs/concepts/containers/images/#imagepullpolicy-defaulting>
pub fn is_fixed(container: &Container) -> bool {
    let image = container.image.as_deref().unwrap_or_default();
    let is_pulled = match container.image_pull_policy.as_deref() {
        Some(policy) => policy == "Always",
        None => {
            let name = image.rsplit('/').next().unwrap_or(image);
            name.ends_with(":latest") || !name.contains(':')
        }
    };
    image.contains("@sha256:") || !is_pulled
}

/// The error code, the hint, and the number of failed pulls after which it is a clear sign.
fn kind(reason: &str, message: &str, image: &str) -> (&'static Code, &'static str, i32) {
    if reason == "InvalidImageName" || contains_any(message, &["invalid reference"]) {
        return (&IMAGE_NAME_INVALID, "correct `image` in the manifest", 1);
    }
    if image.starts_with("localhost/") || reason == "ErrImageNeverPull" {
        let next = "images named localhost/ are in no registry, and `imagePullPolicy: Never` pulls none: they must be loaded \
            into the nodes. `deploy-tool up` builds and loads its own, `kind load docker-image NAME` loads any other of this \
            host's engine. What a node has once pulled with a login, Kubernetes gives to pods with that login \
            alone, by whatever name: such an image stays with `up --registry`";
        return (&IMAGE_NOT_ON_NODE, next, 1);
    }
    let found = TABLE.iter().find(|(parts, ..)| contains_any(message, parts));
    found.map_or(
        (
            &REGISTRY_UNREACHABLE,
            "look whether the nodes reach the registry, and whether it works",
            thresholds::FAILED_PULLS,
        ),
        |(_, code, next, enough)| (*code, *next, *enough),
    )
}

/// The image's name as the manifest has it: the kubelet's status may show a digest.
fn name<'a>(pod: &'a Pod, status: &'a ContainerStatus) -> &'a str {
    pod_view::container(pod, &status.name)
        .and_then(|container| container.image.as_deref())
        .unwrap_or(&status.image)
}

/// How many pulls have failed, and when the last one did.
fn failed_pulls(pod: &Pod, objects: &Objects) -> (i32, Option<Timestamp>) {
    let failed = || {
        events::list_for(objects, &pod.metadata).filter(|event| {
            event.reason.as_deref() == Some("Failed") && events::message(event).starts_with("Failed to pull image")
        })
    };
    (
        failed().map(events::count).sum(),
        failed().filter_map(events::last_time).max(),
    )
}
