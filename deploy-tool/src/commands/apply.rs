//! `deploy-tool apply`: like `up`, without building: the images are exact, or those that the release has already.

use super::deploy::{Deployment, Options, deploy};
use super::up::report;
use crate::cache::Cache;
use crate::cli::ApplyArguments;
use crate::cluster::{Cluster, revisions};
use crate::failure::{Failure, Outcome};
use crate::printer::{Printer, Progress};
use crate::release::{Name, images_of_placeholders};
use crate::{deployer, lock, manifest, publish, settings};

/// Runs the command.
///
/// # Errors
/// When a step fails.
pub async fn run(printer: &Printer, arguments: ApplyArguments) -> Outcome<()> {
    let ApplyArguments {
        place,
        timeout,
        rollback_on_failure,
    } = arguments;
    let cache = Cache::open()?;
    let mut objects = manifest::in_order(manifest::load(&place.manifests)?);
    manifest::refuse_inexact(&objects)?;
    let release = Name::new(place.namespace.as_deref(), place.release.as_deref(), &objects)?;
    let _lock = lock::release(&cache, &place.context, &release, "apply")?;
    let cluster = Cluster::connect(&place.context).await?;
    let wanted = manifest::placeholders(&objects);
    if !wanted.is_empty() {
        let history = revisions::history(&cluster, &release).await?;
        let images = images_of_placeholders(&history, &objects);
        for name in wanted {
            let image = images.get(&name).ok_or_else(|| {
                Failure::input(format!("the image {}{name} is not known", manifest::PLACEHOLDER))
                    .because(format!(
                        "`apply` builds nothing, and no revision of release {release} has it"
                    ))
                    .next("build and deploy it: `deploy-tool up`")
            })?;
            printer.say(&format!("image of {name}: stays {image}"));
        }
        objects.iter_mut().for_each(|object| manifest::resolve(object, &images));
    }
    if let Some(name) = settings::kind_cluster(&place.context) {
        let images = manifest::images(&objects);
        let load = async |progress: &Progress| {
            progress.outcome(publish::to_kind(&cache, progress, name, &[], &images).await?);
            Ok(())
        };
        printer.step("images on the nodes", load).await?;
    }
    let deployment = Deployment {
        release,
        objects,
        reason: "apply".to_owned(),
    };
    let options = Options {
        deployer: deployer::this(&cache),
        timeout,
        rollback_on_failure,
    };
    let targets = deploy(printer, &cluster, &deployment, &options).await?;
    report(printer, &cluster, &targets).await
}
