//! A proxy in front of the API server, on loopback, that counts what passes and, when told to, fails as networks and busy
//! API servers do.

mod body;
mod fault;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::{Request, Response};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use crate::local_server::LocalServer;
use crate::random::Random;
use body::PassedOn;
pub use fault::Fault;

/// The name of the context in the proxy's kubeconfig.
pub const CONTEXT: &str = "through-proxy";

/// A request that has passed.
#[derive(Clone, Debug)]
pub struct Passed {
    /// Its method.
    pub method: String,
    /// Path and query.
    pub target: String,
}

impl Passed {
    /// Whether it may change what the cluster stores. Reviews are questions, though they are posted.
    pub fn writes(&self) -> bool {
        self.method != "GET" && !self.target.contains("dryRun=All") && !self.target.contains("accessreviews")
    }
}

#[derive(Default)]
struct Record {
    requests: Mutex<Vec<Passed>>,
    bytes: Arc<AtomicUsize>,
    failing: AtomicBool,
    faults: AtomicUsize,
    held: Mutex<Option<String>>,
}

impl Record {
    fn holds(&self, request: &Passed) -> bool {
        let held = self.held.lock().unwrap();
        request.writes() && held.as_ref().is_some_and(|held| request.target.contains(held))
    }
}

/// A running proxy; it ends with its value.
pub struct Proxy {
    record: Arc<Record>,
    folder: tempfile::TempDir,
    _server: LocalServer,
}

impl Proxy {
    /// Starts a proxy to the API server of a context.
    pub fn start(context: &str, seed: u64) -> Self {
        let record = Arc::new(Record::default());
        let answering = record.clone();
        let server = LocalServer::start(async move {
            let client = client(context).await;
            let random = Arc::new(Mutex::new(Random::new(seed)));
            move |request| {
                let (client, record, random) = (client.clone(), answering.clone(), random.clone());
                async move { pass(request, &client, &record, &random).await }
            }
        });
        let folder = tempfile::tempdir().unwrap();
        write_kubeconfig(folder.path(), server.address.port());
        Self {
            record,
            folder,
            _server: server,
        }
    }

    /// A kubeconfig whose only context, [`CONTEXT`], leads through the proxy.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    /// Whether requests fail from now on.
    pub fn fail(&self, failing: bool) {
        self.record.failing.store(failing, Ordering::Relaxed);
    }

    /// Writes whose target contains this stay unanswered from now on, and do not reach the API server.
    pub fn hold(&self, target: Option<String>) {
        *self.record.held.lock().unwrap() = target;
    }

    /// How many requests were made to fail.
    pub fn faults(&self) -> usize {
        self.record.faults.load(Ordering::Relaxed)
    }

    /// The requests since the last call, and how many bytes the answers had.
    pub fn passed(&self) -> (Vec<Passed>, usize) {
        let requests = std::mem::take(&mut *self.record.requests.lock().unwrap());
        (requests, self.record.bytes.swap(0, Ordering::Relaxed))
    }
}

async fn client(context: &str) -> Client {
    let options = KubeConfigOptions {
        context: Some(context.to_owned()),
        ..KubeConfigOptions::default()
    };
    let kubeconfig = Kubeconfig::read().expect("there is a kubeconfig");
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &options).await.unwrap();
    config.default_retry = false;
    config.read_timeout = None;
    Client::try_from(config).unwrap()
}

/// The proxy speaks plain HTTP, and to the API server with the real kubeconfig's certificate.
fn write_kubeconfig(folder: &Path, port: u16) {
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: {CONTEXT}\n\
         clusters: [{{name: proxy, cluster: {{server: \"http://127.0.0.1:{port}\"}}}}]\n\
         users: [{{name: nobody, user: {{}}}}]\n\
         contexts: [{{name: {CONTEXT}, context: {{cluster: proxy, user: nobody}}}}]\n"
    );
    std::fs::write(folder.join("config"), text).unwrap();
}

/// Answers one request. An error closes its connection without an answer.
async fn pass(
    request: Request<Incoming>,
    client: &Client,
    record: &Record,
    random: &Mutex<Random>,
) -> Result<Response<PassedOn>, kube::Error> {
    let target = request.uri().to_string();
    let watch = target.contains("watch=true") || target.contains("watch=1");
    let fault = if record.failing.load(Ordering::Relaxed) {
        fault::draw(&mut random.lock().unwrap(), watch)
    } else {
        None
    };
    record.faults.fetch_add(usize::from(fault.is_some()), Ordering::Relaxed);
    let method = request.method().to_string();
    let passed = Passed { method, target };
    let is_held = record.holds(&passed);
    record.requests.lock().unwrap().push(passed);
    if is_held {
        std::future::pending::<()>().await;
    }
    match &fault {
        Some(Fault::Refuse(status)) => return Ok(fault::refusal(*status).map(PassedOn::text)),
        Some(Fault::CutBefore) => return Err(fault::cut()),
        Some(Fault::Delay(pause)) => tokio::time::sleep(*pause).await,
        _ => {}
    }
    let (parts, body) = request.into_parts();
    let bytes = body.collect().await.map_err(kube::Error::HyperError)?.to_bytes();
    let response = client.send(Request::from_parts(parts, bytes.into())).await?;
    if fault == Some(Fault::CutAfter) {
        return Err(fault::cut());
    }
    Ok(response.map(|body| PassedOn::new(body, fault, record.bytes.clone())))
}
