//! The links “guest” and “network”: what the module gets, and whom it reaches.

use super::answer::{GuestEnvironment, Network, find};
use super::pod::{LOOK, TARGET, VARIABLE};
use super::{Facts, Observed, Verdict};
use diagnostics::Error;
use diagnostics::code::doctor::{GUEST, NETWORK};
use diagnostics::size::in_megabytes;

/// Whether arguments and environment are those of the pod; how long the start took, and how much memory.
pub fn check(_: &Facts<'_>, observed: &Observed) -> Verdict {
    let Some(seen) = environment(observed, LOOK) else {
        let log = observed.logs.get(LOOK).map(String::as_str).unwrap_or_default();
        let failure = Error::cluster("the guest has said nothing of itself").code(&GUEST);
        let failure = match observed.ended(LOOK) {
            Some(ended) => failure.cause(format!("it has ended with exit code {}", ended.exit_code)),
            None => failure.cause("it has not ended in time"),
        };
        return Verdict::Broken(failure.detail(log));
    };
    if seen.arguments != ["look", TARGET] || seen.variable.as_deref() != Some(VARIABLE.1) {
        return Verdict::Broken(
            Error::cluster("the guest does not get the arguments and the environment of its pod")
                .code(&GUEST)
                .cause(format!(
                    "arguments {:?}, {} {:?}",
                    seen.arguments, VARIABLE.0, seen.variable
                )),
        );
    }
    let start = seen
        .start_milliseconds
        .map(|milliseconds| format!("; it began {milliseconds} ms after its process"));
    let memory = seen
        .memory_bytes
        .map(|bytes| format!(", and took {} of memory", in_megabytes(bytes)));
    let parts = [Some("gets its arguments and environment".to_owned()), start, memory];
    Verdict::Healthy(parts.into_iter().flatten().collect())
}

/// What a container has said of itself.
pub fn environment(observed: &Observed, container: &str) -> Option<GuestEnvironment> {
    find(observed.logs.get(container)?)
}

/// Whether the guest finds a Service by its name, and reaches it.
pub fn network(_: &Facts<'_>, observed: &Observed) -> Verdict {
    let failure = |message: String| Error::cluster(message).code(&NETWORK);
    let Some(seen) = observed.logs.get(LOOK).and_then(|log| find::<Network>(log)) else {
        return Verdict::Broken(
            failure(format!("the guest has not come to an end with {TARGET}"))
                .cause("neither an answer nor a refusal has come: packets are dropped")
                .hint("look for a NetworkPolicy: `kubectl get networkpolicies`"),
        );
    };
    let error = seen.error.unwrap_or_default();
    if seen.resolved.is_empty() {
        return Verdict::Broken(
            failure(format!("the guest finds no address of {TARGET}"))
                .cause(error)
                .hint("look at the cluster's DNS: `kubectl --namespace kube-system get pods -l k8s-app=kube-dns`"),
        );
    }
    let addresses = seen.resolved.join(", ");
    if !seen.connected {
        return Verdict::Broken(
            failure(format!("the guest cannot connect to {TARGET} ({addresses})"))
                .cause(error)
                .hint("look for a NetworkPolicy, `kubectl get networkpolicies`, and at kube-proxy on the node"),
        );
    }
    Verdict::Healthy(format!("{TARGET} is {addresses}, and takes a connection"))
}
