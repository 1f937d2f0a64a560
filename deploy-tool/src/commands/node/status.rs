//! `deploy-tool node status`: the labels of the nodes, and what the installer finds on them.

use super::session::{NodeSession, connect};
use crate::cli::NodeStatusArguments;
use diagnostics::{ExitStatus, Result};
use host::cleanup::Cleanup;
use nodes::NODE_ENGINE_LABEL;
use nodes::node;
use nodes::node::{Report, Row, Verb};
use terminal::{Printer, Progress};

/// Runs the command. The exit code tells whether a node has a problem.
///
/// # Errors
/// When the nodes cannot be inspected.
pub async fn run(printer: &Printer, cleanup: &Cleanup, arguments: NodeStatusArguments) -> Result<ExitStatus> {
    let arguments = arguments.node;
    let labelled = Some(NODE_ENGINE_LABEL).filter(|_| arguments.nodes.is_empty());
    let (cluster, nodes) = connect(&arguments, arguments.selector.as_deref().or(labelled)).await?;
    let targets = node::choose(&arguments.nodes, &nodes)?;
    let session = NodeSession::new(printer, cleanup, cluster, &arguments, &targets).await?;
    let step = async |progress: &Progress| session.inspect_nodes(progress, Verb::Status, &targets).await;
    let reports = printer.step("what is on the nodes", step).await?;
    let rows = targets.iter().zip(reports).map(|(target, report)| {
        let label = node::engine(target.node);
        match report {
            Ok(report) => Row::found(target.name(), label, report.version, report.sentence),
            Err(failure) => Row::failed(target.name(), label, &failure),
        }
    });
    let report = Report::new(&arguments.context, rows.collect());
    printer.result(&report, node::text(&report));
    Ok(if report.healthy {
        ExitStatus::Done
    } else {
        ExitStatus::Cluster
    })
}
