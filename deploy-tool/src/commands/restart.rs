//! `deploy-tool restart [NAME…]`: refuse what would have no effect, replace the pods, wait.

use super::wait::await_targets;
use crate::cli::RestartArguments;
use crate::workload::{Kind, WorkloadInfo, choose};
use crate::workload::{list as workloads, restart};
use cluster::Cluster;
use diagnostics::code;
use diagnostics::{Error, Result};
use host::cache::Cache;
use host::lock;
use rollout::Target;
use terminal::{Printer, Progress};

/// The kinds whose controllers replace pods when the template changes.
const KINDS: [Kind; 3] = [Kind::StatefulSet, Kind::DaemonSet, Kind::Deployment];

/// Runs the command.
///
/// # Errors
/// When a workload does not exist or is paused, or its new pods do not become ready.
pub async fn run(printer: &Printer, arguments: RestartArguments) -> Result<()> {
    let RestartArguments {
        names,
        cluster_arguments,
        wait,
    } = arguments;
    let release = cluster_arguments.release()?;
    let cache = Cache::open_or_temporary(|why| printer.warning(why))?;
    let _lock = lock::release(&cache, &cluster_arguments.context, &release.to_string(), "restart")?;
    let cluster = Cluster::connect(&cluster_arguments.context).await?;
    let namespace = &release.namespace;
    let location = format!("namespace `{namespace}` of context `{}`", cluster.context);
    let all = workloads::all(&cluster, namespace, &KINDS).await?;
    let chosen = choose(
        &names,
        &all,
        cluster_arguments.release.as_ref().map(|_| &release),
        &location,
    )?;
    refuse_held(&chosen)?;

    let titles: Vec<String> = chosen.iter().map(|info| info.workload.to_string()).collect();
    let restart_all = async |progress: &Progress| {
        let since = cluster.now();
        let mut targets = Vec::new();
        for info in &chosen {
            let stored = restart::restart(&cluster, namespace, &info.workload, since).await?;
            targets.extend(Target::from_object(&stored));
        }
        let sentence = await_targets(&cluster, progress, &targets, since, wait.into()).await?;
        progress.outcome(format!("restarted: {sentence}"));
        Ok(())
    };
    printer
        .step(&format!("restart of {}", titles.join(", ")), restart_all)
        .await
}

/// Nothing is restarted unless everything can be.
fn refuse_held(chosen: &[&WorkloadInfo]) -> Result<()> {
    let blocked = chosen
        .iter()
        .find_map(|info| Some((&info.workload, info.blocked_by.as_ref()?)));
    blocked.map_or(Ok(()), |(workload, block)| {
        Err(Error::input(format!("{workload} cannot be restarted now"))
            .code(&code::scale::ROLL_OUT_HELD)
            .cause(block.because)
            .hint(&block.hint))
    })
}
