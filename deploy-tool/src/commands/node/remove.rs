//! `deploy-tool node remove`: one node after the other: labels away, Wasm pods away, then the engine.

use k8s_openapi::api::core::v1::Pod;

use super::session::{self, NodeSession, connect, refuse_unnamed};
use crate::cli::NodeRemoveArguments;
use diagnostics::Result;
use nodes::api::{doctor, node as edge};
use nodes::node;
use nodes::node::{Chosen, Ended, Losses, Verb};
use terminal::{Printer, Progress};

/// Runs the command.
///
/// # Errors
/// When Wasm pods are in the way, or a node's runtime does not come back without the engine.
pub async fn run(printer: &Printer, arguments: NodeRemoveArguments) -> Result<()> {
    let NodeRemoveArguments {
        node: arguments,
        drain,
        losses,
    } = arguments;
    let drain = drain.then(|| Losses::from(losses));
    refuse_unnamed(&arguments)?;
    let (cluster, nodes) = connect(&arguments, arguments.selector.as_deref()).await?;
    let chosen = node::choose(&arguments.nodes, &nodes)?;
    let place = NodeSession::new(printer, cluster, &arguments, &chosen).await?;
    for on in &chosen {
        match drain {
            Some(allowed) => node::refuse_losses(on.name(), &wasm_pods(&place, on).await?, allowed)?,
            None => refuse_pods(&place, on).await?,
        }
    }
    for on in &chosen {
        let step = async |progress: &Progress| one(&place, progress, on, drain).await;
        printer.step(&format!("node {}", on.name()), step).await?;
    }
    Ok(())
}

async fn wasm_pods(place: &NodeSession<'_>, on: &Chosen<'_>) -> Result<Vec<Pod>> {
    let classes = doctor::runtime_classes(&place.cluster).await?;
    let pods = edge::pods(&place.cluster, on.name()).await?;
    Ok(node::wasm_pods(pods, &classes, &place.arguments.handler))
}

async fn refuse_pods(place: &NodeSession<'_>, on: &Chosen<'_>) -> Result<()> {
    let pods = wasm_pods(place, on).await?;
    match pods.is_empty() {
        true => Ok(()),
        false => Err(node::in_the_way(on.name(), &pods)),
    }
}

async fn one(place: &NodeSession<'_>, progress: &Progress, on: &Chosen<'_>, drain: Option<Losses>) -> Result<()> {
    let (cluster, label) = (&place.cluster, node::engine(on.node));
    edge::cordon(cluster, on.node).await?;
    if label.is_some()
        && let Err(refused) = edge::label(cluster, on.name(), None).await
    {
        return session::end(cluster, on, label, &Ended::AsBefore, Some(refused)).await;
    }
    let mut ended = Ended::AsBefore;
    match removed(place, progress, on, drain, &mut ended).await {
        Ok(sentence) => {
            session::end(cluster, on, None, &ended, None).await?;
            progress.outcome(format!("node {}: {sentence}", on.name()));
            Ok(())
        }
        Err(failure) => session::end(cluster, on, None, &ended, Some(failure)).await,
    }
}

/// `ended` is what has become of the node, also where this fails.
async fn removed(
    place: &NodeSession<'_>,
    progress: &Progress,
    on: &Chosen<'_>,
    drain: Option<Losses>,
    ended: &mut Ended,
) -> Result<String> {
    if let Some(allowed) = drain {
        progress.activity("its Wasm pods are evicted");
        let pods = wasm_pods(place, on).await?;
        node::refuse_losses(on.name(), &pods, allowed)?;
        edge::evict(&place.cluster, &pods, place.arguments.timeout).await?;
    }
    // One may have come until the node was cordoned.
    refuse_pods(place, on).await?;
    match place.installer(progress, Verb::Remove, on).await {
        Ok(told) => {
            // An engine of the node's own image is not touched, and keeps its labels.
            if told.version.is_none() {
                *ended = Ended::Gone;
            }
            Ok(told.sentence)
        }
        Err(stopped) => {
            *ended = session::left_behind(&stopped);
            Err(stopped.failure)
        }
    }
}
