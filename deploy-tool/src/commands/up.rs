//! `deploy-tool up`: build → publish → resolve → apply → wait → report.

use std::collections::{BTreeMap, BTreeSet};

use super::{build, status, wait};
use crate::cache::Cache;
use crate::cli::UpArguments;
use crate::cluster::apply::{Applied, Change, apply};
use crate::cluster::discover::Kinds;
use crate::cluster::{Cluster, pods};
use crate::failure::Outcome;
use crate::printer::{Printer, Progress};
use crate::release::Name;
use crate::rollout::Target;
use crate::{lock, manifest, publish, report, settings};

/// Annotation of a Service with lines to print after `up`; `{url}` stands for its address.
const TRY_ANNOTATION: &str = "deploy-tool.dev/try";

/// Runs the command.
///
/// # Errors
/// When a step fails.
pub async fn run(printer: &Printer, arguments: UpArguments) -> Outcome<()> {
    let UpArguments { place, source, timeout } = arguments;
    let cache = Cache::open()?;
    let objects = manifest::in_order(manifest::load(&place.manifests)?);
    manifest::refuse_inexact(&objects)?;
    let release = Name::new(place.namespace.as_deref(), place.release.as_deref(), &objects)?;
    let _lock = lock::release(&cache, &place.context, &release, "up")?;
    let cluster = Cluster::connect(&place.context).await?;
    let (names, others) = (manifest::placeholders(&objects), manifest::images(&objects));
    // Minutes of compiling come after everything that can be found out at once.
    let mut placed = Kinds::of(&cluster)
        .await?
        .place_all(&cluster, objects, &release.namespace)?;

    let mut built = Vec::new();
    for name in names {
        built.push(build::build(printer, &cache, &source, &name).await?);
    }
    if let Some(name) = settings::kind_cluster(&place.context) {
        let load = async |progress: &Progress| {
            progress.outcome(publish::to_kind(&cache, progress, name, &built, &others).await?);
            Ok(())
        };
        printer.step("images on the nodes", load).await?;
    }
    let references: BTreeMap<_, _> = built
        .iter()
        .map(|image| (image.name.clone(), image.reference.clone()))
        .collect();
    placed
        .iter_mut()
        .for_each(|placed| manifest::resolve(&mut placed.object, &references));

    let since = cluster.now();
    let apply_all = async |progress: &Progress| {
        let mut applied = Vec::new();
        for placed in &placed {
            progress.activity(&placed.object.title());
            applied.push(apply(&cluster, placed).await?);
        }
        progress.outcome(summary(&applied));
        Ok(applied)
    };
    let applied = printer
        .step(&format!("objects of release {release}"), apply_all)
        .await?;
    let targets: Vec<Target> = applied
        .iter()
        .filter_map(|applied| Target::of(&applied.stored))
        .collect();
    let ready = async |progress: &Progress| {
        let sentence = wait::for_targets(&cluster, progress, &targets, since, timeout).await?;
        progress.outcome(format!("ready: {sentence}"));
        Ok(())
    };
    printer.step("ready", ready).await?;
    if applied.iter().all(|applied| applied.change == Change::Unchanged) {
        printer.say("nothing changed: everything was there already");
    }
    let namespaces: BTreeSet<_> = targets.iter().map(|target| target.namespace.as_str()).collect();
    for namespace in namespaces {
        report(printer, &cluster, namespace).await?;
    }
    Ok(())
}

fn summary(applied: &[Applied]) -> String {
    let titles = |change: Change| -> Vec<String> {
        applied
            .iter()
            .filter(|applied| applied.change == change)
            .map(|applied| applied.object.title())
            .collect()
    };
    let (created, changed, unchanged) = (
        titles(Change::Created),
        titles(Change::Changed),
        titles(Change::Unchanged),
    );
    let mut parts = Vec::new();
    if !created.is_empty() {
        parts.push(format!("created {}", created.join(", ")));
    }
    if !changed.is_empty() {
        parts.push(format!("changed {}", changed.join(", ")));
    }
    if !unchanged.is_empty() {
        parts.push(format!("{} unchanged", unchanged.len()));
    }
    format!("objects: {}", parts.join("; "))
}

async fn report(printer: &Printer, cluster: &Cluster, namespace: &str) -> Outcome<()> {
    let status = status::status(cluster, namespace).await?;
    for pod in status
        .pods
        .iter()
        .filter(|pod| pod.mode.as_deref() == Some("interpreter"))
    {
        printer.warning(&format!(
            "pod `{}` is interpreted: the code compiled ahead of time has no effect there; compare the versions of WasmEdge \
             on node `{}` and in the builder",
            pod.name,
            pod.node.as_deref().unwrap_or("?")
        ));
    }
    printer.result(&status, &report::table(&status));
    let services = pods::services(cluster, namespace).await?;
    let lines = services
        .iter()
        .find_map(|service| service.metadata.annotations.as_ref()?.get(TRY_ANNOTATION));
    if let (Some(url), Some(lines)) = (&status.url, lines) {
        printer.data(&format!("\n{}", lines.replace("{url}", url)));
    }
    Ok(())
}
