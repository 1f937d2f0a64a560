//! `deploy-tool plan`: builds, reads the live objects, does a server-side dry run, and shows the changes.

use super::images::{ImageBuilds, native_form};
use super::release_manifests;
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
use releases::plan::{OnConflict, Plan, document, keep_completed_jobs, refuse_undecided, text};
use releases::release::{History, Name, refuse_another_release};
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
    let (release, mut objects) = release_manifests::load(printer, &cluster_arguments)?;
    let cluster = Cluster::connect(&cluster_arguments.context).await?;
    let mut kinds = Kinds::discover(&cluster).await?;
    kinds.add_definitions(&objects);
    let pushes = save.is_some();
    let form = Form::new(aot, dev);
    let secret = if no_build {
        take_running_images(printer, &cluster, &kinds, &release, &mut objects).await?;
        None
    } else {
        let native = native_form(printer, &cluster, &objects, aot).await?;
        let names = manifest::placeholders(&objects);
        let images = ImageBuilds::new(&cluster_arguments.context, &publish, &source, names, pushes).await?;
        take_built_images(printer, cleanup, &images, (form, native), &mut objects).await?
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
    let on_conflict = OnConflict::from_flag(take_over);
    let plan = make_plan(printer, &cluster, kinds, (&release, objects), &history, on_conflict).await?;
    if printer.json() {
        printer.document(&document(&plan))?;
    } else {
        printer.data(text(&plan));
    }
    // After the plan is printed, so that conflicts are seen in their context.
    refuse_undecided(&plan, cluster.now())?;
    let status = if exit_code && !plan.is_empty() {
        ExitStatus::Differs
    } else {
        ExitStatus::Done
    };
    if let Some(path) = save {
        let identity = saved::read_cluster_identity(&cluster).await?;
        let saved = Saved::new(&cluster_arguments.context, identity, cluster.now(), plan);
        releases::plan::saved::write(&path, &saved)?;
        printer.info(&format!(
            "saved: `deploy-tool apply --plan {}` does exactly this, or nothing",
            path.display()
        ));
    }
    Ok(status)
}

/// Compares the objects with the live ones, by a server-side dry run of each.
async fn make_plan(
    printer: &Printer,
    cluster: &Cluster,
    mut kinds: Kinds,
    (release, objects): (&Name, Vec<Object>),
    history: &History,
    on_conflict: OnConflict,
) -> Result<Plan> {
    let make = async |_: &Progress| {
        let inventory = history.inventory();
        let mut plan = plan::make_plan(cluster, &mut kinds, release, objects, &inventory, on_conflict).await?;
        keep_completed_jobs(&mut plan, history);
        let objects: Vec<Object> = plan.steps.iter().filter_map(|step| step.object.clone()).collect();
        revisions::refuse_unnamed(cluster, release, &objects).await?;
        refuse_another_release(release, history, &objects)?;
        Ok(plan)
    };
    printer.step(&format!("plan for release {release}"), make).await
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
