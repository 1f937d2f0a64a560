//! `deploy-tool scale app=5 other=2`: refuse what cannot be, change the counts, wait for all of them.

use futures::future::{join_all, try_join_all};

use super::wait::await_targets;
use crate::cli::{ClusterArguments, ScaleArguments};
use crate::scaling::set as scale;
use crate::scaling::set::Write;
use crate::scaling::{self, Change, Decision, Options};
use crate::workload::{Kind, Reference};
use cluster::Cluster;
use cluster::context::DEFAULT_CONTEXT;
use diagnostics::{Error, Result};
use host::cache::Cache;
use host::lock;
use rollout::Target;
use terminal::{Printer, Progress};

/// Runs the command.
///
/// # Errors
/// When a number is refused, or the replicas do not become ready.
pub async fn run(printer: &Printer, arguments: ScaleArguments) -> Result<()> {
    let ScaleArguments {
        replicas,
        deployment,
        autoscaler,
        force,
        cluster_arguments,
        wait,
    } = arguments;
    let release = cluster_arguments.release()?;
    let cache = Cache::open_or_temporary(|why| printer.warning(why))?;
    let _lock = lock::release(&cache, &cluster_arguments.context, &release.to_string(), "scale")?;
    let cluster = Cluster::connect(&cluster_arguments.context).await?;
    let namespace = release.namespace;
    let default = Reference {
        kind: Some(Kind::Deployment),
        name: deployment,
    };
    let targets = replicas
        .into_iter()
        .map(|request| (request.workload.unwrap_or(default.clone()), request.replicas));
    let found = scale::read_state(&cluster, &namespace).await?;
    let options = Options {
        edit_autoscalers: autoscaler,
        force,
    };
    let place_title = format!("namespace `{namespace}` of context `{}`", cluster.context);
    let Decision { changes, warnings } = scaling::decide(&targets.collect::<Vec<_>>(), &found, &place_title, options)?;
    warnings.iter().for_each(|warning| printer.warning(warning));
    let dry_runs = changes
        .iter()
        .map(|change| scale::change(&cluster, &namespace, change, Write::DryRun));
    try_join_all(dry_runs).await?;

    let title = changes.iter().map(Change::title).collect::<Vec<_>>().join(", ");
    let change_all = async |progress: &Progress| {
        let since = cluster.now();
        for change in &changes {
            scale::change(&cluster, &namespace, change, Write::Now).await?;
        }
        let targets: Vec<Target> = changes.iter().filter_map(Change::wait_target).collect();
        let sentence = await_targets(&cluster, progress, &targets, since, wait.into()).await?;
        let unchanged = changes.iter().all(Change::is_nothing);
        progress.outcome(if unchanged {
            format!("unchanged: {sentence}")
        } else {
            format!("{title}: {sentence}")
        });
        Ok(())
    };
    match printer.step(&title, change_all).await {
        Ok(()) => Ok(()),
        Err(failure) => {
            let failure = add_progress(&cluster, &namespace, &changes, failure).await;
            let commands = scaling::undo_commands(&changes, &namespace, &cluster_options(&cluster_arguments));
            Err(commands.into_iter().fold(failure, Error::hint))
        }
    }
}

/// The failure, with how far each workload has come.
async fn add_progress(cluster: &Cluster, namespace: &str, changes: &[Change], failure: Error) -> Error {
    let counts = join_all(changes.iter().map(async |change| {
        let (ready, wanted) = scale::ready(cluster, namespace, &change.workload).await?;
        (ready != wanted).then(|| format!("of {}, {ready} of {wanted} replicas run", change.workload))
    }));
    counts.await.into_iter().flatten().fold(failure, Error::cause)
}

/// The arguments for the cluster, for the command in a hint.
fn cluster_options(cluster_arguments: &ClusterArguments) -> String {
    let context =
        (cluster_arguments.context != DEFAULT_CONTEXT).then(|| format!(" --context {}", cluster_arguments.context));
    let namespace = cluster_arguments
        .namespace
        .as_ref()
        .map(|namespace| format!(" --namespace {namespace}"));
    [context, namespace].into_iter().flatten().collect()
}
