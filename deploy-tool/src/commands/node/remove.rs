//! `deploy-tool node remove`: one node after the other: labels away, Wasm pods away, then the engine.

use k8s_openapi::api::core::v1::Pod;

use super::{Place, connect, refuse_unnamed};
use crate::cli::NodeRemoveArguments;
use diagnostics::Outcome;
use diagnostics::code::node::NO_WAY_BACK;
use nodes::api::{doctor, node as edge};
use nodes::node;
use nodes::node::{Chosen, Verb};
use terminal::{Printer, Progress};

/// Runs the command.
///
/// # Errors
/// When Wasm pods are in the way, or a node's runtime does not come back without the engine.
pub async fn run(printer: &Printer, arguments: NodeRemoveArguments) -> Outcome<()> {
    let NodeRemoveArguments { node: arguments, drain } = arguments;
    refuse_unnamed(&arguments)?;
    let (cluster, nodes) = connect(&arguments, arguments.selector.as_deref()).await?;
    let chosen = node::choose(&arguments.nodes, &nodes)?;
    let place = Place::new(printer, cluster, &arguments, &chosen).await?;
    if !drain {
        for on in &chosen {
            refuse_pods(&place, on).await?;
        }
    }
    for on in &chosen {
        let step = async |progress: &Progress| one(&place, progress, on, drain).await;
        printer.step(&format!("node {}", on.name()), step).await?;
    }
    Ok(())
}

async fn wasm_pods(place: &Place<'_>, on: &Chosen<'_>) -> Outcome<Vec<Pod>> {
    let classes = doctor::runtime_classes(&place.cluster).await?;
    let pods = edge::pods(&place.cluster, on.name()).await?;
    Ok(node::wasm_pods(pods, &classes, &place.arguments.handler))
}

async fn refuse_pods(place: &Place<'_>, on: &Chosen<'_>) -> Outcome<()> {
    let pods = wasm_pods(place, on).await?;
    match pods.is_empty() {
        true => Ok(()),
        false => Err(node::in_the_way(on.name(), &pods)),
    }
}

async fn one(place: &Place<'_>, progress: &Progress, on: &Chosen<'_>, drain: bool) -> Outcome<()> {
    let cluster = &place.cluster;
    let engine = node::engine(on.node);
    edge::cordon(cluster, on.node).await?;
    if engine.is_some() {
        edge::label(cluster, on.name(), None).await?;
    }
    let removed = removed(place, progress, on, drain).await;
    let needs_hands = removed
        .as_ref()
        .is_err_and(|failure| failure.number() == Some(&NO_WAY_BACK));
    if removed.is_err() && !needs_hands && engine.is_some() {
        edge::label(cluster, on.name(), engine).await?;
    }
    if !needs_hands {
        edge::uncordon(cluster, on.name()).await?;
    }
    removed.map(|sentence| progress.outcome(format!("node {}: {sentence}", on.name())))
}

async fn removed(place: &Place<'_>, progress: &Progress, on: &Chosen<'_>, drain: bool) -> Outcome<String> {
    if drain {
        progress.activity("its Wasm pods are evicted");
        let pods = wasm_pods(place, on).await?;
        edge::evict(&place.cluster, &pods, place.arguments.timeout).await?;
    }
    // One may have come until the node was cordoned.
    refuse_pods(place, on).await?;
    Ok(place.installer(progress, Verb::Remove, on).await?.sentence)
}
