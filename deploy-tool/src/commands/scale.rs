//! `deploy-tool scale N`: refuse what the database cannot carry, change the count, wait.

use super::wait;
use crate::cache::Cache;
use crate::cli::ScaleArguments;
use crate::cluster::{Cluster, scale};
use crate::connections::{self, Connections};
use crate::failure::{Failure, Outcome};
use crate::printer::{Printer, Progress};
use crate::rollout::{Target, TargetKind};
use crate::{lock, manifest};

/// Runs the command.
///
/// # Errors
/// When the count is refused, or the replicas do not come up.
pub async fn run(printer: &Printer, arguments: ScaleArguments) -> Outcome<()> {
    let ScaleArguments {
        replicas,
        force,
        deployment: name,
        place,
        timeout,
    } = arguments;
    let release = manifest::release_of(&place)?;
    let cache = Cache::open()?;
    let _lock = lock::release(&cache, &place.context, &release, "scale")?;
    let cluster = Cluster::connect(&place.context).await?;
    let namespace = release.namespace;
    let deployment = scale::deployment(&cluster, &namespace, &name).await?;
    let before = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let database = connections::database_name(&deployment).map(str::to_owned);
    if let Some(database) = &database
        && let Some(set) = scale::stateful_set(&cluster, &namespace, database).await?
    {
        let deployments = scale::deployments(&cluster, &namespace).await?;
        let connections = Connections::of(&deployment, &deployments, &set);
        match connections.refuse(u64::from(replicas.unsigned_abs()), database) {
            Some(reason) if replicas > before && !force => return Err(too_many(replicas, &reason, &connections)),
            Some(reason) => printer.warning(&format!("the database may run out of connections: {reason}")),
            None => {}
        }
    }
    let target = Target {
        kind: TargetKind::Deployment,
        namespace: namespace.clone(),
        name: name.clone(),
        generation: deployment.metadata.generation.unwrap_or(0) + i64::from(replicas != before),
        database,
        surplus_gone: true,
    };
    let title = format!("Deployment `{name}`: {before} → {replicas} replicas");
    let change = async |progress: &Progress| {
        let since = cluster.now();
        if replicas != before {
            scale::scale(&cluster, &namespace, &name, replicas).await?;
        }
        let sentence = wait::for_targets(&cluster, progress, &[target], since, timeout).await?;
        progress.outcome(if replicas == before {
            format!("unchanged: {sentence}")
        } else {
            format!("{title}: {sentence}")
        });
        Ok(())
    };
    printer
        .step(&title, change)
        .await
        .map_err(|failure| match replicas == before {
            true => failure,
            false => failure.next(format!("go back: `deploy-tool scale {before}`")),
        })
}

fn too_many(replicas: i32, reason: &str, connections: &Connections) -> Failure {
    Failure::input(format!("{replicas} replicas need more connections than the database takes"))
        .because(reason)
        .next(format!(
            "scale to at most {}, make DATABASE_POOL_MAX smaller, or --max-connections greater; --force scales all the same",
            connections.most_replicas()
        ))
}
