//! `deploy-tool node install`: check all nodes; then one after the other: cordon, install, probe, label, uncordon.

use std::cell::RefCell;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::node::v1::RuntimeClass;

use super::session::{self, NodeSession, connect, refuse_unnamed};
use crate::cli::{DoctorArguments, NodeArguments, NodeInstallArguments};
use crate::commands::doctor::{self, Images};
use diagnostics::code::node::UNFIT;
use diagnostics::{Error, Result};
use host::cleanup::Cleanup;
use nodes::api::node as edge;
use nodes::node;
use nodes::node::{Chosen, Ended, Losses, Told, Verb};
use terminal::{Printer, Progress};

/// Runs the command.
///
/// # Errors
/// When a node cannot take the engine, or does not run it: then that node is as it was, and those after it, too.
pub async fn run(printer: &Printer, cleanup: &Cleanup, arguments: NodeInstallArguments) -> Result<()> {
    let NodeInstallArguments {
        node: arguments,
        drain,
        losses,
        probe_image,
        plain_probe_image,
        source,
    } = arguments;
    refuse_unnamed(&arguments)?;
    let (cluster, nodes) = connect(&arguments, arguments.selector.as_deref()).await?;
    let chosen = node::choose(&arguments.nodes, &nodes)?;
    let place = NodeSession::new(printer, cluster, &arguments, &chosen).await?;
    let wanting = check(printer, &place, &chosen).await?;
    if wanting.is_empty() {
        printer.say("nothing changed: every node has the engine already");
        return Ok(());
    }
    let drain = drain.then(|| Losses::from(losses));
    if let Some(allowed) = drain {
        for (on, _) in &wanting {
            evictable(&place, on, allowed).await?;
        }
    }
    let probe = probe_arguments(&arguments, probe_image, plain_probe_image, source);
    let images = doctor::probe_images(printer, cleanup, &place.cluster, &probe).await?;
    let class = node::runtime_class(&arguments.handler);
    let class = class.map_err(|error| Error::input("the probe's RuntimeClass cannot be made").cause(error))?;
    let (class, _removed) = edge::runtime_class(&place.cluster, cleanup, &class).await?;
    let probe = Probe {
        cleanup,
        arguments: DoctorArguments {
            runtime_class: class.metadata.name.clone().unwrap_or_default(),
            ..probe
        },
        images,
        class,
    };
    for (on, found) in wanting {
        let step = async |progress: &Progress| one(&place, progress, &probe, on, &found, drain).await;
        printer.step(&format!("node {}", on.name()), step).await?;
    }
    Ok(())
}

/// The nodes on which something is to be done, and what was found there. One that cannot take the engine keeps all from being touched.
async fn check<'c, 'n>(
    printer: &Printer,
    place: &NodeSession<'_>,
    nodes: &'c [Chosen<'n>],
) -> Result<Vec<(&'c Chosen<'n>, Told)>> {
    let wanting = RefCell::new(Vec::new());
    let step = async |progress: &Progress| {
        let (mut said, mut unfit) = (Vec::new(), Vec::new());
        for (on, told) in nodes.iter().zip(place.look(progress, Verb::Check, nodes).await?) {
            match told {
                Ok(told) => {
                    said.push(format!("{}: {}", on.name(), told.sentence));
                    if told.changed || !node::is_open(on.node, told.version.as_deref()) {
                        wanting.borrow_mut().push((on, told));
                    }
                }
                Err(failure) => unfit.push(failure),
            }
        }
        progress.outcome(format!("checked {} nodes: {}", nodes.len(), said.join("; ")));
        refuse(unfit)
    };
    printer.step("check of the nodes", step).await?;
    Ok(wanting.into_inner())
}

/// One failure of all nodes that cannot take the engine.
fn refuse(mut unfit: Vec<Error>) -> Result<()> {
    match unfit.len() {
        0 => Ok(()),
        1 => Err(unfit.remove(0)),
        _ => {
            let several = Error::cluster("several nodes cannot take the engine; nothing was touched").code(&UNFIT);
            Err(unfit.iter().fold(several, |failure, one| {
                one.causes().iter().fold(failure.cause(one.message()), Error::cause)
            }))
        }
    }
}

/// What the probe is made of.
struct Probe<'a> {
    cleanup: &'a Cleanup,
    arguments: DoctorArguments,
    images: Images,
    class: RuntimeClass,
}

fn probe_arguments(
    arguments: &NodeArguments,
    image: Option<String>,
    plain_image: Option<String>,
    source: crate::cli::SourceArguments,
) -> DoctorArguments {
    DoctorArguments {
        nodes: Vec::new(),
        runtime_class: String::new(),
        image,
        plain_image,
        context: arguments.context.clone(),
        namespace: arguments.namespace.clone(),
        source,
    }
}

/// The pods that a drain evicts.
async fn evictable(place: &NodeSession<'_>, on: &Chosen<'_>, allowed: Losses) -> Result<Vec<Pod>> {
    let pods = node::evictable(edge::pods(&place.cluster, on.name()).await?);
    node::refuse_losses(on.name(), &pods, allowed)?;
    Ok(pods)
}

async fn one(
    place: &NodeSession<'_>,
    progress: &Progress,
    probe: &Probe<'_>,
    on: &Chosen<'_>,
    found: &Told,
    drain: Option<Losses>,
) -> Result<()> {
    let (cluster, label) = (&place.cluster, node::engine(on.node));
    edge::cordon(cluster, on.node).await?;
    // Labels of an engine that is not there bring pods that cannot run.
    let mut ended = match &found.version {
        None if label.is_some() => Ended::Gone,
        _ => Ended::AsBefore,
    };
    match installed(place, progress, probe, on, drain, &mut ended).await {
        Ok(told) => {
            session::end(cluster, on, label, &ended, None).await?;
            let sentence = told.sentence;
            progress.outcome(format!("node {}: {sentence}; a probe ran as native code", on.name()));
            Ok(())
        }
        Err(failure) => session::end(cluster, on, label, &ended, Some(failure)).await,
    }
}

/// `ended` is what has become of the node, also where this fails.
async fn installed(
    place: &NodeSession<'_>,
    progress: &Progress,
    probe: &Probe<'_>,
    on: &Chosen<'_>,
    drain: Option<Losses>,
    ended: &mut Ended,
) -> Result<Told> {
    let (cluster, handler) = (&place.cluster, &place.arguments.handler);
    if let Some(allowed) = drain {
        progress.activity("its pods are evicted");
        let pods = evictable(place, on, allowed).await?;
        edge::evict(cluster, &pods, place.arguments.timeout).await?;
    }
    let told = match place.installer(progress, Verb::Install, on).await {
        Ok(told) => told,
        Err(stopped) => {
            if session::left_behind(&stopped) == Ended::NeedsHands {
                *ended = Ended::NeedsHands;
            }
            return Err(stopped.failure);
        }
    };
    progress.activity("a probe runs");
    let Err(failure) = probed(place, probe, on, handler).await else {
        *ended = Ended::Ready(told.version.clone().unwrap_or_default());
        return Ok(told);
    };
    // What is wrong on a node on which nothing was to be done is not of this run.
    if !told.changed {
        return Err(failure);
    }
    progress.activity("what was there before is brought back");
    match place.installer(progress, Verb::Undo, on).await {
        Ok(back) if back.changed => {
            *ended = back.version.map_or(Ended::Gone, Ended::Back);
            Err(failure.cause(format!("the node is as it was: {}", back.sentence)))
        }
        Ok(stays) => {
            *ended = Ended::AsBefore;
            Err(failure.cause(stays.sentence))
        }
        // The new engine is there, and does not run as it should.
        Err(stopped) => {
            *ended = Ended::NeedsHands;
            let failure = failure.cause(format!("nothing was brought back: {}", stopped.failure.message()));
            let failure = stopped.failure.causes().iter().fold(failure, Error::cause);
            let next = "the node stays cordoned: see to what is named, and run the same command again";
            Err(failure.hint(next))
        }
    }
}

async fn probed(place: &NodeSession<'_>, probe: &Probe<'_>, on: &Chosen<'_>, handler: &str) -> Result<()> {
    let ready = edge::ready(&place.cluster, on.name(), handler).await?;
    let links = doctor::examine_node(
        &place.cluster,
        probe.cleanup,
        &probe.arguments,
        &probe.images,
        &probe.class,
        &ready,
    )
    .await?;
    node::broken(on.name(), &links).map_or(Ok(()), Err)
}
