//! `deploy-tool doctor`: API server → RuntimeClass → nodes → namespace, then a probe on each node.

use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::api::node::v1::RuntimeClass;

use super::build;
use super::images;
use super::variation::{Form, Variation};
use crate::cli::DoctorArguments;
use crate::{publish, settings};
use cluster::access::require;
use cluster::context::kind_cluster;
use cluster::{Cluster, pods};
use diagnostics::code::doctor::API_SERVER;
use diagnostics::{Error, ExitStatus, Result};
use host::cache::Cache;
use host::cleanup::Cleanup;
use nodes::api::doctor as doctor_api;
use nodes::doctor;
use nodes::doctor::{CLUSTER_LINKS, Chain, Facts, Link, NODE_LINKS, NativeImage, Observed, Probe, Report, Verdict};
use oci_artifacts::wasm::facts;
use terminal::{Printer, Progress};

/// How many probes run at the same time: each is a pod of four containers.
const AT_A_TIME: usize = 8;

/// Runs the command. The exit code tells whether a link is broken.
///
/// # Errors
/// When the probe cannot be built or loaded, or the cluster stops answering.
pub async fn run(printer: &Printer, cleanup: &Cleanup, arguments: DoctorArguments) -> Result<ExitStatus> {
    let links = examine(printer, cleanup, &arguments).await?;
    let report = Report::new(
        &arguments.context,
        &arguments.namespace,
        &arguments.runtime_class,
        links,
    );
    printer.result(&report, doctor::text(&report));
    Ok(if report.healthy {
        ExitStatus::Done
    } else {
        ExitStatus::Cluster
    })
}

/// The facts about the cluster that need no probe.
struct ClusterFacts {
    cluster: Cluster,
    classes: Vec<RuntimeClass>,
    nodes: Vec<Node>,
}

async fn examine(printer: &Printer, cleanup: &Cleanup, arguments: &DoctorArguments) -> Result<Vec<Link>> {
    let [api_server, runtime_class, nodes, namespace] = CLUSTER_LINKS;
    let mut chain = Chain::default();
    let looked = printer.step("the cluster's objects", async |_: &Progress| {
        Ok(read_facts(arguments).await)
    });
    let facts = match looked.await? {
        Ok(facts) => facts,
        Err(failure) => {
            chain.link(api_server, || Verdict::Broken(numbered(failure)));
            return Ok(chain.end(&CLUSTER_LINKS));
        }
    };
    let answers = format!("`{}` answers, and this user may do what it takes", arguments.context);
    chain.link(api_server, || Verdict::Healthy(answers));
    let named = |class: &&RuntimeClass| class.metadata.name.as_ref() == Some(&arguments.runtime_class);
    let Some(class) = facts.classes.iter().find(named) else {
        let others: Vec<String> = facts
            .classes
            .iter()
            .filter_map(|class| class.metadata.name.clone())
            .collect();
        chain.link(runtime_class, || doctor::missing(&arguments.runtime_class, &others));
        return Ok(chain.end(&CLUSTER_LINKS));
    };
    chain.link(runtime_class, || doctor::describe(class));
    let (verdict, candidates) = doctor::candidates(class, &facts.nodes, &arguments.nodes);
    chain.link(nodes, || verdict);
    if chain.is_broken() {
        return Ok(chain.end(&CLUSTER_LINKS));
    }
    let images = probe_images(printer, cleanup, &facts.cluster, arguments).await?;
    let tried = match candidates.first() {
        Some(node) => doctor_api::try_out(&facts.cluster, &arguments.namespace, &pod(arguments, &images, node)?).await,
        None => Ok(()),
    };
    chain.link(namespace, || match &tried {
        Ok(()) => Verdict::Healthy(format!("`{}` admits the probe's pod", arguments.namespace)),
        Err(failure) => doctor::refused(failure),
    });
    if chain.is_broken() {
        return Ok(chain.end(&CLUSTER_LINKS));
    }
    let mut links = chain.end(&CLUSTER_LINKS);
    let step = async |progress: &Progress| {
        doctor_api::remove_left_over(&facts.cluster, &arguments.namespace).await?;
        let examined = candidates.iter().map(|node| async {
            progress.activity(doctor::name(node));
            examine_node(&facts.cluster, cleanup, arguments, &images, class, node).await
        });
        stream::iter(examined).buffered(AT_A_TIME).try_collect::<Vec<_>>().await
    };
    links.extend(printer.step("probes on the nodes", step).await?.concat());
    Ok(links)
}

async fn read_facts(arguments: &DoctorArguments) -> Result<ClusterFacts> {
    let cluster = Cluster::connect(&arguments.context).await?;
    require(&cluster, doctor::permissions(&arguments.namespace)).await?;
    let (classes, nodes) = futures::try_join!(doctor_api::runtime_classes(&cluster), pods::nodes(&cluster))?;
    Ok(ClusterFacts {
        cluster,
        classes,
        nodes,
    })
}

/// A failure that has no number of its own gets that of the link.
fn numbered(failure: Error) -> Error {
    match failure.number() {
        Some(_) => failure,
        None => failure.code(&API_SERVER),
    }
}

/// Examines one node by a probe.
///
/// # Errors
/// When the cluster stops answering.
pub(super) async fn examine_node(
    cluster: &Cluster,
    cleanup: &Cleanup,
    arguments: &DoctorArguments,
    images: &Images,
    class: &RuntimeClass,
    node: &Node,
) -> Result<Vec<Link>> {
    // Where containerd does not know the handler, a probe would only hang.
    let observed = match doctor::offers(node, &class.handler) {
        Some(false) => Observed::default(),
        _ => doctor_api::observe(cluster, cleanup, &arguments.namespace, &pod(arguments, images, node)?).await?,
    };
    let facts = Facts {
        node,
        class,
        native: images.native.as_ref(),
    };
    let mut chain = Chain::for_node(doctor::name(node));
    for (name, check) in NODE_LINKS {
        chain.link(name, || check(&facts, &observed));
    }
    Ok(chain.end(&[]))
}

fn pod(arguments: &DoctorArguments, images: &Images, node: &Node) -> Result<Pod> {
    let probe = Probe {
        runtime_class: &arguments.runtime_class,
        image: &images.image,
        plain_image: &images.plain_image,
        node: doctor::name(node),
    };
    doctor::probe(probe).map_err(|error| Error::input("the probe's pod cannot be made").cause(error))
}

/// The probe's images, as the nodes know them.
pub(super) struct Images {
    image: String,
    plain_image: String,
    native: Option<NativeImage>,
}

/// The images that were named, or those that are built here and loaded into the nodes.
///
/// # Errors
/// When they cannot be built or loaded.
pub(super) async fn probe_images(
    printer: &Printer,
    cleanup: &Cleanup,
    cluster: &Cluster,
    arguments: &DoctorArguments,
) -> Result<Images> {
    if let (Some(image), Some(plain_image)) = (&arguments.image, &arguments.plain_image) {
        return Ok(Images {
            image: image.clone(),
            plain_image: plain_image.clone(),
            native: None,
        });
    }
    if kind_cluster(&cluster.context).is_none() {
        return Err(Error::input("the nodes must pull the probe's image from a registry")
            .cause(format!(
                "context `{}` is not a kind cluster: nothing can be loaded into its nodes",
                cluster.context
            ))
            .hint(
                "push it twice, with native code and without, and name both with --image and --plain-image: `deploy-tool push probe --to \
                 REGISTRY/probe:aot`; `deploy-tool build probe --aot none --archive plain.tar` and `deploy-tool push plain.tar --to \
                 REGISTRY/probe:plain`",
            ));
    }
    let cache = Cache::open()?;
    let name = settings::PROBE_IMAGE;
    let native = build::build(printer, cleanup, &cache, &arguments.source, name, Variation::default()).await?;
    let plain = Variation {
        form: Form::Plain,
        ..Variation::default()
    };
    let plain = build::build(printer, cleanup, &cache, &arguments.source, name, plain).await?;
    let section = match &native.compiled_module {
        Some(path) => {
            let bytes = std::fs::read(path).map_err(|error| Error::file("cannot read the probe's module", &error))?;
            facts::read(&bytes).ok().and_then(|facts| facts.native)
        }
        None => None,
    };
    let images = Images {
        image: native.reference.clone(),
        plain_image: plain.reference.clone(),
        native: Some(NativeImage {
            section,
            engine: native.engine.clone().unwrap_or_default(),
        }),
    };
    let both = [native, plain];
    let references = both.iter().map(|image| image.reference.clone()).collect();
    images::on_nodes(printer, cluster, &references, true, async |progress, name| {
        publish::to_kind(&cache, progress, name, &both, &[].into()).await
    })
    .await?;
    Ok(images)
}
