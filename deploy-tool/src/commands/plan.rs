//! `deploy-tool plan`: builds, reads the live objects, does a server-side dry run, and shows the changes.

use super::images::{ImageBuilds, native_form};
use super::left_out::say_left_out;
use super::variation::Form;
use crate::cli::PlanArguments;
use crate::publish::pull_secret::{self, PullSecret};
use cluster::Cluster;
use diagnostics::{ExitStatus, Result};
use host::cache::Cache;
use host::cleanup::Cleanup;
use releases::api::discover::Kinds;
use releases::api::{get_many, plan, preflight, revisions, saved};
use releases::manifest;
use releases::manifest::Object;
use releases::plan::saved::Saved;
use releases::plan::{OnConflict, document, keep_completed_jobs, refuse_undecided, text};
use releases::release::{Name, refuse_another_release};
use terminal::{Printer, Progress};
use wasm_build::native_form::NativeForm;

/// Runs the command.
///
/// # Errors
/// When a step fails, or the cluster would refuse an object.
pub async fn run(printer: &Printer, cleanup: &Cleanup, arguments: PlanArguments) -> Result<ExitStatus> {
    let PlanArguments {
        cluster_arguments,
        source,
        publish,
        no_build,
        dev,
        aot,
        take_over,
        exit_code,
        save,
    } = arguments;
    let paths = cluster_arguments.manifests()?;
    let mut objects = manifest::sort_by_wave(manifest::load(&paths)?);
    say_left_out(printer, &paths);
    manifest::refuse_inexact(&objects)?;
    let release = Name::new(
        cluster_arguments.namespace.as_deref(),
        cluster_arguments.release.as_deref(),
        &objects,
    )?;
    let cluster = Cluster::connect(&cluster_arguments.context).await?;
    let mut kinds = Kinds::discover(&cluster).await?;
    kinds.add_definitions(&objects);
    let pushes = save.is_some();
    let form = Form::new(aot, dev);
    let secret = match no_build {
        true => {
            take_running_images(printer, &cluster, &kinds, &release, &mut objects).await?;
            None
        }
        false => {
            let native = native_form(printer, &cluster, &objects, aot).await?;
            let names = manifest::placeholders(&objects);
            let images = ImageBuilds::new(&cluster_arguments.context, &publish, &source, names, pushes).await?;
            take_built_images(printer, cleanup, &images, (form, native), &mut objects).await?
        }
    };
    let history = match revisions::read_history(&cluster, &release).await {
        Ok(history) => history,
        Err(failure) => return Err(preflight::explain_refusal(&cluster, &kinds, &release, objects, failure).await),
    };
    match secret {
        Some(secret) => secret.attach(&mut objects),
        None if no_build => pull_secret::keep(&history, &mut objects),
        None => {}
    }
    let (inventory, on_conflict) = (history.inventory(), OnConflict::from_flag(take_over));
    let make = async |_: &Progress| {
        let mut plan = plan::make_plan(&cluster, &mut kinds, &release, objects, &inventory, on_conflict).await?;
        keep_completed_jobs(&mut plan, &history);
        let objects: Vec<Object> = plan.steps.iter().filter_map(|step| step.object.clone()).collect();
        revisions::refuse_unnamed(&cluster, &release, &objects).await?;
        refuse_another_release(&release, &history, &objects)?;
        Ok(plan)
    };
    let plan = printer.step(&format!("plan for release {release}"), make).await?;
    printer.data(match printer.json() {
        true => serde_json::to_string_pretty(&document(&plan))
            .unwrap_or_default()
            .into(),
        false => text(&plan),
    });
    // After the plan is printed, so that conflicts are seen in their context.
    refuse_undecided(&plan, cluster.now())?;
    let status = match exit_code && !plan.is_empty() {
        true => ExitStatus::Differs,
        false => ExitStatus::Done,
    };
    if let Some(path) = save {
        let identity = saved::read_cluster_identity(&cluster).await?;
        let saved = Saved::new(&cluster_arguments.context, identity, cluster.now(), plan);
        releases::plan::saved::write(&path, &saved)?;
        printer.say(&format!(
            "saved: `deploy-tool apply --plan {}` does exactly this, or nothing",
            path.display()
        ));
    }
    Ok(status)
}

/// Puts in the images that are built from the sources as they are, and pushes them where a saved plan is to name them.
/// Returns the login of the nodes, where one is named.
async fn take_built_images(
    printer: &Printer,
    cleanup: &Cleanup,
    images: &ImageBuilds<'_>,
    (form, native): (Form, NativeForm),
    objects: &mut [Object],
) -> Result<Option<PullSecret>> {
    let cache = Cache::open()?;
    let (_, references) = images.build(printer, cleanup, &cache, form, native).await?;
    objects
        .iter_mut()
        .for_each(|object| manifest::resolve(object, &references));
    Ok(images.pull_secret())
}

/// Puts in the images that the live objects have.
async fn take_running_images(
    printer: &Printer,
    cluster: &Cluster,
    kinds: &Kinds,
    release: &Name,
    objects: &mut [Object],
) -> Result<()> {
    let with_placeholders = objects
        .iter_mut()
        .filter(|object| !manifest::placeholders(std::slice::from_ref(*object)).is_empty());
    for object in with_placeholders {
        let (settled, _) = kinds.resolve_object(object.clone(), &release.namespace)?;
        let found = get_many::read_objects(cluster, kinds, [settled.identity()]).await?;
        if let Some(live) = found.get(&settled.identity()) {
            manifest::resolve(object, &manifest::running_references(object, live));
        }
        for name in manifest::placeholders(std::slice::from_ref(object)) {
            printer.warning(&format!(
                "the image {name} of {} is not known until it is built: it runs nowhere",
                object.title()
            ));
        }
    }
    Ok(())
}
