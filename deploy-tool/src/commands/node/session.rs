//! Edge: what the verbs of `node` share: the choice of nodes, the installer's image, a run of it on a node.

use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::Node;

use crate::cli::NodeArguments;
use crate::commands::wait;
use crate::settings;
use cluster::Cluster;
use cluster::access::require;
use cluster::context::kind_cluster;
use diagnostics::code::node::{INSTALLER, NO_WAY_BACK};
use diagnostics::{Error, Result};
use host::cache::Cache;
use host::cleanup::Cleanup;
use host::{docker, tool_image};
use nodes::api::node as node_api;
use nodes::kind;
use nodes::node;
use nodes::node::{Chosen, InstallerReport, Outcome, Verb};
use rollout::Target;
use terminal::{Printer, Progress, detail};

/// How many nodes are only looked at at the same time.
const AT_A_TIME: usize = 8;

/// A cluster, and where the installer runs in it.
pub struct NodeSession<'a> {
    /// The cluster.
    pub cluster: Cluster,
    /// The command line.
    pub arguments: &'a NodeArguments,
    image: String,
    /// Whether the image was loaded into the nodes, and is in no registry.
    is_loaded: bool,
}

/// A failed run of the installer.
pub struct InstallerFailure {
    /// The error.
    pub failure: Error,
    /// Whether its result is unknown; otherwise it has rolled back.
    pub is_cut_off: bool,
}

impl From<Error> for InstallerFailure {
    fn from(failure: Error) -> Self {
        Self {
            failure,
            is_cut_off: false,
        }
    }
}

impl From<InstallerFailure> for Error {
    fn from(failed: InstallerFailure) -> Self {
        failed.failure
    }
}

/// Connects, and reads the nodes that are selected.
pub async fn connect(arguments: &NodeArguments, selector: Option<&str>) -> Result<(Cluster, Vec<Node>)> {
    let cluster = Cluster::connect(&arguments.context).await?;
    require(&cluster, node::permissions(&arguments.namespace)).await?;
    let nodes = node_api::selected(&cluster, selector).await?;
    Ok((cluster, nodes))
}

/// Refuses a change without named or selected nodes.
pub fn refuse_unnamed(arguments: &NodeArguments) -> Result<()> {
    if arguments.nodes.is_empty() && arguments.selector.is_none() {
        Err(Error::input("no node is named").hint("name nodes, or select them by their labels: --selector pool=wasm"))
    } else {
        Ok(())
    }
}

impl<'a> NodeSession<'a> {
    /// The installer's image is named, or the one of this host, which is loaded into the nodes.
    pub async fn new(
        printer: &Printer,
        cleanup: &Cleanup,
        cluster: Cluster,
        arguments: &'a NodeArguments,
        nodes: &[Chosen<'_>],
    ) -> Result<Self> {
        let (image, is_loaded) = match (&arguments.image, kind_cluster(&cluster.context)) {
            (Some(image), _) => (image.clone(), false),
            (None, Some(name)) => (load(printer, cleanup, name, nodes).await?, true),
            (None, None) => {
                return Err(
                    Error::input("the nodes must pull the installer's image from a registry")
                        .cause(format!(
                            "context `{}` is not a kind cluster: nothing can be loaded into its nodes",
                            cluster.context
                        ))
                        .hint(format!(
                            "push `{}`, which `deploy-tool images` brings to this host, with `docker tag` and `docker push`, and name it with --image",
                            settings::INSTALLER_IMAGE
                        )),
                );
            }
        };
        Ok(Self {
            cluster,
            arguments,
            image,
            is_loaded,
        })
    }

    /// Has the installer do something on a node.
    pub async fn run_installer(
        &self,
        progress: &Progress,
        verb: Verb,
        target: &Chosen<'_>,
    ) -> Result<InstallerReport, InstallerFailure> {
        let NodeArguments {
            namespace,
            handler,
            timeout,
            ..
        } = self.arguments;
        let job = node::job(verb, target, handler, &self.image, self.is_loaded, *timeout);
        let job = job.map_err(|error| Error::input("the installer's Job cannot be made").cause(error))?;
        let since = self.cluster.now();
        let job = node_api::start(&self.cluster, namespace, &job).await?;
        let cut_off = |failure| InstallerFailure {
            failure,
            is_cut_off: !verb.is_read_only(),
        };
        let targets: Vec<Target> = Target::from_object(&job).into_iter().collect();
        let outcome = wait::await_targets(
            &self.cluster,
            progress,
            &targets,
            since,
            wait::Options::with_limit(node::job_deadline(verb, *timeout)),
        )
        .await;
        let log = node_api::log(&self.cluster, namespace, &job).await.map_err(cut_off)?;
        // It goes by itself after a while.
        if let Err(failure) = node_api::delete(&self.cluster, namespace, &job).await {
            detail(&failure.to_string());
        }
        match node::parse_log(target.name(), &log) {
            Some(Ok(report)) => {
                report.steps.iter().for_each(|step| detail(step));
                Ok(report)
            }
            Some(Err(failure)) => Err(failure.into()),
            None => {
                let failure = Error::cluster(format!(
                    "node `{}`: the installer has not come to its end",
                    target.name()
                ))
                .code(&INSTALLER);
                let failure = match outcome {
                    Ok(_) => failure,
                    Err(cause) => cause.causes().iter().fold(failure.cause(cause.message()), Error::cause),
                };
                // One that was never started has written nothing.
                if log.is_empty() {
                    Err(failure.into())
                } else {
                    Err(cut_off(failure.detail(log).hint(
                        "run the same command again: it goes on where this one stopped, or back to where it began",
                    )))
                }
            }
        }
    }

    /// Has the installer look at all nodes, several at a time.
    pub async fn inspect_nodes(
        &self,
        progress: &Progress,
        verb: Verb,
        nodes: &[Chosen<'_>],
    ) -> Result<Vec<Result<InstallerReport, Error>>> {
        let looked = nodes.iter().map(|node| async {
            progress.activity(node.name());
            // Several Jobs would overwrite each other's rows.
            let report = self.run_installer(&Progress::default(), verb, node).await;
            Result::Ok(report.map_err(Error::from))
        });
        stream::iter(looked).buffered(AT_A_TIME).try_collect().await
    }
}

/// What a failure of the installer leaves behind: where the runtime does not come back, pods would only hang.
pub fn outcome_after_failure(failed: &InstallerFailure) -> Outcome {
    let is_silent = failed.failure.number() == Some(&NO_WAY_BACK);
    if is_silent || failed.is_cut_off {
        Outcome::NeedsOperator
    } else {
        Outcome::AsBefore
    }
}

/// Sets labels and cordon of a node by the result of the run, whatever they are now. Returns the first failure.
pub async fn finish_node(
    cluster: &Cluster,
    target: &Chosen<'_>,
    label: Option<&str>,
    outcome: &Outcome,
    failure: Option<Error>,
) -> Result<()> {
    let state = node::final_state(
        outcome,
        node::engine(target.node),
        label,
        node::is_cordoned(target.node),
    );
    let left = node_api::apply_final_state(cluster, target.name(), state).await;
    match (failure, left) {
        (Some(failure), Err(second)) => Err(failure.cause(second.message())),
        (Some(failure), Ok(())) => Err(failure),
        (None, left) => left,
    }
}

/// Loads the image of this host into nodes by a name with its digest; returns the name.
async fn load(printer: &Printer, cleanup: &Cleanup, cluster: &str, nodes: &[Chosen<'_>]) -> Result<String> {
    let made = settings::INSTALLER_IMAGE;
    let cache = Cache::open()?;
    tool_image::supply(printer, cleanup, &cache, made).await?;
    let local = docker::required_image(made).await?;
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
            kind::load_docker_image(&cache, progress, cluster, &lacking, &exact).await?;
            docker::run("cannot take the installer's second name away", ["rmi", &exact]).await?;
        }
        progress.outcome(if lacking.is_empty() {
            "installer's image on the nodes: unchanged".to_owned()
        } else {
            format!("installer's image on the nodes: loaded into {}", lacking.join(", "))
        });
        Ok(())
    };
    printer.step("installer's image on the nodes", step).await?;
    Ok(exact)
}
