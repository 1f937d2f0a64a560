//! `deploy-tool up`: build → publish → resolve → apply → wait → report.

use std::collections::BTreeSet;

use super::deploy::{Deployment, Options, deploy};
use super::images::{ImageBuilds, native_form, on_nodes};
use super::signature_policy::SignaturePolicy;
use super::status::Extent;
use super::variation::Form;
use super::{background, release_manifests, status};
use crate::built::Built;
use crate::cli::{SourceArguments, UpArguments};
use crate::report::PodStatus;
use crate::settings::TRY_ANNOTATION;
use crate::{publish, report};
use cluster::{Cluster, pods};
use diagnostics::Result;
use host::cache::Cache;
use host::cleanup::Cleanup;
use host::lock;
use kube::ResourceExt;
use releases::api::discover::Kinds;
use releases::api::revisions;
use releases::manifest::Object;
use releases::plan::OnConflict;
use releases::{lock_holder, manifest};
use rollout::Target;
use terminal::{Printer, Progress, Styled};
use wasm_build::native_form::NativeForm;

/// The result of a deployment.
pub struct Deployed {
    cluster: Cluster,
    cache: Cache,
    targets: Vec<Target>,
    /// The images that are interpreted, as was asked for.
    interpreted: Vec<Built>,
    native: NativeForm,
}

/// Runs the command.
///
/// # Errors
/// When a step fails.
pub async fn run(printer: &Printer, cleanup: &Cleanup, arguments: UpArguments) -> Result<()> {
    let (dev, source) = (arguments.dev, arguments.source.clone());
    let reason = if dev { "up --dev" } else { "up" };
    let Deployed {
        cluster,
        cache,
        targets,
        interpreted,
        native,
    } = deploy_all(printer, cleanup, arguments, reason).await?;
    if dev {
        compile_in_background(printer, &cache, &source, &interpreted, native);
    }
    let interpreted = interpreted.iter().map(|image| image.reference.clone()).collect();
    report(printer, &cluster, &targets, &interpreted).await;
    Ok(())
}

/// Builds, applies, and waits until everything is ready. `reason` is recorded in the history.
///
/// # Errors
/// When a step fails.
pub async fn deploy_all(
    printer: &Printer,
    cleanup: &Cleanup,
    arguments: UpArguments,
    reason: &str,
) -> Result<Deployed> {
    let UpArguments {
        cluster_arguments,
        source,
        publish: arguments,
        wait,
        dev,
        aot,
        rollback_on_failure,
        take_over,
        signed,
    } = arguments;
    let form = Form::new(aot, dev);
    let requirement = SignaturePolicy::from_arguments(&signed)?;
    let cache = Cache::open()?;
    let (release, objects) = release_manifests::load(printer, &cluster_arguments)?;
    let _lock = lock::release(&cache, &cluster_arguments.context, &release.to_string(), "up")?;
    let cluster = Cluster::connect(&cluster_arguments.context).await?;
    let deployer = lock_holder::current(&cache)?;
    revisions::refuse_locked(&cluster, &release, &deployer).await?;
    let names = manifest::placeholders(&objects);
    // Minutes of compiling come after everything that can be found out at once.
    let images = ImageBuilds::new(&cluster_arguments.context, &arguments, &source, names, true).await?;
    let registry = images.registry.as_ref();
    let mut kinds = Kinds::discover(&cluster).await?;
    kinds.add_definitions(&objects);
    let resolved = kinds.resolve_all(&cluster, objects, &release.namespace)?;

    let mut objects: Vec<Object> = resolved.into_iter().map(|resolved| resolved.object).collect();
    let native = native_form(printer, &cluster, &objects, aot).await?;
    let (built, references) = images.build(printer, cleanup, &cache, form, native).await?;
    objects
        .iter_mut()
        .for_each(|object| manifest::resolve(object, &references));
    if let Some(requirement) = requirement {
        let tls = arguments.reach.tls_options();
        let exact = requirement.check(printer, &objects, registry, &tls).await?;
        objects.iter_mut().for_each(|object| manifest::pin(object, &exact));
    }
    let quick = built.iter().filter(|image| image.engine.is_none());
    let interpreted: Vec<Built> = quick.cloned().collect();
    // The nodes pull what is in a registry.
    let loaded = if registry.is_some() { Vec::new() } else { built };
    load_images(
        printer,
        &cluster,
        &cache,
        &objects,
        references.into_values().collect(),
        &loaded,
    )
    .await?;
    if let Some(secret) = images.pull_secret() {
        secret.attach(&mut objects);
    }

    let deployment = Deployment {
        release,
        objects,
        saved: None,
        reason: reason.to_owned(),
    };
    let options = Options {
        deployer,
        wait: wait.into(),
        rollback_on_failure,
        on_conflict: OnConflict::from_flag(take_over),
    };
    let targets = deploy(printer, &cluster, &deployment, &options).await?;
    Ok(Deployed {
        cluster,
        cache,
        targets,
        interpreted,
        native,
    })
}

/// Brings images to the nodes of a kind cluster: those that were built to be loaded, and of those that were not built (all but
/// `references`) the ones that this host has.
async fn load_images(
    printer: &Printer,
    cluster: &Cluster,
    cache: &Cache,
    objects: &[Object],
    references: BTreeSet<String>,
    loaded: &[Built],
) -> Result<()> {
    let others = &manifest::images(objects) - &references;
    let wanted = match loaded {
        [] => others.clone(),
        _ => &others | &references,
    };
    let load = async |progress: &Progress, name: &str| publish::to_kind(cache, progress, name, loaded, &others).await;
    on_nodes(printer, cluster, &wanted, !loaded.is_empty(), load).await
}

/// Starts the ahead-of-time compilation of modules that are interpreted now. A failure to start is no error: everything is
/// deployed.
fn compile_in_background(
    printer: &Printer,
    cache: &Cache,
    source: &SourceArguments,
    interpreted: &[Built],
    native: NativeForm,
) {
    for image in interpreted {
        match background::begin(cache, source, image, native) {
            Ok(begun) => printer.info(&format!(
                "{} is interpreted. It is compiled ahead of time in the background, for the next `up` ({begun})",
                image.name
            )),
            Err(failure) => printer.warning(&format!("{} is deployed, and interpreted, but {failure}", image.name)),
        }
    }
}

/// Shows the workloads and the URL of the service. A failure is no error: everything is deployed.
///
/// `interpreted`: images without native code, by the user's choice.
pub async fn report(printer: &Printer, cluster: &Cluster, targets: &[Target], interpreted: &BTreeSet<String>) {
    let namespaces = targets.iter().map(|target| target.namespace.as_str());
    let namespaces: BTreeSet<_> = namespaces.filter(|namespace| !namespace.is_empty()).collect();
    for namespace in namespaces {
        if let Err(failure) = report_namespace(printer, cluster, namespace, interpreted).await {
            printer.warning(&format!(
                "everything is deployed, but what runs in namespace `{namespace}` cannot be shown: {failure}"
            ));
        }
    }
}

async fn report_namespace(
    printer: &Printer,
    cluster: &Cluster,
    namespace: &str,
    interpreted: &BTreeSet<String>,
) -> Result<()> {
    let status = status::status(printer, cluster, namespace, Extent::Pods).await?;
    let is_wrong = |pod: &&PodStatus| {
        let is_meant = interpreted.contains(&pod.image) || pod.state == "Terminating";
        pod.mode.as_deref() == Some("interpreter") && !is_meant
    };
    for pod in status.pods.iter().filter(is_wrong) {
        printer.warning(&format!(
            "pod `{}` is interpreted: its image has no code compiled ahead of time, or that has no effect there; see why: \
             `deploy-tool doctor --context {} --node {}`",
            pod.name,
            cluster.context,
            pod.node.as_deref().unwrap_or("NAME")
        ));
    }
    printer.result(&status, report::table(&status, cluster.now()));
    // Who has an address may list the Services: that is where it is from.
    let Some(url) = &status.url else { return Ok(()) };
    let services = pods::services(cluster, namespace).await?;
    let lines = report::node_port(&services).and_then(|(service, _)| service.annotations().get(TRY_ANNOTATION));
    if let Some(lines) = lines {
        printer.data(Styled::from(format!("\n{}", lines.replace("{url}", url))).bounded());
    }
    Ok(())
}
