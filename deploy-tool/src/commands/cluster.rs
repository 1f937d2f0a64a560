//! `deploy-tool cluster up|down`: the local kind cluster.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::cli::{ClusterDownArguments, ClusterUpArguments};
use crate::settings::{DEFAULT_NODE_IMAGE, IMAGE_ENGINE_LABEL};
use cluster::{Cluster, kubeconfig, pods};
use diagnostics::{Error, ExitStatus, Result};
use host::cache::Cache;
use host::cleanup::Cleanup;
use host::{docker, lock, tool_image};
use nodes::{kind, kind_config, local_registry, node_conditions};
use terminal::{Printer, Progress};

/// The cluster's configuration in a project's folder.
const DEFAULT_CONFIGURATION: &str = "kind-config.yaml";
/// The default, where that file does not exist.
const BUILT_IN_CONFIGURATION: &str = include_str!("../../../kind-config.yaml");

/// Creates the cluster, starts it again, or finds it running.
///
/// # Errors
/// When a step fails.
pub async fn up(printer: &Printer, cleanup: &Cleanup, arguments: ClusterUpArguments) -> Result<()> {
    let ClusterUpArguments {
        name,
        http_port,
        node_image,
        config,
        registry,
        registry_ca,
        timeout,
    } = arguments;
    let cache = Cache::open()?;
    let _lock = lock::cluster(&cache, &format!("kind-{name}"), "cluster up")?;
    let (mut configuration, ports) = configuration(&config, http_port)?;
    let is_port_asked_for = http_port.is_some() || config != Path::new(DEFAULT_CONFIGURATION);
    let asked_port = kind_config::http_port(&configuration).filter(|_| is_port_asked_for);
    // Before images are made, which may take half an hour.
    if kind::nodes(&name).await?.is_empty() {
        refuse_taken_ports(&ports)?;
    }
    if node_image == DEFAULT_NODE_IMAGE {
        tool_image::supply(printer, cleanup, &cache, &node_image).await?;
    }
    tool_image::supply_kind(printer, cleanup, &cache).await?;
    let image = docker::required_image(&node_image).await?;
    if let Some(engine) = image.label(IMAGE_ENGINE_LABEL) {
        kind_config::label(&mut configuration, engine);
    }
    let creation = Creation {
        cache: &cache,
        name: &name,
        unfinished: cache.path(format!("clusters/{name}.unfinished"))?,
    };
    creation.remove_interrupted(printer).await?;
    let nodes = kind::nodes(&name).await?;
    if nodes.is_empty() {
        refuse_taken_ports(&ports)?;
        creation.run(printer, &configuration, &node_image, timeout).await?;
    } else {
        start_again(printer, &cache, &name, &nodes, timeout).await?;
        warn_about_older_nodes(printer, &nodes, &image.id).await?;
        if let Some(asked) = asked_port {
            warn_about_other_port(printer, &name, &nodes, asked).await?;
        }
    }
    let Some(container) = registry else { return Ok(()) };
    let join = async |progress: &Progress| {
        let nodes = kind::nodes(&name).await?;
        let registry = local_registry::join(&cache, &nodes, &container, registry_ca.as_deref()).await?;
        progress.outcome(format!(
            "nodes pull from {registry}, the registry in `{container}`: deploy-tool up --registry {registry}"
        ));
        Ok(())
    };
    printer.step("nodes pull from the registry", join).await
}

/// How a cluster is created.
struct Creation<'a> {
    cache: &'a Cache,
    name: &'a str,
    /// A file that exists while the cluster is being created: after an interruption, the rest of it is deleted.
    unfinished: PathBuf,
}

impl Creation<'_> {
    async fn remove_interrupted(&self, printer: &Printer) -> Result<()> {
        let Self {
            cache,
            name,
            unfinished,
        } = self;
        if !unfinished.exists() {
            return Ok(());
        }
        let title = format!("cluster {name}: what an interrupted creation left is removed");
        printer
            .step(&title, async |progress| kind::delete(cache, progress, name).await)
            .await
    }

    async fn run(&self, printer: &Printer, configuration: &Value, image: &str, timeout: Duration) -> Result<()> {
        let Self {
            cache,
            name,
            unfinished,
        } = self;
        let file = cache.path(format!("clusters/{name}.json"))?;
        cache.write(&file, configuration.to_string().as_bytes())?;
        let create = async |progress: &Progress| {
            cache.write(unfinished, b"")?;
            kind::create(cache, progress, name, image, &file).await?;
            wait_for_nodes(progress, name, None, timeout).await?;
            remove_marker(unfinished)
        };
        printer
            .step(&format!("cluster {name}: created with {image}"), create)
            .await
    }
}

async fn start_again(
    printer: &Printer,
    cache: &Cache,
    name: &str,
    nodes: &[kind::Node],
    timeout: Duration,
) -> Result<()> {
    let start = async |progress: &Progress| {
        let stopped: Vec<&str> = nodes
            .iter()
            .filter(|node| !node.is_running())
            .map(|node| node.name.as_str())
            .collect();
        let mut outcome = format!("cluster {name}: runs already");
        let mut restarted = None;
        if !stopped.is_empty() {
            let since = Timestamp::now();
            kind::start(&stopped).await?;
            outcome = format!("cluster {name}: started again");
            restarted = Some(Restarted { nodes: stopped, since });
        }
        // It was created with another kubeconfig, or this one was deleted.
        let context = format!("kind-{name}");
        if !kubeconfig::has_context(&context)? {
            kind::export_kubeconfig(cache, progress, name).await?;
            outcome = format!("{outcome}; its context `{context}` is in this kubeconfig now");
        }
        progress.outcome(outcome);
        wait_for_nodes(progress, name, restarted.as_ref(), timeout).await
    };
    printer.step(&format!("cluster {name}"), start).await
}

/// Deletes the cluster.
///
/// # Errors
/// When kind cannot do it.
pub async fn down(printer: &Printer, arguments: ClusterDownArguments) -> Result<()> {
    let ClusterDownArguments { name } = arguments;
    let cache = Cache::open()?;
    let _lock = lock::cluster(&cache, &format!("kind-{name}"), "cluster down")?;
    let unfinished = cache.path(format!("clusters/{name}.unfinished"))?;
    let delete = async |progress: &Progress| {
        if kind::nodes(&name).await?.is_empty() && !unfinished.exists() {
            progress.outcome(format!("cluster {name}: there is none"));
            return Ok(());
        }
        kind::delete(&cache, progress, &name).await?;
        remove_marker(&unfinished)
    };
    printer.step(&format!("cluster {name}: deleted"), delete).await
}

fn configuration(path: &Path, http_port: Option<u16>) -> Result<(Value, Vec<u16>)> {
    let failure = || {
        Error::input(format!(
            "the cluster's configuration `{}` cannot be used",
            path.display()
        ))
    };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && path == Path::new(DEFAULT_CONFIGURATION) => {
            BUILT_IN_CONFIGURATION.to_owned()
        }
        Err(error) => return Err(failure().cause(error).hint("name the file with --config")),
    };
    kind_config::prepare(&text, http_port).map_err(|error| failure().cause(error))
}

/// Docker's own complaint comes late and long.
fn refuse_taken_ports(ports: &[u16]) -> Result<()> {
    for port in ports {
        match std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, *port)) {
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                return Err(Error::input(format!("port {port} of this host is in use"))
                    .cause("another program, or another cluster, listens on it")
                    .hint("choose another with --http-port"));
            }
            // Docker may do what this user may not.
            _ => {}
        }
    }
    Ok(())
}

fn remove_marker(unfinished: &Path) -> Result<()> {
    match std::fs::remove_file(unfinished) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::file(format!("cannot remove `{}`", unfinished.display()), &error))
        }
        _ => Ok(()),
    }
}

/// kind's own wait ends with success when its time is over.
async fn wait_for_nodes(
    progress: &Progress,
    name: &str,
    restarted: Option<&Restarted<'_>>,
    limit: Duration,
) -> Result<()> {
    let context = format!("kind-{name}");
    let mut last = String::new();
    let ready = async {
        loop {
            match not_ready(&context, restarted).await {
                Ok(waiting) if waiting.is_empty() => return Ok(()),
                Ok(waiting) => last = format!("not ready: {}", waiting.join(", ")),
                // What is wrong with the kubeconfig stays so.
                Err(failure) if failure.status == ExitStatus::Input => return Err(failure),
                Err(failure) => last = failure.to_string(),
            }
            progress.activity(&last);
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    let ready = tokio::time::timeout(limit, ready).await;
    ready.unwrap_or_else(|_| {
        let watchers = std::fs::read_to_string(node_conditions::WATCHERS_FILE).ok();
        let recreate_hint = format!(
            "recreate it: `deploy-tool cluster down --name {name}`, then `deploy-tool cluster up --name {name}`"
        );
        Err(Error::cluster(format!(
            "the nodes of the cluster `{name}` are not ready within {} s",
            limit.as_secs()
        ))
        .cause(last)
        .hint(node_conditions::few_watchers(watchers.as_deref()).unwrap_or_default())
        .hint(recreate_hint))
    })
}

/// The nodes and pods that are not ready. After a restart of nodes, conditions from before it do not count.
async fn not_ready(context: &str, restarted: Option<&Restarted<'_>>) -> Result<Vec<String>> {
    let cluster = Cluster::connect(context).await?;
    let mut not_ready = node_conditions::nodes_not_ready(
        &pods::nodes(&cluster).await?,
        restarted.map(|restarted| restarted.since),
    );
    if let Some(Restarted { nodes, since }) = restarted {
        not_ready.extend(node_conditions::pods_not_reported(
            &pods::all_pods(&cluster).await?,
            nodes,
            *since,
        ));
    }
    Ok(not_ready)
}

/// Nodes that were started again, and when.
struct Restarted<'a> {
    nodes: Vec<&'a str>,
    since: Timestamp,
}

async fn warn_about_older_nodes(printer: &Printer, nodes: &[kind::Node], image: &str) -> Result<()> {
    let Some(first) = nodes.first() else { return Ok(()) };
    let made_from = docker::run(
        "cannot look at a node",
        ["inspect", "--format", "{{.Image}}", &first.name],
    )
    .await?;
    if made_from.trim() != image {
        printer.warning("the node image has changed since this cluster was created: `deploy-tool cluster down` and `up` take the new one");
    }
    Ok(())
}

/// Docker gives a container its ports when it is created, and none later on.
async fn warn_about_other_port(
    printer: &Printer,
    name: &str,
    nodes: &[kind::Node],
    asked: kind_config::PortMapping,
) -> Result<()> {
    let kind_config::PortMapping { host, node } = asked;
    let address = kind::mapped_address(nodes, node.into()).await?;
    let port = address.as_deref().and_then(|address| Some(address.rsplit_once(':')?.1));
    if port == Some(&host.to_string()) {
        return Ok(());
    }
    let port = port.map_or("no port of this host".to_owned(), |port| format!("port {port}"));
    printer.warning(&format!(
        "the cluster `{name}` has {port} in place of {host}, as it was created: for another one, \
         `deploy-tool cluster down --name {name}`, then `deploy-tool cluster up --name {name} --http-port {host}`"
    ));
    Ok(())
}
