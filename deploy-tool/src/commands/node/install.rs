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
use nodes::api::{eviction, node as node_api};
use nodes::node;
use nodes::node::{AllowedLosses, Chosen, InstallerReport, Outcome, Verb};
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
    let targets = node::choose(&arguments.nodes, &nodes)?;
    let session = NodeSession::new(printer, cleanup, cluster, &arguments, &targets).await?;
    let pending = check(printer, &session, &targets).await?;
    if pending.is_empty() {
        printer.info("nothing changed: every node has the engine already");
        return Ok(());
    }
    let drain = drain.then(|| AllowedLosses::from(losses));
    if let Some(allowed) = drain {
        for (target, _) in &pending {
            read_evictable(&session, target, allowed).await?;
        }
    }
    let probe = probe_arguments(&arguments, probe_image, plain_probe_image, source);
    let images = doctor::probe_images(printer, cleanup, &session.cluster, &probe).await?;
    let class = node::runtime_class(&arguments.handler);
    let class = class.map_err(|error| Error::input("the probe's RuntimeClass cannot be made").cause(error))?;
    let (class, _removed) = node_api::runtime_class(&session.cluster, cleanup, &class).await?;
    let probe = Probe {
        cleanup,
        arguments: DoctorArguments {
            runtime_class: class.metadata.name.clone().unwrap_or_default(),
            ..probe
        },
        images,
        class,
    };
    for (target, found) in pending {
        let step = async |progress: &Progress| install_on_node(&session, progress, &probe, target, &found, drain).await;
        printer.step(&format!("node {}", target.name()), step).await?;
    }
    Ok(())
}

/// Checks all nodes, and returns those to change with the findings. Fails if one cannot take the engine, before any is changed.
async fn check<'c, 'n>(
    printer: &Printer,
    session: &NodeSession<'_>,
    nodes: &'c [Chosen<'n>],
) -> Result<Vec<(&'c Chosen<'n>, InstallerReport)>> {
    let pending = RefCell::new(Vec::new());
    let step = async |progress: &Progress| {
        let (mut reports, mut unfit) = (Vec::new(), Vec::new());
        for (target, report) in nodes
            .iter()
            .zip(session.inspect_nodes(progress, Verb::Check, nodes).await?)
        {
            match report {
                Ok(report) => {
                    reports.push(format!("{}: {}", target.name(), report.sentence));
                    if report.changed || !node::is_open(target.node, report.version.as_deref()) {
                        pending.borrow_mut().push((target, report));
                    }
                }
                Err(failure) => unfit.push(failure),
            }
        }
        progress.outcome(format!("checked {} nodes: {}", nodes.len(), reports.join("; ")));
        refuse(unfit)
    };
    printer.step("check of the nodes", step).await?;
    Ok(pending.into_inner())
}

/// One failure of all nodes that cannot take the engine.
fn refuse(mut unfit: Vec<Error>) -> Result<()> {
    match unfit.len() {
        0 => Ok(()),
        1 => Err(unfit.remove(0)),
        _ => {
            let several = Error::cluster("several nodes cannot take the engine; nothing was touched").code(&UNFIT);
            Err(unfit.iter().fold(several, |failure, unfit_node| {
                unfit_node
                    .causes()
                    .iter()
                    .fold(failure.cause(unfit_node.message()), Error::cause)
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
async fn read_evictable(session: &NodeSession<'_>, target: &Chosen<'_>, allowed: AllowedLosses) -> Result<Vec<Pod>> {
    let pods = node::evictable(node_api::pods(&session.cluster, target.name()).await?);
    node::refuse_losses(target.name(), &pods, allowed)?;
    Ok(pods)
}

async fn install_on_node(
    session: &NodeSession<'_>,
    progress: &Progress,
    probe: &Probe<'_>,
    target: &Chosen<'_>,
    found: &InstallerReport,
    drain: Option<AllowedLosses>,
) -> Result<()> {
    let (cluster, label) = (&session.cluster, node::engine(target.node));
    node_api::cordon(cluster, target.node).await?;
    // Labels of an engine that is not there bring pods that cannot run.
    let mut outcome = match &found.version {
        None if label.is_some() => Outcome::Gone,
        _ => Outcome::AsBefore,
    };
    match install_and_probe(session, progress, probe, target, drain, &mut outcome).await {
        Ok(report) => {
            session::finish_node(cluster, target, label, &outcome, None).await?;
            let sentence = report.sentence;
            progress.outcome(format!(
                "node {}: {sentence}; a probe ran as native code",
                target.name()
            ));
            Ok(())
        }
        Err(failure) => session::finish_node(cluster, target, label, &outcome, Some(failure)).await,
    }
}

/// `outcome` is what has become of the node, also where this fails.
async fn install_and_probe(
    session: &NodeSession<'_>,
    progress: &Progress,
    probe: &Probe<'_>,
    target: &Chosen<'_>,
    drain: Option<AllowedLosses>,
    outcome: &mut Outcome,
) -> Result<InstallerReport> {
    let (cluster, handler) = (&session.cluster, &session.arguments.handler);
    if let Some(allowed) = drain {
        progress.activity("its pods are evicted");
        let pods = read_evictable(session, target, allowed).await?;
        eviction::evict(cluster, &pods, session.arguments.timeout).await?;
    }
    let report = match session.run_installer(progress, Verb::Install, target).await {
        Ok(report) => report,
        Err(failed) => {
            if session::outcome_after_failure(&failed) == Outcome::NeedsOperator {
                *outcome = Outcome::NeedsOperator;
            }
            return Err(failed.failure);
        }
    };
    progress.activity("a probe runs");
    let Err(failure) = probe_node(session, probe, target, handler).await else {
        *outcome = Outcome::Ready(report.version.clone().unwrap_or_default());
        return Ok(report);
    };
    // On a node where nothing was changed, a failed probe is not caused by this run.
    if !report.changed {
        return Err(failure);
    }
    progress.activity("what was there before is brought back");
    match session.run_installer(progress, Verb::Undo, target).await {
        Ok(back) if back.changed => {
            *outcome = back.version.map_or(Outcome::Gone, Outcome::Back);
            Err(failure.cause(format!("the node was restored: {}", back.sentence)))
        }
        Ok(stays) => {
            *outcome = Outcome::AsBefore;
            Err(failure.cause(stays.sentence))
        }
        // The new engine is there, and does not run as it should.
        Err(failed) => {
            *outcome = Outcome::NeedsOperator;
            let failure = failure.cause(format!(
                "the previous state could not be restored: {}",
                failed.failure.message()
            ));
            let failure = failed.failure.causes().iter().fold(failure, Error::cause);
            let next = "the node stays cordoned: fix the cause above, and run the same command again";
            Err(failure.hint(next))
        }
    }
}

async fn probe_node(session: &NodeSession<'_>, probe: &Probe<'_>, target: &Chosen<'_>, handler: &str) -> Result<()> {
    let ready = node_api::await_ready(&session.cluster, target.name(), handler).await?;
    let links = doctor::examine_node(
        &session.cluster,
        probe.cleanup,
        &probe.arguments,
        &probe.images,
        &probe.class,
        &ready,
    )
    .await?;
    node::probe_failure(target.name(), &links).map_or(Ok(()), Err)
}
