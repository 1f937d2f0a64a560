//! `deploy-tool apply`: like `up`, without building: the images are exact, or those that the release has already.

use std::collections::BTreeSet;

use super::deploy::{Deployment, Options, deploy};
use super::images;
use super::release_manifests;
use super::signature_policy::{self, SignaturePolicy};
use super::up::report;
use crate::cli::ApplyArguments;
use crate::publish;
use crate::publish::pull_secret;
use cluster::Cluster;
use diagnostics::Result;
use host::cache::Cache;
use host::lock;
use releases::api::revisions;
use releases::plan::OnConflict;
use releases::plan::saved;
use releases::release::images_of_placeholders;
use releases::{lock_holder, manifest};
use terminal::Printer;

/// Runs the command.
///
/// # Errors
/// When a step fails.
pub async fn run(printer: &Printer, arguments: ApplyArguments) -> Result<()> {
    let requirement = SignaturePolicy::from_arguments(&arguments.signed)?;
    let cache = Cache::open_or_temporary(|why| printer.warning(why))?;
    let saved = arguments.plan.as_deref().map(saved::read).transpose()?;
    let (release, mut objects) = match &saved {
        Some(saved) => (saved.plan.release.clone(), saved.plan.objects().cloned().collect()),
        None => release_manifests::load(printer, &arguments.cluster_arguments)?,
    };
    let context = &arguments.cluster_arguments.context;
    let _lock = lock::release(&cache, context, &release.to_string(), "apply")?;
    let cluster = Cluster::connect(context).await?;
    let wanted = manifest::placeholders(&objects);
    if !wanted.is_empty() {
        let history = revisions::read_history(&cluster, &release).await?;
        let images = images_of_placeholders(&history, &objects);
        for name in wanted {
            let image = images.get(&name).ok_or_else(|| {
                manifest::unknown_image(&objects, &name)
                    .cause(format!(
                        "`apply` builds nothing, and no revision of release {release} has it"
                    ))
                    .hint("build and deploy it: `deploy-tool up`")
            })?;
            printer.info(&format!("image of {name}: stays {image}"));
        }
        objects.iter_mut().for_each(|object| manifest::resolve(object, &images));
        pull_secret::keep(&history, &mut objects);
    }
    if let Some(requirement) = requirement {
        let exact = requirement
            .check(printer, &objects, None, &arguments.tls.options())
            .await?;
        match &saved {
            // A saved plan is applied exactly, or not at all.
            Some(_) => signature_policy::refuse_inexact(&exact)?,
            None => objects.iter_mut().for_each(|object| manifest::pin(object, &exact)),
        }
    }
    let images = manifest::images(&objects);
    images::on_nodes(printer, &cluster, &images, false, async |progress, name| match &saved {
        // What the plan has built is in the cache.
        Some(_) => publish::reload_into_kind(&cache, progress, name, &images).await,
        None => publish::to_kind(&cache, progress, name, &[], &images).await,
    })
    .await?;
    let deployment = Deployment {
        release,
        objects,
        reason: match saved {
            Some(_) => "apply of a saved plan".to_owned(),
            None => "apply".to_owned(),
        },
        saved,
    };
    let options = Options {
        deployer: lock_holder::current(&cache)?,
        wait: arguments.wait.into(),
        rollback_on_failure: arguments.rollback_on_failure,
        on_conflict: OnConflict::from_flag(arguments.take_over),
    };
    let targets = deploy(printer, &cluster, &deployment, &options).await?;
    report(printer, &cluster, &targets, &BTreeSet::new()).await;
    Ok(())
}
