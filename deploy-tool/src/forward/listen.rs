//! Edge: connections of this host to a port of a pod, through the API server.

use std::time::Duration;

use futures::stream::{BoxStream, StreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use tokio::net::{TcpListener, TcpStream};

use crate::forward::Backend;
use cluster::Cluster;
use cluster::client::explain;
use diagnostics::code;
use diagnostics::{Error, Result};

/// The pause after a connection that could not be accepted: without any file descriptor left, each attempt fails at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A port of this host, on its loopback addresses only.
pub struct Listener {
    sockets: Vec<TcpListener>,
    /// Its number.
    pub port: u16,
}

impl Listener {
    /// Opens it; 0 is any free one.
    ///
    /// # Errors
    /// When the port is in use.
    pub async fn open(port: u16) -> Result<Self> {
        let cannot_open = |error: std::io::Error| {
            Error::input(format!("port {port} of this host cannot be opened"))
                .code(&code::scale::PORT_TAKEN)
                .cause(error)
                .hint("name another one with --port, or leave it out: any free one is taken")
        };
        let first = TcpListener::bind(("127.0.0.1", port)).await.map_err(cannot_open)?;
        let port = first.local_addr().map_err(cannot_open)?.port();
        // A host without IPv6, or whose port is taken there, does without: `localhost` is 127.0.0.1 as well.
        let second = TcpListener::bind(("::1", port)).await.ok();
        Ok(Self {
            sockets: [Some(first), second].into_iter().flatten().collect(),
            port,
        })
    }

    /// The next connection. One that breaks before it is accepted is left out.
    pub async fn next(&mut self) -> TcpStream {
        loop {
            let accepts = self.sockets.iter().map(|socket| Box::pin(socket.accept()));
            match futures::future::select_all(accepts).await {
                (Ok((stream, _)), ..) => return stream,
                (Err(_), ..) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    }
}

/// Carries a connection to a pod until one of both ends it.
///
/// # Errors
/// When the pod cannot be reached: then nothing has been read of the connection, and another pod may have it.
pub async fn carry(
    cluster: &Cluster,
    namespace: &str,
    backend: &Backend,
    mut local: TcpStream,
) -> Result<(), (TcpStream, String)> {
    let api: Api<Pod> = Api::namespaced(cluster.pods_client.clone(), namespace);
    let ports = [backend.port];
    let opened = tokio::time::timeout(cluster::REQUEST_TIMEOUT, api.portforward(&backend.pod, &ports));
    let mut forwarder = match opened.await {
        Ok(Ok(forwarder)) => forwarder,
        Ok(Err(error)) => return Err((local, explain(&error))),
        Err(_) => return Err((local, "the API server has not answered in time".to_owned())),
    };
    let Some(mut remote) = forwarder.take_stream(backend.port) else {
        return Err((local, "the connection has no such port".to_owned()));
    };
    // An error closes the client's connection, which is the only way to report it.
    let _ = tokio::io::copy_bidirectional(&mut local, &mut remote).await;
    forwarder.abort();
    Ok(())
}

/// The changes of the pods with some labels. It never ends, and starts over when it is too old.
pub fn watch(cluster: &Cluster, namespace: &str, labels: &str) -> BoxStream<'static, watcher::Result<Event<Pod>>> {
    let api: Api<Pod> = Api::namespaced(cluster.client.clone(), namespace);
    watcher(api, watcher::Config::default().labels(labels))
        .default_backoff()
        .boxed()
}
