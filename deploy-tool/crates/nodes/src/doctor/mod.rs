//! Pure: checks whether a cluster runs Wasm, as a chain of links, by its objects and the pod of a probe.
//!
//! The links after a broken one are skipped, so that the report names the one problem to fix.

mod answer;
mod effect;
mod ending;
mod facts;
mod guest;
mod nodes;
mod observed;
mod permissions;
mod pod;
mod runtime_class;
mod started;
#[cfg(test)]
mod tests;
mod text;

use serde::Serialize;

use diagnostics::Error;

pub use facts::{Facts, NativeImage};
pub use nodes::{candidates, name, offers};
pub use observed::{Observed, is_over};
pub use permissions::permissions;
pub use pod::{LIFETIME, Probe, SELECTOR, is_left_over, probe};
pub use runtime_class::{describe, missing};
pub use started::{NODE_LINKS, refused};
pub use text::text;

/// What `doctor --output json` prints. Fields are added, never renamed, while `schema` stays the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// `deploy-tool.dev/doctor/v1`
    pub schema: &'static str,
    /// The kubeconfig's context.
    pub context: String,
    /// Where the probes have run.
    pub namespace: String,
    /// The RuntimeClass that was looked at.
    pub runtime_class: String,
    /// Whether no link is broken.
    pub healthy: bool,
    /// The links, those of the cluster first, then those of each node.
    pub links: Vec<Link>,
}

/// The value of [`Report::schema`].
pub const SCHEMA: &str = "deploy-tool.dev/doctor/v1";

/// How a link of the chain is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// Which node it is about; none for the cluster's own.
    pub node: Option<String>,
    /// Its name.
    pub link: &'static str,
    /// How it is.
    pub state: LinkState,
    /// The finding, or why the link was skipped.
    pub sentence: String,
    /// The number in the catalogue, where it is broken.
    pub code: Option<String>,
    /// Why it is broken.
    pub because: Vec<String>,
    /// What shows it.
    pub evidence: Vec<String>,
    /// What fixes it.
    pub next: Vec<String>,
}

/// How a link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum LinkState {
    /// It holds.
    Healthy,
    /// It does not.
    Broken,
    /// It was not looked at.
    Skipped,
}

/// The result of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It works; with the finding.
    Healthy(String),
    /// It does not.
    Broken(Error),
    /// It cannot be looked at, and why.
    Skipped(String),
}

/// The links of the cluster itself, in their order.
pub const CLUSTER_LINKS: [&str; 4] = ["API server", "RuntimeClass", "nodes", "namespace"];

/// Links in their order, as far as they have been looked at.
#[derive(Debug, Default)]
pub struct Chain {
    node: Option<String>,
    links: Vec<Link>,
    broken: Option<&'static str>,
}

impl Chain {
    /// The links of a node.
    pub fn for_node(node: &str) -> Self {
        Self {
            node: Some(node.to_owned()),
            ..Self::default()
        }
    }

    /// Whether one is broken.
    pub fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    /// Looks at the next link, unless one before it is broken.
    pub fn link(&mut self, name: &'static str, check: impl FnOnce() -> Verdict) {
        let verdict = match self.broken {
            Some(broken) => Verdict::Skipped(format!("not looked at, since `{broken}` is broken")),
            None => check(),
        };
        if let Verdict::Broken(_) = verdict {
            self.broken = Some(name);
        }
        self.links.push(link(self.node.clone(), name, verdict));
    }

    /// All links of the list: those that were not checked are marked as skipped.
    pub fn end(mut self, all: &[&'static str]) -> Vec<Link> {
        for name in &all[self.links.len().min(all.len())..] {
            self.link(name, || Verdict::Skipped("nothing was found out about it".to_owned()));
        }
        self.links
    }
}

fn link(node: Option<String>, name: &'static str, verdict: Verdict) -> Link {
    let (state, sentence, failure) = match verdict {
        Verdict::Healthy(sentence) => (LinkState::Healthy, sentence, None),
        Verdict::Skipped(sentence) => (LinkState::Skipped, sentence, None),
        Verdict::Broken(failure) => (LinkState::Broken, failure.message().to_owned(), Some(failure)),
    };
    let lines = |part: fn(&Error) -> &[String]| {
        failure
            .as_ref()
            .map(|failure| part(failure).to_vec())
            .unwrap_or_default()
    };
    Link {
        node,
        link: name,
        state,
        sentence,
        code: failure.as_ref().and_then(Error::number).map(ToString::to_string),
        because: lines(Error::causes),
        evidence: lines(Error::details),
        next: lines(Error::hints),
    }
}

impl Report {
    /// From all links.
    pub fn new(context: &str, namespace: &str, runtime_class: &str, links: Vec<Link>) -> Self {
        Self {
            schema: SCHEMA,
            context: context.to_owned(),
            namespace: namespace.to_owned(),
            runtime_class: runtime_class.to_owned(),
            healthy: links.iter().all(|link| link.state != LinkState::Broken),
            links,
        }
    }
}
