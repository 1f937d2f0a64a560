//! Measures Wasm beside the native build as pods: images → a namespace with a database → rounds, in which each variant has its turn → what came out.

mod arguments;
mod bench_namespace;
mod bench_node;
mod images;
mod load;
mod node;
mod pods;
mod rounds;
mod runner;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use serde_json::json;

use crate::arguments::BenchArguments;
use crate::bench_namespace::BenchNamespace;
use crate::load::Target;
use crate::pods::Pods;
use bench::benchmark;
use bench::benchmark::{
    Comparison, Form, Plan, Quantity, Report, SCHEMA, Samples, Skipped, Variant, compare, objects, variants,
};
use cluster::Cluster;
use deploy_tool::built::Built;
use deploy_tool::cli::RegistryArguments;
use deploy_tool::publish;
use deploy_tool::publish::Destination;
use diagnostics::size::megabytes;
use diagnostics::{Error, ExitStatus, Result};
use host::cache::Cache;
use host::cleanup::Cleanup;
use rounds::Rounds;
use runner::Runner;
use terminal::{Printer, Progress};

fn main() -> ExitCode {
    deploy_tool::install_tls();
    let arguments = BenchArguments::parse();
    anstream::ColorChoice::from(arguments.global.color).write_global();
    let printer = Printer::new(arguments.global.options(), false);
    deploy_tool::run_until_signal(&printer, async |cleanup: &Cleanup| {
        run(&printer, cleanup, arguments).await
    })
}

/// Measures. With an earlier run to compare with, it says by its exit code whether something got worse.
///
/// # Errors
/// When an image cannot be built or loaded, or something cannot be measured that could be.
async fn run(printer: &Printer, cleanup: &Cleanup, arguments: BenchArguments) -> Result<ExitStatus> {
    let reference = arguments.compare.as_deref().map(read).transpose()?;
    let report = measure(printer, cleanup, &arguments).await?;
    let comparison = reference.map(|reference| compare(&reference, &report, arguments.threshold));
    let compared = comparison.as_ref().map(Comparison::text).unwrap_or_default();
    printer.result(&report, format!("{}{compared}", benchmark::text(&report)));
    let files = [
        (&arguments.page, benchmark::page::page(&report)),
        (&arguments.json, format!("{:#}\n", json!(report))),
    ];
    for (path, content) in files {
        let Some(path) = path else { continue };
        std::fs::write(path, content)
            .map_err(|error| Error::file(format!("cannot write `{}`", path.display()), &error))?;
    }
    match comparison {
        Some(comparison) if !comparison.worse.is_empty() => {
            printer.warning(&format!("{} figures got worse", comparison.worse.len()));
            Ok(ExitStatus::Differs)
        }
        _ => Ok(ExitStatus::Done),
    }
}

/// Reads an earlier run.
fn read(path: &Path) -> Result<Report> {
    let failure = || Error::input(format!("`{}` is not a result of an earlier run", path.display()));
    let text = std::fs::read(path).map_err(|error| failure().cause(error))?;
    let report: Report = serde_json::from_slice(&text).map_err(|error| failure().cause(error))?;
    if report.schema == SCHEMA {
        Ok(report)
    } else {
        Err(failure().cause(format!("its schema is `{}`, not `{SCHEMA}`", report.schema)))
    }
}

async fn measure(printer: &Printer, cleanup: &Cleanup, arguments: &BenchArguments) -> Result<Report> {
    let mut plan = if arguments.quick { Plan::QUICK } else { Plan::FULL };
    plan.rounds = arguments.rounds.unwrap_or(plan.rounds);
    let cluster = Cluster::connect(&arguments.context).await?;
    let mut place = bench_node::find(&cluster, arguments).await?;
    let cache = Cache::open()?;
    let images = images::images(printer, cleanup, &cache, &arguments.source).await?;
    let variants = variants(&arguments.runtime_classes);
    place.machine.engine = images[&Form::Aot].engine.clone().unwrap_or_default();

    let built: Vec<Built> = images.values().cloned().collect();
    let digests: Vec<String> = built.iter().map(|image| image.digest.to_string()).collect();
    let _removed = node::remove_at_end(cleanup, &place.kind, digests.clone()).await?;
    let references = match &arguments.registry {
        Some(prefix) => {
            node::remove(&place.node, &digests).await?;
            pushed(printer, prefix, &built).await?
        }
        None => BTreeMap::new(),
    };
    let rounds = Rounds {
        printer,
        cache: &cache,
        plan,
        samples: image_sizes(&variants, &images),
    };
    let rounds = rounds.pulls(&place.node, &variants, &references).await?;
    load_images(printer, &cache, &place.kind, &built).await?;

    let object = objects::namespace(&arguments.namespace).map_err(impossible)?;
    let namespace = BenchNamespace::open(&cluster, cleanup, &object).await?;
    let starting = async |_: &Progress| start_database(&cluster, &namespace, &variants, &place.node).await;
    let database = printer.step("database of the run", starting).await?;
    let mut runners = Vec::new();
    for variant in &variants {
        let image = &images[&variant.form].reference;
        let served = objects::served_variant(variant, image, &arguments.namespace, &place.node, &plan);
        let port = namespace.create(&served.map_err(impossible)?).await?;
        let port = port.ok_or_else(|| Error::cluster(format!("Service `{}` has got no port", variant.name)))?;
        runners.push(Runner {
            namespace: &namespace,
            node: &place.node,
            variant,
            image,
            runtime: &place.runtimes[&variant.runtime_class],
            database: &database,
            target: Target::at(format!("http://{}:{port}", place.address))?,
            pods: Pods::watch(&cluster, &arguments.namespace, &variant.name).await?,
        });
    }
    let samples = rounds.run(&mut runners).await?;
    Ok(Report::new(
        jiff::Timestamp::now(),
        place.machine.clone(),
        plan,
        variants.clone(),
        &samples,
        skipped(arguments, &plan),
    ))
}

/// What is not measured with these arguments.
fn skipped(arguments: &BenchArguments, plan: &Plan) -> Vec<Skipped> {
    let pull = Skipped {
        figure: Quantity::Pull.title(plan.replicas),
        because: "no --registry was named".to_owned(),
    };
    Some(pull)
        .filter(|_| arguments.registry.is_none())
        .into_iter()
        .collect()
}

fn impossible(error: serde_json::Error) -> Error {
    Error::input("the objects of the run cannot be made").cause(error)
}

/// How large the images are, which takes no rounds.
fn image_sizes(variants: &[Variant], images: &BTreeMap<Form, Built>) -> Samples {
    let mut samples = Samples::default();
    for variant in variants {
        let image = &images[&variant.form];
        for (quantity, bytes) in [
            (Quantity::ImagePulled, image.image_size_bytes),
            (Quantity::ImageUnpacked, image.packed_size_bytes as u64),
        ] {
            samples.add(quantity, &variant.name, 0, megabytes(bytes));
        }
    }
    samples
}

/// Puts the images of the run on the nodes.
async fn load_images(printer: &Printer, cache: &Cache, kind: &str, built: &[Built]) -> Result<()> {
    let loading = async |progress: &Progress| {
        let others = [objects::DATABASE_IMAGE.to_owned()].into();
        progress.outcome(publish::to_kind(cache, progress, kind, built, &others).await?);
        Ok(())
    };
    printer.step("images on the nodes", loading).await
}

/// Starts the database of the run. Returns the name of its pod.
async fn start_database(
    cluster: &Cluster,
    namespace: &BenchNamespace,
    variants: &[Variant],
    node: &str,
) -> Result<String> {
    namespace
        .create(&objects::database(variants, node).map_err(impossible)?)
        .await?;
    let mut database = Pods::watch(cluster, namespace.name(), objects::DATABASE).await?;
    database
        .await_state("ready", |seen| seen.values().any(|pod| pod.ready.is_some()))
        .await?;
    Ok(database.seen.into_keys().next().unwrap_or_default())
}

/// Pushes the images, and gives their references there by the names of the images.
async fn pushed(printer: &Printer, prefix: &str, built: &[Built]) -> Result<BTreeMap<String, String>> {
    let names = built
        .iter()
        .map(|image| (image.name.clone(), image.name.clone()))
        .collect();
    let destination = Destination::with_prefix(prefix, &names, &RegistryArguments::default(), Vec::new()).await?;
    let connections = destination.open().await?;
    destination.push(printer, &connections, built).await?;
    Ok(destination.references(built))
}
