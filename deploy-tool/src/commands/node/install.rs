//! `deploy-tool node install`: check all nodes; then one after the other: cordon, install, probe, label, uncordon.

use std::cell::RefCell;

use k8s_openapi::api::node::v1::RuntimeClass;

use super::{Place, connect, refuse_unnamed};
use crate::cli::{DoctorArguments, NodeArguments, NodeInstallArguments};
use crate::commands::doctor::{self, Images};
use diagnostics::code::node::{NO_WAY_BACK, UNFIT};
use diagnostics::{Failure, Outcome};
use host::cleanup::Cleanup;
use nodes::api::node as edge;
use nodes::node;
use nodes::node::{Chosen, Told, Verb};
use terminal::{Printer, Progress};

/// Runs the command.
///
/// # Errors
/// When a node cannot take the engine, or does not run it: then that node is as it was, and those after it, too.
pub async fn run(printer: &Printer, cleanup: &Cleanup, arguments: NodeInstallArguments) -> Outcome<()> {
    let NodeInstallArguments {
        node: arguments,
        drain,
        probe_image,
        plain_probe_image,
        source,
    } = arguments;
    refuse_unnamed(&arguments)?;
    let (cluster, nodes) = connect(&arguments, arguments.selector.as_deref()).await?;
    let chosen = node::choose(&arguments.nodes, &nodes)?;
    let place = Place::new(printer, cluster, &arguments, &chosen).await?;
    let wanting = check(printer, &place, &chosen).await?;
    if wanting.is_empty() {
        printer.say("nothing changed: every node has the engine already");
        return Ok(());
    }
    let probe = probe_arguments(&arguments, probe_image, plain_probe_image, source);
    let images = doctor::probe_images(printer, cleanup, &place.cluster, &probe).await?;
    let class = node::runtime_class(&arguments.handler);
    let class = class.map_err(|error| Failure::input("the probe's RuntimeClass cannot be made").because(error))?;
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
    for on in wanting {
        let step = async |progress: &Progress| one(&place, progress, &probe, on, drain).await;
        printer.step(&format!("node {}", on.name()), step).await?;
    }
    Ok(())
}

/// The nodes on which something is to be done. One that cannot take the engine keeps all from being touched.
async fn check<'c, 'n>(printer: &Printer, place: &Place<'_>, nodes: &'c [Chosen<'n>]) -> Outcome<Vec<&'c Chosen<'n>>> {
    let wanting = RefCell::new(Vec::new());
    let step = async |progress: &Progress| {
        let (mut said, mut unfit) = (Vec::new(), Vec::new());
        for (on, told) in nodes.iter().zip(place.look(progress, Verb::Check, nodes).await?) {
            match told {
                Ok(told) => {
                    if told.changed || !node::is_open(on.node, told.version.as_deref()) {
                        wanting.borrow_mut().push(on);
                    }
                    said.push(format!("{}: {}", on.name(), told.sentence));
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
fn refuse(mut unfit: Vec<Failure>) -> Outcome<()> {
    match unfit.len() {
        0 => Ok(()),
        1 => Err(unfit.remove(0)),
        _ => {
            let several = Failure::cluster("several nodes cannot take the engine; nothing was touched").code(&UNFIT);
            Err(unfit.iter().fold(several, |failure, one| {
                one.causes().iter().fold(failure.because(one.what()), Failure::because)
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

async fn one(place: &Place<'_>, progress: &Progress, probe: &Probe<'_>, on: &Chosen<'_>, drain: bool) -> Outcome<()> {
    let cluster = &place.cluster;
    edge::cordon(cluster, on.node).await?;
    let installed = installed(place, progress, probe, on, drain).await;
    // Where the runtime does not come back, pods would only hang.
    let needs_hands = installed
        .as_ref()
        .is_err_and(|failure| failure.number() == Some(&NO_WAY_BACK));
    if let Ok(told) = &installed {
        edge::label(cluster, on.name(), told.version.as_deref()).await?;
        progress.outcome(format!(
            "node {}: {}; a probe ran as native code",
            on.name(),
            told.sentence
        ));
    }
    if !needs_hands {
        edge::uncordon(cluster, on.name()).await?;
    }
    installed.map(|_| ())
}

async fn installed(
    place: &Place<'_>,
    progress: &Progress,
    probe: &Probe<'_>,
    on: &Chosen<'_>,
    drain: bool,
) -> Outcome<Told> {
    let (cluster, handler) = (&place.cluster, &place.arguments.handler);
    if drain {
        progress.activity("its pods are evicted");
        let pods = node::evictable(edge::pods(cluster, on.name()).await?);
        edge::evict(cluster, &pods, place.arguments.timeout).await?;
    }
    let told = place.installer(progress, Verb::Install, on).await?;
    progress.activity("a probe runs");
    let Err(failure) = probed(place, probe, on, handler).await else {
        return Ok(told);
    };
    // A node that was labelled has run the engine before: what is wrong now is not of this run.
    if !told.changed && node::engine(on.node).is_some() {
        return Err(failure);
    }
    progress.activity("what was there before is brought back");
    let back = place.installer(progress, Verb::Undo, on).await?;
    Err(failure.because(format!("the node is as it was: {}", back.sentence)))
}

async fn probed(place: &Place<'_>, probe: &Probe<'_>, on: &Chosen<'_>, handler: &str) -> Outcome<()> {
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
