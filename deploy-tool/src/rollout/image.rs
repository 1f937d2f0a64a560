//! Why a container's image cannot be had.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

use super::{Objects, Problem, State, events, thresholds};

/// Says why an image cannot be had, and whether that may pass. `said` is the kubelet's reason and message.
pub fn state(title: &str, pod: &Pod, status: &ContainerStatus, objects: &Objects, said: (&str, &str)) -> State {
    let (reason, message) = said;
    let image = name(pod, status);
    let node = pod
        .spec
        .as_ref()
        .and_then(|spec| spec.node_name.as_deref())
        .unwrap_or("?");
    let sentence = format!("{title}: the image `{image}` cannot be had on node `{node}`: {message}");
    let local = image.starts_with("localhost/");
    let next = if local {
        "images named localhost/ are in no registry, they must be loaded into the nodes: `deploy-tool up` builds and loads \
         its own, `make images` makes the others"
    } else if is_refused(message) {
        "log the cluster in to the registry (imagePullSecrets), or correct the name"
    } else {
        "correct the image's name and tag; for MariaDB on a host that cannot reach Docker Hub, run `make images` and \
         `deploy-tool up`"
    };
    let enough = if is_unreachable(message) {
        thresholds::UNREACHABLE_PULLS
    } else {
        thresholds::FAILED_PULLS
    };
    let decided = local
        || matches!(reason, "ErrImageNeverPull" | "InvalidImageName")
        || is_missing(message)
        || is_refused(message)
        || failed_pulls(pod, objects) >= enough;
    if decided {
        Problem::new(sentence, next).failed()
    } else {
        State::Waiting(sentence)
    }
}

/// The image's name as the manifest has it: the kubelet's status may show a digest.
fn name<'a>(pod: &'a Pod, status: &'a ContainerStatus) -> &'a str {
    let spec = pod.spec.as_ref();
    let main = spec.into_iter().flat_map(|spec| &spec.containers);
    let init = spec.into_iter().flat_map(|spec| spec.init_containers.iter().flatten());
    let mut found = main.chain(init).filter(|container| container.name == status.name);
    found
        .next()
        .and_then(|container| container.image.as_deref())
        .unwrap_or(&status.image)
}

fn failed_pulls(pod: &Pod, objects: &Objects) -> i32 {
    let all = events::about(objects, pod.metadata.uid.as_deref());
    let failed = all.filter(|event| {
        event.reason.as_deref() == Some("Failed") && events::message(event).starts_with("Failed to pull image")
    });
    failed.map(events::count).sum()
}

/// The registry has been reached and does not have it.
fn is_missing(message: &str) -> bool {
    says(
        message,
        &[
            "not found",
            "manifest unknown",
            "does not exist",
            "name unknown",
            "invalid reference",
        ],
    )
}

/// The registry has been reached and does not give it.
fn is_refused(message: &str) -> bool {
    says(
        message,
        &[
            "unauthorized",
            "authorization failed",
            "access denied",
            "403 forbidden",
            "insufficient_scope",
        ],
    )
}

/// Nobody is there who could say anything.
fn is_unreachable(message: &str) -> bool {
    says(
        message,
        &[
            "connection refused",
            "no such host",
            "no route to host",
            "network is unreachable",
        ],
    )
}

fn says(message: &str, parts: &[&str]) -> bool {
    let text = message.to_ascii_lowercase();
    parts.iter().any(|part| text.contains(part))
}
