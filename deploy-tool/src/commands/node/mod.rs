//! `deploy-tool node`: what its verbs share: the choice of nodes, the installer's image, a run of it on a node.

mod install;
mod remove;
mod status;

use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::Node;

use crate::cli::{NodeArguments, NodeCommand};
use crate::commands::wait;
use crate::settings;
use cluster::Cluster;
use cluster::access::require;
use cluster::context::kind_cluster;
use diagnostics::code::image::NOT_ON_HOST;
use diagnostics::code::node::INSTALLER;
use diagnostics::{ExitStatus, Failure, Outcome};
use host::cache::Cache;
use host::cleanup::Cleanup;
use host::docker;
use nodes::api::node as edge;
use nodes::kind;
use nodes::node;
use nodes::node::{Chosen, Told, Verb};
use rollout::Target;
use terminal::{Printer, Progress, detail};

/// How many nodes are only looked at at the same time.
const AT_A_TIME: usize = 8;

/// Runs a verb.
///
/// # Errors
/// When it cannot be done.
pub async fn run(printer: &Printer, cleanup: &Cleanup, command: NodeCommand) -> Outcome<ExitStatus> {
    match command {
        NodeCommand::Install(arguments) => install::run(printer, cleanup, arguments)
            .await
            .map(|()| ExitStatus::Done),
        NodeCommand::Remove(arguments) => remove::run(printer, arguments).await.map(|()| ExitStatus::Done),
        NodeCommand::Status(arguments) => status::run(printer, arguments).await,
    }
}

/// A cluster, and where the installer runs in it.
struct Place<'a> {
    cluster: Cluster,
    arguments: &'a NodeArguments,
    image: String,
}

/// Connects, and reads the nodes that are selected.
async fn connect(arguments: &NodeArguments, selector: Option<&str>) -> Outcome<(Cluster, Vec<Node>)> {
    let cluster = Cluster::connect(&arguments.context).await?;
    require(&cluster, node::permissions(&arguments.namespace)).await?;
    let nodes = edge::selected(&cluster, selector).await?;
    Ok((cluster, nodes))
}

/// Whoever changes nodes says which.
fn refuse_unnamed(arguments: &NodeArguments) -> Outcome<()> {
    match arguments.nodes.is_empty() && arguments.selector.is_none() {
        true => {
            Err(Failure::input("no node is named")
                .next("name nodes, or select them by their labels: --selector pool=wasm"))
        }
        false => Ok(()),
    }
}

impl<'a> Place<'a> {
    /// The installer's image is named, or the one of this host, which is loaded into the nodes.
    async fn new(
        printer: &Printer,
        cluster: Cluster,
        arguments: &'a NodeArguments,
        nodes: &[Chosen<'_>],
    ) -> Outcome<Self> {
        let image = match (&arguments.image, kind_cluster(&cluster.context)) {
            (Some(image), _) => image.clone(),
            (None, Some(name)) => load(printer, name, nodes).await?,
            (None, None) => {
                return Err(
                    Failure::input("the nodes must pull the installer's image from a registry")
                        .because(format!(
                            "context `{}` is not a kind cluster: nothing can be loaded into its nodes",
                            cluster.context
                        ))
                        .next(format!(
                            "push `{}` with `docker tag` and `docker push`, and name it with --image",
                            settings::INSTALLER_IMAGE
                        )),
                );
            }
        };
        Ok(Self {
            cluster,
            arguments,
            image,
        })
    }

    /// Has the installer do something on a node.
    async fn installer(&self, progress: &Progress, verb: Verb, on: &Chosen<'_>) -> Outcome<Told> {
        let NodeArguments {
            namespace,
            handler,
            timeout,
            ..
        } = self.arguments;
        let job = node::job(verb, on, handler, &self.image, timeout.as_secs());
        let job = job.map_err(|error| Failure::input("the installer's Job cannot be made").because(error))?;
        let since = self.cluster.now();
        let job = edge::start(&self.cluster, namespace, &job).await?;
        let targets: Vec<Target> = Target::of(&job).into_iter().collect();
        let ended = wait::for_targets(
            &self.cluster,
            progress,
            &targets,
            since,
            wait::Options::limited(*timeout),
        )
        .await;
        let log = edge::log(&self.cluster, namespace, &job).await?;
        edge::delete(&self.cluster, namespace, &job).await?;
        match node::told(on.name(), &log) {
            Some(told) => told.inspect(|told| told.steps.iter().for_each(|step| detail(step))),
            None => {
                let failure = Failure::cluster(format!("node `{}`: the installer has not come to its end", on.name()))
                    .code(&INSTALLER);
                let failure = match ended {
                    Ok(_) => failure,
                    Err(cause) => cause
                        .causes()
                        .iter()
                        .fold(failure.because(cause.what()), Failure::because),
                };
                Err(if log.is_empty() { failure } else { failure.showing(log) })
            }
        }
    }

    /// Has the installer look at all nodes, several at a time.
    async fn look(&self, progress: &Progress, verb: Verb, nodes: &[Chosen<'_>]) -> Outcome<Vec<Result<Told, Failure>>> {
        let looked = nodes.iter().map(|node| async {
            progress.activity(node.name());
            // Rows of several Jobs would chase each other.
            Outcome::Ok(self.installer(&Progress::default(), verb, node).await)
        });
        stream::iter(looked).buffered(AT_A_TIME).try_collect().await
    }
}

/// Loads the image of this host into nodes by a name that says which one it is; returns that.
async fn load(printer: &Printer, cluster: &str, nodes: &[Chosen<'_>]) -> Outcome<String> {
    let made = settings::INSTALLER_IMAGE;
    let local = docker::image(made)
        .await?
        .ok_or_else(|| Failure::prerequisite(format!("the image `{made}` is not on this host")).code(&NOT_ON_HOST))?;
    let (name, _) = made.rsplit_once(':').unwrap_or((made, ""));
    let exact = format!(
        "{name}:{}",
        local.id.trim_start_matches("sha256:").get(..12).unwrap_or_default()
    );
    let step = async |progress: &Progress| {
        let mut lacking = Vec::new();
        for node in nodes {
            if !kind::images(node.name()).await?.contains(&exact) {
                lacking.push(node.name());
            }
        }
        if !lacking.is_empty() {
            docker::run("cannot name the installer's image", ["tag", made, &exact]).await?;
            kind::load_docker_image(&Cache::open()?, progress, cluster, &lacking, &exact).await?;
            docker::run("cannot take the installer's second name away", ["rmi", &exact]).await?;
        }
        progress.outcome(match lacking.is_empty() {
            true => "installer's image on the nodes: unchanged".to_owned(),
            false => format!("installer's image on the nodes: loaded into {}", lacking.join(", ")),
        });
        Ok(())
    };
    printer.step("installer's image on the nodes", step).await?;
    Ok(exact)
}
