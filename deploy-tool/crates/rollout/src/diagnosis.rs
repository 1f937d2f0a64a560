//! A diagnosis: why an object does not become ready, and the evidence for it.

use diagnostics::{Code, Error};

/// Why an object does not become ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// Its number in the catalogue.
    pub code: &'static Code,
    /// The problem and the object that has it, in one sentence.
    pub sentence: String,
    /// What the objects themselves show of it.
    pub lines: Vec<String>,
    /// What to do about it.
    pub hint: String,
    /// What shows more.
    pub evidence: Vec<Evidence>,
}

/// Something the cluster can be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The last lines of a container's log.
    Logs(ContainerLog),
    /// What a probe's path answers.
    Answer {
        /// Namespace of the pod.
        namespace: String,
        /// The pod.
        pod: String,
        /// Whether the probe uses HTTPS.
        is_https: bool,
        /// The port's number, and the path.
        address: String,
    },
    /// How much memory a container uses.
    Memory {
        /// Namespace of the pod.
        namespace: String,
        /// The pod.
        pod: String,
        /// The container.
        container: String,
        /// The node, which knows it.
        node: String,
    },
    /// Which storage classes there are.
    StorageClasses,
}

/// Which container's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerLog {
    /// Namespace of the pod.
    pub namespace: String,
    /// The pod.
    pub pod: String,
    /// The container.
    pub container: String,
}

impl Diagnosis {
    /// A diagnosis without evidence.
    pub(crate) fn new(code: &'static Code, sentence: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            code,
            sentence: sentence.into(),
            lines: Vec::new(),
            hint: hint.into(),
            evidence: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, evidence: Evidence) -> Self {
        self.evidence.push(evidence);
        self
    }

    pub(crate) fn detail(mut self, lines: Vec<String>) -> Self {
        self.lines = lines;
        self
    }

    /// The end of a run, with what the cluster answered when it was asked for the evidence.
    #[must_use]
    pub fn into_error(self, evidence: &[String]) -> Error {
        let failure = Error::cluster(self.sentence).code(self.code);
        let shown = [self.lines.join("\n")].into_iter().chain(evidence.iter().cloned());
        shown
            .filter(|text| !text.is_empty())
            .fold(failure, Error::detail)
            .hint(self.hint)
    }
}
