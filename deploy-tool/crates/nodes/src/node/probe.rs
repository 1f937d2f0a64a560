//! The probe of `doctor` on a node that is not open for Wasm pods yet.

use k8s_openapi::api::node::v1::RuntimeClass;
use serde_json::json;

use crate::doctor::{Link, LinkState};
use diagnostics::Error;
use diagnostics::code::node::PROBE;

/// A RuntimeClass for the probe alone: it asks for no label, and takes the probe past cordons and taints.
///
/// # Errors
/// Never: a test makes one.
pub fn runtime_class(handler: &str) -> Result<RuntimeClass, serde_json::Error> {
    serde_json::from_value(json!({
        "apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass",
        "metadata": {"generateName": "node-probe-", "labels": {"app.kubernetes.io/managed-by": "deploy-tool"}},
        "handler": handler,
        "scheduling": {"tolerations": [{"operator": "Exists"}]},
    }))
}

/// The failure of a probe, by its broken link.
pub fn probe_failure(node: &str, links: &[Link]) -> Option<Error> {
    let link = links.iter().find(|link| link.state == LinkState::Broken)?;
    let failure = Error::cluster(format!(
        "node `{node}`: the engine is installed, and a probe does not run as it should"
    ))
    .code(&PROBE)
    .cause(format!("{}: {}", link.link, link.sentence));
    let failure = link.because.iter().fold(failure, Error::cause);
    let failure = link.evidence.iter().cloned().fold(failure, Error::detail);
    Some(match &link.code {
        Some(code) => failure.hint(format!("`deploy-tool explain {code}` says what that link is")),
        None => failure,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{Chain, Verdict};

    #[test]
    fn the_class_of_the_probe_goes_where_no_other_does() {
        let class = runtime_class("crun").unwrap();
        let scheduling = class.scheduling.unwrap();
        assert_eq!(scheduling.node_selector, None);
        assert_eq!(scheduling.tolerations.unwrap()[0].operator.as_deref(), Some("Exists"));
    }

    #[test]
    fn a_probe_that_fails_names_its_link() {
        let mut chain = Chain::for_node("one");
        chain.link("handler", || Verdict::Healthy("it is there".into()));
        assert_eq!(probe_failure("one", &chain.end(&[])), None);
        let mut chain = Chain::for_node("one");
        chain.link("AOT", || {
            Verdict::Broken(Error::cluster("it is slow").cause("another version"))
        });
        let text = probe_failure("one", &chain.end(&[])).unwrap().to_string();
        assert!(
            text.contains("AOT: it is slow") && text.contains("another version"),
            "{text}"
        );
    }
}
