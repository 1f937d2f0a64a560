//! `deploy-tool open [SERVICE]`: a port of this host that leads to a ready pod of a Service, until Ctrl-C.

use std::collections::{BTreeSet, VecDeque};
use std::process::Stdio;
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use kube::runtime::watcher::Event;
use kube::{Api, ResourceExt};
use serde::Serialize;
use tokio::net::TcpStream;

use super::status;
use crate::cli::OpenArguments;
use crate::forward::listen as forward;
use crate::forward::listen::Listener;
use crate::forward::{Backend, Backends, ServiceTarget, find_target, reason, service};
use cluster::{Cluster, list, pods};
use diagnostics::code;
use diagnostics::{Error, Result};
use terminal::Printer;

/// What `open --output json` prints. Fields are added, never renamed.
#[derive(Serialize)]
struct Opened<'a> {
    url: &'a str,
    pod: &'a str,
    port: u16,
}

/// How soon a pod is tried again that has taken no connection.
const RETRY_INTERVAL: Duration = Duration::from_secs(2);

/// Runs the command.
///
/// # Errors
/// When there is no such Service, no pod of it is ready, or the port is taken.
pub async fn run(printer: &Printer, arguments: OpenArguments) -> Result<()> {
    let OpenArguments {
        service: name,
        port,
        browser,
        cluster_arguments,
    } = arguments;
    let release = cluster_arguments.release()?;
    let cluster = Cluster::connect(&cluster_arguments.context).await?;
    let namespace = &release.namespace;
    let location = format!("namespace `{namespace}` of context `{}`", cluster.context);
    let services = pods::services(&cluster, namespace).await?;
    let service = service(&services, name.as_deref(), &location)?;
    let target = find_target(service, port.remote.as_deref())?;
    let (mut backends, first) = ready(&cluster, namespace, &target).await?;

    let listener = Listener::open(port.local).await?;
    let local = listener.port;
    let url = format!("{}://localhost:{local}", target.scheme);
    if let Some(address) = status::url(printer, &cluster, std::slice::from_ref(service)).await? {
        printer.info(&format!(
            "Service `{}` can be reached without this as well: {address}",
            target.service
        ));
    }
    printer.info(&format!("to pod `{}`, port {}, until Ctrl-C", first.pod, first.port));
    printer.data(&if printer.json() {
        let opened = Opened {
            url: &url,
            pod: &first.pod,
            port: local,
        };
        serde_json::to_string(&opened)
            .map_err(|error| Error::prerequisite("cannot write the answer as JSON").cause(error))?
    } else {
        url.clone()
    });
    if browser {
        show(printer, &url);
    }
    serve(printer, &cluster, namespace, &target, &mut backends, listener).await
}

/// The pods that can answer, and the first that does.
async fn ready(cluster: &Cluster, namespace: &str, target: &ServiceTarget) -> Result<(Backends, Backend)> {
    let api: Api<Pod> = Api::namespaced(cluster.client.clone(), namespace);
    let message = format!("cannot list the pods of Service `{}`", target.service);
    let found = list::all(cluster, &api, &ListParams::default().labels(&target.selector), &message).await?;
    let mut backends = Backends::new(target.pod_port.clone());
    found.iter().for_each(|pod| backends.update_pod(pod));
    match backends.choose() {
        Some(first) => Ok((backends, first)),
        None => Err(
            Error::cluster(format!("no pod of Service `{}` is ready", target.service))
                .code(&code::scale::NO_READY_POD)
                .cause(reason(&found, cluster.now()))
                .hint("look at the pods: `deploy-tool status`; read what they write: `deploy-tool logs`"),
        ),
    }
}

/// Forwards connections for ever, each to a pod that is ready at that time.
///
/// # Errors
/// None so far: a connection that cannot be forwarded is reported, and waits.
pub async fn serve(
    printer: &Printer,
    cluster: &Cluster,
    namespace: &str,
    target: &ServiceTarget,
    backends: &mut Backends,
    mut listener: Listener,
) -> Result<()> {
    let mut changes = forward::watch(cluster, namespace, &target.selector);
    let mut listed = BTreeSet::new();
    let mut waiting: VecDeque<TcpStream> = VecDeque::new();
    let mut carried = FuturesUnordered::new();
    let mut last = backends.choose();
    let mut retries = tokio::time::interval(RETRY_INTERVAL);
    let mut refused = BTreeSet::new();
    loop {
        tokio::select! {
            _ = retries.tick() => backends.retry(),
            Some(change) = changes.next() => match change {
                Ok(Event::Apply(pod)) => backends.update_pod(&pod),
                Ok(Event::Delete(pod)) => backends.remove_pod(&pod.name_any()),
                Ok(Event::Init) => listed.clear(),
                Ok(Event::InitApply(pod)) => {
                    listed.insert(pod.name_any());
                    backends.update_pod(&pod);
                }
                Ok(Event::InitDone) => backends.retain_pods(&listed),
                // The watch reconnects by itself; until then the last state is used.
                Err(_) => {}
            },
            stream = listener.next() => waiting.push_back(stream),
            Some((backend, result)) = carried.next(), if !carried.is_empty() => {
                let (backend, result): (Backend, Result<(), (TcpStream, String)>) = (backend, result);
                match result {
                    Ok(()) => _ = refused.remove(&backend.pod),
                    Err((stream, reason)) => {
                        // It is tried again and again: once is enough, until it takes one.
                        if refused.insert(backend.pod.clone()) {
                            printer.warning(&format!("pod `{}` takes no connection: {reason}", backend.pod));
                        }
                        backends.failed(&backend.pod);
                        waiting.push_front(stream);
                    }
                }
            }
        }
        let now = backends.choose();
        if now != last && !(now.is_none() && backends.may_recover()) {
            printer.info(&match &now {
                Some(backend) => format!("now to pod `{}`", backend.pod),
                None => "no pod is ready: new connections wait".to_owned(),
            });
            last.clone_from(&now);
        }
        while let Some((backend, stream)) = now
            .as_ref()
            .and_then(|backend| Some((backend.clone(), waiting.pop_front()?)))
        {
            carried.push(async move {
                let result = forward::carry(cluster, namespace, &backend, stream).await;
                (backend, result)
            });
        }
    }
}

/// Opens the browser. A failure is no error: the URL is printed as well.
fn show(printer: &Printer, url: &str) {
    let mut command = std::process::Command::new("xdg-open");
    command
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if let Err(error) = command.spawn() {
        printer.warning(&format!("no browser can be shown: xdg-open: {error}"));
    }
}
