//! Edge: one HTTP/2 connection to the API server that carries everything at once.
//!
//! kube's own clients open an HTTP/1.1 connection for each request under way. With a client certificate, three quarters of
//! the instructions of a short run went into twenty handshakes, and the server had as much work with them.

use std::time::Duration;

use hyper_rustls::HttpsConnectorBuilder;
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kube::client::retry::RetryPolicy;
use kube::client::{ClientBuilder, ConfigExt};
use kube::{Client, Config};
use tower::layer::layer_fn;
use tower::retry::RetryLayer;
use tower::{BoxError, ServiceBuilder};

use crate::idempotent_retry::RetryingClient;
use crate::request_log::Traced;

/// Interval of HTTP/2 pings, which distinguish a dead connection from an idle one.
const PING_INTERVAL: Duration = Duration::from_secs(5);
/// Time limit of the answer to a ping. With the interval, less than the silence after which a release is lost: its renewal gets a
/// second chance, on a new connection.
const PING_LIMIT: Duration = Duration::from_secs(10);

/// A client that logs every request and retries after lost connections. Its requests share one connection if the server
/// supports HTTP/2.
pub fn shared(config: &Config) -> kube::Result<Client> {
    // Not every proxy supports HTTP/2.
    if config.proxy_url.is_some() || config.tls_server_name.is_some() {
        return separate(config.clone());
    }
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    // Else a small frame may wait 40 ms for the acknowledgement of the one before.
    tcp.set_nodelay(true);
    let tls = HttpsConnectorBuilder::new().with_tls_config(config.rustls_client_config()?);
    let mut connector = TimeoutConnector::new(tls.https_or_http().enable_all_versions().wrap_connector(tcp));
    connector.set_connect_timeout(config.connect_timeout);
    let mut transport = legacy::Builder::new(TokioExecutor::new());
    transport.timer(TokioTimer::new()).pool_timer(TokioTimer::new());
    transport
        .http2_keep_alive_interval(PING_INTERVAL)
        .http2_keep_alive_timeout(PING_LIMIT);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .layer(RetryLayer::new(RetryPolicy::server_retry()))
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(transport.build::<_, kube::client::Body>(connector));
    let builder = ClientBuilder::new(service, config.default_namespace.as_str());
    Ok(RetryingClient::wrap(builder.with_layer(&layer_fn(Traced::new)).build()))
}

/// The same, but it opens an HTTP/1.1 connection for each request under way.
pub fn separate(config: Config) -> kube::Result<Client> {
    let builder = ClientBuilder::try_from(config)?;
    Ok(RetryingClient::wrap(builder.with_layer(&layer_fn(Traced::new)).build()))
}
