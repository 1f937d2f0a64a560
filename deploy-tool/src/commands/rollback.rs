//! `deploy-tool rollback [REVISION]`: deploys what an earlier revision had, manifests and images, as a new revision.

use std::collections::BTreeSet;

use super::deploy::{Deployment, Options, deploy};
use super::images;
use super::signature_policy::SignaturePolicy;
use super::up::report;
use crate::cli::RollbackArguments;
use crate::publish;
use cluster::Cluster;
use diagnostics::Result;
use host::cache::Cache;
use host::lock;
use releases::api::revisions;
use releases::plan::OnConflict;
use releases::release::rollback_target;
use releases::{lock_holder, manifest};
use terminal::Printer;

/// Runs the command.
///
/// # Errors
/// When there is no such revision, one of its images is gone, or it does not become ready.
pub async fn run(printer: &Printer, arguments: RollbackArguments) -> Result<()> {
    let RollbackArguments {
        revision,
        take_over,
        wait,
        cluster_arguments,
        signed,
        tls,
    } = arguments;
    let requirement = SignaturePolicy::from_arguments(&signed)?;
    let release = cluster_arguments.release()?;
    let cache = Cache::open_or_temporary(|why| printer.warning(why))?;
    let _lock = lock::release(&cache, &cluster_arguments.context, &release.to_string(), "rollback")?;
    let cluster = Cluster::connect(&cluster_arguments.context).await?;
    let history = revisions::read_history(&cluster, &release).await?;
    let target = rollback_target(&release, &history, revision)?;
    let mut objects = target.manifests();
    if let Some(requirement) = requirement {
        let exact = requirement.check(printer, &objects, None, &tls.options()).await?;
        objects.iter_mut().for_each(|object| manifest::pin(object, &exact));
    }
    let images = manifest::images(&objects);
    images::on_nodes(printer, &cluster, &images, false, async |progress, name| {
        publish::reload_into_kind(&cache, progress, name, &images).await
    })
    .await?;
    let deployment = Deployment {
        release,
        objects,
        saved: None,
        reason: format!("rollback to {}", target.number),
    };
    let options = Options {
        deployer: lock_holder::current(&cache)?,
        wait: wait.into(),
        rollback_on_failure: false,
        on_conflict: if take_over {
            OnConflict::TakeOver
        } else {
            OnConflict::KeepReplicas
        },
    };
    let targets = deploy(printer, &cluster, &deployment, &options).await?;
    report(printer, &cluster, &targets, &BTreeSet::new()).await;
    Ok(())
}
