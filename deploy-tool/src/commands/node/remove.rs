//! `deploy-tool node remove`: one node after the other: labels away, Wasm pods away, then the engine.

use k8s_openapi::api::core::v1::Pod;

use super::session::{self, NodeSession, connect, refuse_unnamed};
use crate::cli::NodeRemoveArguments;
use diagnostics::Result;
use host::cleanup::Cleanup;
use nodes::api::{doctor, eviction, node as node_api};
use nodes::node;
use nodes::node::{AllowedLosses, Chosen, Outcome, Verb};
use terminal::{Printer, Progress};

/// Runs the command.
///
/// # Errors
/// When Wasm pods are in the way, or a node's runtime does not come back without the engine.
pub async fn run(printer: &Printer, cleanup: &Cleanup, arguments: NodeRemoveArguments) -> Result<()> {
    let NodeRemoveArguments {
        node: arguments,
        drain,
        losses,
    } = arguments;
    let drain = drain.then(|| AllowedLosses::from(losses));
    refuse_unnamed(&arguments)?;
    let (cluster, nodes) = connect(&arguments, arguments.selector.as_deref()).await?;
    let targets = node::choose(&arguments.nodes, &nodes)?;
    let session = NodeSession::new(printer, cleanup, cluster, &arguments, &targets).await?;
    for target in &targets {
        match drain {
            Some(allowed) => node::refuse_losses(target.name(), &read_wasm_pods(&session, target).await?, allowed)?,
            None => refuse_pods(&session, target).await?,
        }
    }
    for target in &targets {
        let step = async |progress: &Progress| remove_from_node(&session, progress, target, drain).await;
        printer.step(&format!("node {}", target.name()), step).await?;
    }
    Ok(())
}

async fn read_wasm_pods(session: &NodeSession<'_>, target: &Chosen<'_>) -> Result<Vec<Pod>> {
    let classes = doctor::runtime_classes(&session.cluster).await?;
    let pods = node_api::pods(&session.cluster, target.name()).await?;
    Ok(node::wasm_pods(pods, &classes, &session.arguments.handler))
}

async fn refuse_pods(session: &NodeSession<'_>, target: &Chosen<'_>) -> Result<()> {
    let pods = read_wasm_pods(session, target).await?;
    if pods.is_empty() {
        Ok(())
    } else {
        Err(node::explain_wasm_pods(target.name(), &pods))
    }
}

async fn remove_from_node(
    session: &NodeSession<'_>,
    progress: &Progress,
    target: &Chosen<'_>,
    drain: Option<AllowedLosses>,
) -> Result<()> {
    let (cluster, label) = (&session.cluster, node::engine(target.node));
    node_api::cordon(cluster, target.node).await?;
    if label.is_some()
        && let Err(refused) = node_api::label(cluster, target.name(), None).await
    {
        return session::finish_node(cluster, target, label, &Outcome::AsBefore, Some(refused)).await;
    }
    let mut outcome = Outcome::AsBefore;
    match evict_and_remove(session, progress, target, drain, &mut outcome).await {
        Ok(sentence) => {
            session::finish_node(cluster, target, None, &outcome, None).await?;
            progress.outcome(format!("node {}: {sentence}", target.name()));
            Ok(())
        }
        Err(failure) => session::finish_node(cluster, target, None, &outcome, Some(failure)).await,
    }
}

/// `outcome` is what has become of the node, also where this fails.
async fn evict_and_remove(
    session: &NodeSession<'_>,
    progress: &Progress,
    target: &Chosen<'_>,
    drain: Option<AllowedLosses>,
    outcome: &mut Outcome,
) -> Result<String> {
    if let Some(allowed) = drain {
        progress.activity("its Wasm pods are evicted");
        let pods = read_wasm_pods(session, target).await?;
        node::refuse_losses(target.name(), &pods, allowed)?;
        eviction::evict(&session.cluster, &pods, session.arguments.timeout).await?;
    }
    // One may have come until the node was cordoned.
    refuse_pods(session, target).await?;
    match session.run_installer(progress, Verb::Remove, target).await {
        Ok(report) => {
            // An engine of the node's own image is not touched, and keeps its labels.
            if report.version.is_none() {
                *outcome = Outcome::Gone;
            }
            Ok(report.sentence)
        }
        Err(failed) => {
            *outcome = session::outcome_after_failure(&failed);
            Err(failed.failure)
        }
    }
}
