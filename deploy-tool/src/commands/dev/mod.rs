//! `deploy-tool dev`: each change is deployed as it is saved, logs are followed, a port stays open, until Ctrl-C.

mod roots;
mod session;

use std::convert::Infallible;

use super::{down, logs, open};
use crate::cli::{DevArguments, DownArguments};
use crate::forward::listen::Listener;
use crate::forward::{Backends, ServiceTarget, find_target, service};
use crate::logs::{Selection, select_pods};
use crate::signals;
use cluster::Cluster;
use cluster::context::kind_cluster;
use diagnostics::{Error, ExitStatus, Result};
use host::cleanup::Cleanup;
use k8s_openapi::api::core::v1::Service;
use releases::manifest;
use releases::release::Name;
use session::Session;
use terminal::Printer;
use tokio::sync::watch;

/// How long `down` waits for each object by default.
const REMOVAL_LIMIT: std::time::Duration = std::time::Duration::from_secs(5 * 60);

/// Runs the command.
///
/// # Errors
/// When the cluster is none that images can be loaded into, the port is taken, or the first deployment lacks something on this
/// host.
pub async fn run(printer: &Printer, cleanup: &Cleanup, arguments: DevArguments) -> Result<ExitStatus> {
    let context = arguments.cluster_arguments.context.clone();
    if kind_cluster(&context).is_none() {
        return Err(Error::input(format!("`dev` does not act on context `{context}`"))
            .cause("what it compiles in seconds is for no registry: it is loaded into the nodes of kind clusters")
            .hint("a local cluster: `deploy-tool cluster up`; another one gets `deploy-tool up --registry …`"));
    }
    let objects = manifest::load(&arguments.cluster_arguments.manifests()?)?;
    let release = arguments.cluster_arguments.release()?;
    let target = target(&objects, arguments.service.as_deref(), arguments.port.remote.as_deref())?;
    let listener = match &target {
        Some(_) => Some(Listener::open(arguments.port.local).await?),
        None => None,
    };
    let cluster = Cluster::connect(&context).await?;
    let address = match (&target, &listener) {
        (Some(target), Some(listener)) => format!("{}://localhost:{}", target.scheme, listener.port),
        _ => "no port: the manifests have no Service".to_owned(),
    };
    printer.info(&format!(
        "{release} in context `{context}`: {address}; Ctrl-C leaves what runs"
    ));

    let (followed, selections) = watch::channel(select_pods(&objects, &release.namespace));
    let session = Session {
        printer,
        namespace: &release.namespace,
        followed,
        cleanup,
        arguments: &arguments,
        folder: std::env::current_dir().unwrap_or_default(),
    };
    let port = serve_port(printer, &cluster, &release, target, listener);
    let logs = follow_logs(printer, &cluster, &arguments, &release, selections);
    let ended = tokio::select! {
        biased;
        signal = signals::first() => Ok(SessionEnd::Signal(signal)),
        deployed = session.run() => deployed.map(|()| SessionEnd::Once),
        failure = port => failure.map(|never| match never {}),
        failure = logs => failure.map(|never| match never {}),
    };
    let end = match ended {
        // What has failed may have left something, too.
        Err(failure) if arguments.remove => {
            remove(printer, &arguments).await?;
            return Err(failure);
        }
        Err(failure) => return Err(failure),
        Ok(end) => end,
    };
    if arguments.remove {
        remove(printer, &arguments).await?;
    } else {
        printer.info(&format!(
            "ended by {}: {release} keeps running; to delete it: `deploy-tool down`",
            match end {
                SessionEnd::Once => "--once",
                SessionEnd::Signal(name) => name,
            }
        ));
    }
    Ok(match end {
        SessionEnd::Once => ExitStatus::Done,
        SessionEnd::Signal(_) => ExitStatus::Interrupted,
    })
}

/// What ends a session that has not failed.
#[derive(Clone, Copy)]
enum SessionEnd {
    /// The first deployment is ready, and `--once` asks for no other.
    Once,
    /// A signal of this name.
    Signal(&'static str),
}

/// Keeps the port open, for ever.
async fn serve_port(
    printer: &Printer,
    cluster: &Cluster,
    release: &Name,
    target: Option<ServiceTarget>,
    listener: Option<Listener>,
) -> Result<Infallible> {
    if let (Some(target), Some(listener)) = (target, listener) {
        let mut backends = Backends::new(target.pod_port.clone());
        open::serve(printer, cluster, &release.namespace, &target, &mut backends, listener).await?;
    }
    std::future::pending().await
}

/// Shows what the release's pods write, by the newest manifests, for ever.
async fn follow_logs(
    printer: &Printer,
    cluster: &Cluster,
    arguments: &DevArguments,
    release: &Name,
    mut selections: watch::Receiver<Vec<Selection>>,
) -> Result<Infallible> {
    loop {
        let selected = selections.borrow_and_update().clone();
        let logs = logs::follow_new(
            printer,
            cluster,
            arguments.cluster_arguments.clone(),
            &release.namespace,
            selected,
        );
        tokio::select! {
            ended = logs => {
                ended?;
                // The reader of the logs has closed the pipe; the deployments continue.
                return std::future::pending().await;
            }
            Ok(()) = selections.changed() => {}
        }
    }
}

/// The Service of the manifests that a port is to lead to; none where they have none.
fn target(objects: &[manifest::Object], name: Option<&str>, remote: Option<&str>) -> Result<Option<ServiceTarget>> {
    let services: Vec<Service> = objects
        .iter()
        .filter(|object| object.identity().kind == "Service")
        .filter_map(|object| serde_json::to_value(&object.value).ok())
        // An invalid object is reported when it is applied.
        .filter_map(|value| serde_json::from_value(value).ok())
        .collect();
    if services.is_empty() && name.is_none() {
        return Ok(None);
    }
    let service = service(&services, name, "the manifests").map_err(|failure| match name {
        Some(_) => failure,
        None => failure.hint("name one: `deploy-tool dev --service NAME`"),
    })?;
    find_target(service, remote).map(Some)
}

async fn remove(printer: &Printer, arguments: &DevArguments) -> Result<()> {
    let down = DownArguments {
        cluster_arguments: arguments.cluster_arguments.clone(),
        delete_data: false,
        delete_namespace: false,
        timeout: REMOVAL_LIMIT,
    };
    down::run(printer, down).await
}
