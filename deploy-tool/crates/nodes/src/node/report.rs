//! What `node status` prints.

use serde::Serialize;

use diagnostics::Error;
use diagnostics::code::node::ENGINE;

/// The value of [`Report::schema`].
const SCHEMA: &str = "deploy-tool.dev/nodes/v1";

/// What `node status --output json` prints. Fields are added, never renamed, while `schema` stays the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// `deploy-tool.dev/nodes/v1`
    pub schema: &'static str,
    /// The kubeconfig's context.
    pub context: String,
    /// Whether every node is as it should be.
    pub healthy: bool,
    /// The nodes, by name.
    pub nodes: Vec<Row>,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Its name.
    pub name: String,
    /// The engine that its label names.
    pub label: Option<String>,
    /// The engine that is installed.
    pub installed: Option<String>,
    /// Whether it is as it was installed.
    pub healthy: bool,
    /// The finding.
    pub sentence: String,
    /// The number in the catalogue, where something is wrong.
    pub code: Option<String>,
}

impl Row {
    /// The report of a node whose installer has answered.
    pub fn found(name: &str, label: Option<&str>, installed: Option<String>, sentence: String) -> Self {
        if label.is_some() && installed.is_none() {
            let failure = Error::cluster("it is labelled for Wasm pods, and has no engine").code(&ENGINE);
            return Self::failed(name, label, &failure);
        }
        Self::healthy(name, label, installed, sentence)
    }

    fn healthy(name: &str, label: Option<&str>, installed: Option<String>, sentence: String) -> Self {
        Self {
            name: name.to_owned(),
            label: label.map(str::to_owned),
            installed,
            healthy: true,
            sentence,
            code: None,
        }
    }

    /// Of a node where something is wrong.
    pub fn failed(name: &str, label: Option<&str>, failure: &Error) -> Self {
        let causes = failure.causes().iter().map(|cause| format!("; {cause}"));
        Self {
            healthy: false,
            code: failure.number().map(ToString::to_string),
            ..Self::healthy(
                name,
                label,
                None,
                format!("{}{}", failure.message(), causes.collect::<String>()),
            )
        }
    }
}

impl Report {
    /// From all rows.
    pub fn new(context: &str, nodes: Vec<Row>) -> Self {
        Self {
            schema: SCHEMA,
            context: context.to_owned(),
            healthy: nodes.iter().all(|row| row.healthy),
            nodes,
        }
    }
}

/// The report for people: a line a node.
pub fn text(report: &Report) -> String {
    if report.nodes.is_empty() {
        return "no node has the label wasm-engine\n".to_owned();
    }
    let width = report.nodes.iter().map(|row| row.name.len()).max().unwrap_or_default();
    let lines = report.nodes.iter().map(|row| {
        let sign = if row.healthy { '✓' } else { '✗' };
        let engine = row.installed.as_deref().or(row.label.as_deref()).unwrap_or("-");
        let code = row.code.as_ref().map(|code| format!("{code}: ")).unwrap_or_default();
        format!("{sign} {:width$}  {engine}  {code}{}\n", row.name, row.sentence)
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_without_an_engine_is_told_of() {
        let row =
            |label, installed: Option<&str>| Row::found("one", label, installed.map(str::to_owned), "fine".into());
        let wrong = row(Some("1"), None);
        assert_eq!((wrong.healthy, wrong.code.as_deref()), (false, Some("DT0910")));
        assert!(row(None, None).healthy && row(Some("1"), Some("1")).healthy && row(None, Some("1")).healthy);
    }

    #[test]
    fn a_line_a_node() {
        let failure = Error::cluster("it is damaged")
            .cause("lib/a.so is missing")
            .code(&diagnostics::code::node::ENGINE);
        let rows = vec![
            Row::found("one", Some("1"), Some("1".into()), "all as installed".into()),
            Row::failed("worker", Some("1"), &failure),
        ];
        let report = Report::new("c", rows);
        assert!(!report.healthy);
        let expected = "✓ one     1  all as installed\n✗ worker  1  DT0910: it is damaged; lib/a.so is missing\n";
        assert_eq!(text(&report), expected);
        assert!(text(&Report::new("c", Vec::new())).contains("no node"));
    }
}
