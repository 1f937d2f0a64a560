//! Edge: a connection to the cluster of a named context. Every request has a deadline.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kube::Client;
use kube::client::AuthError;

use crate::context::cluster_hint;
use crate::http2;
use crate::kubeconfig::{self, Access};
use crate::permission::{is_login_refused, is_missing_permission, login_refused};
use crate::proxy::Proxy;
use diagnostics::code;
use diagnostics::{Error, Result};

/// One request, watches aside, may take this long. kube sets no limit of its own.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// Time limit of the first request, which shows whether the server is reachable.
pub const FIRST_REQUEST_TIMEOUT: Duration = Duration::from_secs(8);
/// How many requests are under way at once, at most. The server's own limits are far beyond:
/// <https://kubernetes.io/docs/concepts/cluster-administration/flow-control/>
pub const PARALLEL_REQUESTS: usize = 16;
/// Longer than the server lets a watch be silent, see [`crate::watch`]. Over HTTP/2, pings are faster.
const WATCH_SILENCE: Duration = Duration::from_secs(40);

/// A cluster that has answered.
#[derive(Clone)]
pub struct Cluster {
    /// Sends requests to the API server. It tries again when the server is busy, and when the connection is lost.
    pub client: Client,
    /// The client for requests to pods through the API server, which does not treat their error statuses as errors. It uses
    /// HTTP/1.1, as port-forward needs an upgrade of the connection.
    pub pods_client: Client,
    /// Watches objects. A connection that hangs is given up.
    pub watches: Client,
    /// The kubeconfig's name for it.
    pub context: String,
    server: String,
    proxy: Option<Proxy>,
    clock_difference: SignedDuration,
}

impl Cluster {
    /// Connects to the cluster of a context, and finds out whether it is there.
    ///
    /// # Errors
    /// When there is no such context, or its API server does not answer.
    pub async fn connect(context: &str) -> Result<Self> {
        let Access { mut config, proxy } = kubeconfig::access(context)?;
        let exec = config.auth_info.exec.clone();
        let unusable = |error: &dyn std::fmt::Display| kubeconfig::unusable(context, error);
        config.connect_timeout = Some(FIRST_REQUEST_TIMEOUT);
        let server = config.cluster_url.to_string();
        let mut once = config.clone();
        once.default_retry = false;
        let client = http2::shared(&config).map_err(|error| match (error, exec) {
            (kube::Error::Auth(AuthError::AuthExecStart(error)), Some(exec)) => {
                kubeconfig::no_login_program(context, &exec, &error)
            }
            (error, _) => unusable(&error),
        })?;
        let mut cluster = Self {
            pods_client: http2::separate(once).map_err(|error| unusable(&error))?,
            server,
            proxy,
            ..Self::with_client(client, context)
        };
        if cluster.probe_server().await? != http::Version::HTTP_2 {
            config.read_timeout = Some(WATCH_SILENCE);
            cluster.watches = http2::separate(config).map_err(|error| unusable(&error))?;
        }
        Ok(cluster)
    }

    /// A cluster behind a client that is there already.
    pub fn with_client(client: Client, context: &str) -> Self {
        Self {
            pods_client: client.clone(),
            watches: client.clone(),
            client,
            context: context.to_owned(),
            server: String::new(),
            proxy: None,
            clock_difference: SignedDuration::ZERO,
        }
    }

    /// The first request: checks that the server is reachable, and reads its clock and the version of HTTP.
    async fn probe_server(&mut self) -> Result<http::Version> {
        let request = http::Request::get("/version").body(kube::client::Body::empty());
        let request = request.map_err(|error| self.unreachable(&error))?;
        let response = match tokio::time::timeout(FIRST_REQUEST_TIMEOUT, self.client.send(request)).await {
            Err(_) => {
                let seconds = FIRST_REQUEST_TIMEOUT.as_secs();
                return Err(self.unreachable(&format!("no answer within {seconds} s")));
            }
            Ok(Err(error)) => return Err(self.unreachable(&explain(&error))),
            Ok(Ok(response)) => response,
        };
        if response.status().is_server_error() {
            return Err(self.unreachable(&format!("it answers {}", response.status())));
        }
        let date = response
            .headers()
            .get(http::header::DATE)
            .and_then(|date| date.to_str().ok());
        if let Some(server_time) = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok()) {
            self.clock_difference = server_time.timestamp().duration_since(Timestamp::now());
        }
        Ok(response.version())
    }

    fn unreachable(&self, cause: &dyn std::fmt::Display) -> Error {
        let failure = Error::cluster(format!(
            "the API server {} of context `{}` does not answer",
            self.server, self.context
        ))
        .cause(cause);
        let failure = match &self.proxy {
            Some(proxy) => failure.cause(format!("it is asked for through {}", describe_proxy(proxy))),
            None => failure,
        };
        failure.hint(self.start_hint())
    }

    fn start_hint(&self) -> String {
        if let Some(proxy) = &self.proxy {
            return format!(
                "check the proxy {}; the host of the API server in `NO_PROXY` is asked without it",
                proxy.shown()
            );
        }
        cluster_hint(&self.context)
            .unwrap_or_else(|| "check that the cluster runs and can be reached from here".to_owned())
    }

    /// What time it is in the cluster, whose clock may differ from this host's.
    pub fn now(&self) -> Timestamp {
        Timestamp::now()
            .checked_add(self.clock_difference)
            .unwrap_or_else(|_| Timestamp::now())
    }

    /// Waits for a request's answer, but not for ever. The server's own error is kept.
    ///
    /// # Errors
    /// When there is no answer in time.
    pub async fn answer<T>(
        &self,
        message: &str,
        request: impl Future<Output = kube::Result<T>>,
    ) -> Result<kube::Result<T>> {
        tokio::time::timeout(REQUEST_TIMEOUT, request).await.map_err(|_| {
            Error::cluster(message)
                .cause(format!(
                    "the API server {} has not answered within {} s",
                    self.server,
                    REQUEST_TIMEOUT.as_secs()
                ))
                .hint(self.start_hint())
        })
    }

    /// Waits for a request's answer, but not for ever.
    ///
    /// # Errors
    /// When there is no answer in time, or the server refuses.
    pub async fn call<T>(&self, message: &str, request: impl Future<Output = kube::Result<T>>) -> Result<T> {
        self.answer(message, request)
            .await?
            .map_err(|error| describe_failure(message, &error))
    }

    /// Waits for the answer to a request for what not every user may read: nothing for whom the server refuses it (403).
    ///
    /// # Errors
    /// When there is no answer in time, or another error.
    pub async fn call_if_allowed<T>(
        &self,
        message: &str,
        request: impl Future<Output = kube::Result<T>>,
    ) -> Result<Option<T>> {
        match self.answer(message, request).await? {
            Err(kube::Error::Api(status)) if status.code == 403 => Ok(None),
            answer => answer.map(Some).map_err(|error| describe_failure(message, &error)),
        }
    }

    /// The same with a shorter deadline, for answers that can be done without.
    pub async fn attempt<T>(&self, limit: Duration, request: impl Future<Output = kube::Result<T>>) -> Option<T> {
        tokio::time::timeout(limit, request).await.ok()?.ok()
    }
}

/// The failure of a request that the server has answered, with the number of the error where it has one.
fn describe_failure(message: &str, error: &kube::Error) -> Error {
    let failure = Error::cluster(message);
    match error {
        kube::Error::Api(status) if is_login_refused(status) => login_refused(failure, status),
        kube::Error::Api(status) if is_missing_permission(status) => {
            failure.cause(explain(error)).code(&code::apply::PERMISSION_MISSING)
        }
        _ => failure.cause(explain(error)),
    }
}

fn describe_proxy(proxy: &Proxy) -> String {
    format!("the proxy {}, which {} names", proxy.shown(), proxy.origin)
}

/// A request's error in words. kube's own text hides what lies underneath.
pub fn explain(error: &kube::Error) -> String {
    if let kube::Error::Api(status) = error {
        return status.message.clone();
    }
    let mut text = String::new();
    let mut cause: Option<&dyn std::error::Error> = match error {
        kube::Error::Service(service) => Some(service.as_ref()),
        other => Some(other),
    };
    while let Some(error) = cause {
        let sentence = error.to_string();
        if !text.contains(&sentence) {
            text = if text.is_empty() {
                sentence
            } else {
                format!("{text}: {sentence}")
            };
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_what_is_forbidden_counts_as_nothing() {
        let service = tower::service_fn(|_: http::Request<kube::client::Body>| async {
            Ok::<_, std::convert::Infallible>(http::Response::new(kube::client::Body::empty()))
        });
        let cluster = Cluster::with_client(Client::new(service, "n"), "mock");
        let answered = async |code: u16| {
            let status = kube::core::Status {
                code,
                message: "no".into(),
                ..kube::core::Status::default()
            };
            let refused = async { Err::<(), _>(kube::Error::Api(Box::new(status))) };
            cluster.call_if_allowed("cannot list the nodes", refused).await
        };
        assert_eq!(answered(403).await.unwrap(), None);
        for (code, number) in [
            (401, Some(&code::apply::LOGIN_REFUSED)),
            (404, None),
            (500, None),
            (503, None),
        ] {
            assert_eq!(answered(code).await.unwrap_err().number(), number, "{code}");
        }
        let read = cluster.call_if_allowed("cannot list the nodes", async { Ok(1) }).await;
        assert_eq!(read.unwrap(), Some(1));
    }
}
