//! The checks from the node's handler to a module that WasmEdge runs, by the observed state of the probe's pod.

use k8s_openapi::api::core::v1::Node;

use super::facts::Facts;
use super::{Observed, Verdict, effect, ending, guest, nodes};
use diagnostics::Error;
use diagnostics::code::doctor::{ENGINE, HANDLER, NOT_WASM, POD, PROBE_IMAGE, PROBE_REFUSED, SYSTEMD};
use rollout::{is_systemd_unreachable, unknown_handler};

/// Checks one link of a node by the observed state of the probe.
pub type Check = fn(&Facts<'_>, &Observed) -> Verdict;

/// The links of a node, in their order. Each may assume that those before it hold.
pub const NODE_LINKS: [(&str, Check); 9] = [
    ("handler", handler),
    ("pod", pod),
    ("image", image),
    ("annotation", annotation),
    ("engine", engine),
    ("guest", guest::check),
    ("network", guest::network),
    ("AOT", effect::check),
    ("ending", ending::check),
];

/// The API server refuses the probe's pod.
pub fn refused(failure: &Error) -> Verdict {
    let broken = Error::cluster("the namespace refuses the probe's pod").code(&PROBE_REFUSED);
    let causes = failure.causes().iter();
    Verdict::Broken(
        causes
            .fold(broken, Error::cause)
            .hint("have changed what it names, or look in another namespace: --namespace"),
    )
}

fn handler(facts: &Facts<'_>, observed: &Observed) -> Verdict {
    let handler = &facts.class.handler;
    let next = format!(
        "let the handler be a runtime of the node's containerd whose BinaryName is crun: `deploy-tool node install {} \
         --handler {handler}` adds it and restarts containerd; or take the RuntimeClass's label from the node",
        nodes::name(facts.node)
    );
    let unknown = observed.warnings().find(|warning| unknown_handler(warning).is_some());
    let is_known = nodes::offers(facts.node, handler);
    if is_known == Some(false) || unknown.is_some() {
        let failure = Error::cluster(format!("containerd has no runtime for the handler `{handler}`")).code(&HANDLER);
        let failure = match handlers(facts.node) {
            known if known.is_empty() => failure,
            known => failure.cause(format!("it has: {}", known.join(", "))),
        };
        return Verdict::Broken(unknown.into_iter().fold(failure, Error::detail).hint(next));
    }
    if let Some(line) = exec_format_error(observed).filter(|line| !is_of_crun(line)) {
        return Verdict::Broken(
            Error::cluster(format!("the handler `{handler}` leads to a runtime that is not crun"))
                .code(&HANDLER)
                .cause("it has run the module as a native program, and says so as runc does")
                .detail(line)
                .hint(next),
        );
    }
    Verdict::Healthy(format!("containerd has a runtime for `{handler}`"))
}

/// The names of the handlers; the default one has none.
fn handlers(node: &Node) -> Vec<&str> {
    let known = node.status.as_ref().and_then(|status| status.runtime_handlers.as_ref());
    let names = known
        .into_iter()
        .flatten()
        .filter_map(|handler| handler.name.as_deref());
    names.filter(|name| !name.is_empty()).collect()
}

fn pod(facts: &Facts<'_>, observed: &Observed) -> Verdict {
    if let Some(warning) = observed.warnings().find(|warning| is_systemd_unreachable(warning)) {
        let failure = Error::cluster("crun cannot ask systemd for a cgroup: no D-Bus daemon runs on the node")
            .code(&SYSTEMD)
            .detail(warning)
            .hint(format!(
                "`deploy-tool node install {}` brings an engine that needs none; or install and start D-Bus on the node",
                nodes::name(facts.node)
            ));
        return Verdict::Broken(failure);
    }
    let failure = |message: String| Error::cluster(message).code(&POD);
    let next = "`kubectl describe node NODE` says how the node is; its events and the log of containerd say why";
    match observed.refused() {
        Some((_, reason, _)) if is_of_image(reason) => {}
        Some((_, _, message)) if needs_engine(message) => {}
        Some((_, "CrashLoopBackOff", _)) => {}
        Some((status, reason, message)) => {
            return Verdict::Broken(
                failure(format!("the container `{}` is not started: {reason}", status.name))
                    .cause(message)
                    .hint(next),
            );
        }
        None if !observed.has_started() => {
            let failure = failure("the pod has not started its containers in time".to_owned());
            let warnings: Vec<&str> = observed.warnings().collect();
            let failure = warnings
                .last()
                .into_iter()
                .fold(failure, |failure, last| failure.cause(last));
            return Verdict::Broken(failure.hint(next));
        }
        None => {}
    }
    if let Some(reason) = &observed.log_failure {
        return Verdict::Broken(
            failure("the API server cannot read the logs of the node's containers".to_owned())
                .cause(reason)
                .hint("the API server must reach the node's kubelet, port 10250: look at the kubelet, and at firewalls between them"),
        );
    }
    Verdict::Healthy("the node takes the probe's pod".to_owned())
}

fn image(facts: &Facts<'_>, observed: &Observed) -> Verdict {
    match observed.refused() {
        Some((status, reason, message)) if is_of_image(reason) => Verdict::Broken(
            Error::cluster(format!("the node cannot have the image {}", status.image))
                .code(&PROBE_IMAGE)
                .cause(message)
                .hint("push the probe to a registry that the nodes reach, and name it with --image and --plain-image"),
        ),
        _ => Verdict::Healthy(format!(
            "the node has the probe's image for {}",
            nodes::architecture(facts.node)
        )),
    }
}

fn annotation(_: &Facts<'_>, observed: &Observed) -> Verdict {
    match exec_format_error(observed) {
        Some(line) => Verdict::Broken(
            Error::cluster("crun runs the module as a native program: the pod's annotation does not reach it")
                .code(&NOT_WASM)
                .detail(line)
                .hint(
                    "write pod_annotations = [\"module.wasm.image/*\"] into the handler's entry of the node's containerd \
                     configuration, and restart containerd",
                )
                .hint("if it is there, `crun --version` on the node must say +WASM:wasmedge"),
        ),
        None => Verdict::Healthy("the pod's annotation reaches crun, which takes the module for Wasm".to_owned()),
    }
}

fn engine(_: &Facts<'_>, observed: &Observed) -> Verdict {
    match observed.refused() {
        Some((_, _, message)) if needs_engine(message) => Verdict::Broken(
            Error::cluster("crun cannot load WasmEdge")
                .code(&ENGINE)
                .cause(
                    message
                        .rsplit_once("create failed: ")
                        .map_or(message, |(_, reason)| reason),
                )
                .hint("install the library on the node and run ldconfig (Debian: `apt-get install libwasmedge0`)"),
        ),
        _ => Verdict::Healthy("crun loads WasmEdge".to_owned()),
    }
}

fn is_of_image(reason: &str) -> bool {
    reason.contains("Image")
}

/// crun: could not load `libwasmedge.so.0`.
fn needs_engine(message: &str) -> bool {
    message.contains("could not load `libwasmedge")
}

/// What the kernel's refusal of a module looks like, if a container has written that.
fn exec_format_error(observed: &Observed) -> Option<&str> {
    let mut lines = observed.logs.values().flat_map(|log| log.lines());
    lines.find(|line| line.to_ascii_lowercase().contains("exec format error"))
}

/// crun: exec container process `/probe.wasm`: Exec format error; runc: exec /probe.wasm: exec format error.
fn is_of_crun(line: &str) -> bool {
    line.contains("exec container process")
}
