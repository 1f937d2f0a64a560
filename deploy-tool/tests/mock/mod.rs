//! An API server that answers by a table and remembers what it was asked.

#![allow(dead_code, reason = "each test program uses its part")]

use std::sync::{Arc, Mutex};

use cluster::Cluster;
use http::{Request, Response};
use kube::Client;
use kube::client::Body;
use serde_json::Value;
use tower_test::mock;

/// One request: its method, its URL and what was sent.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub url: String,
    pub body: Value,
}

/// The requests so far, in their order.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<Asked>>>);

impl Log {
    pub fn all(&self) -> Vec<Asked> {
        self.0.lock().unwrap().clone()
    }

    /// Those that would store something.
    pub fn writes(&self) -> Vec<Asked> {
        let mut all = self.all();
        all.retain(|asked| asked.method != "GET" && !asked.url.contains("dryRun=All"));
        all
    }
}

/// A cluster whose answers a function gives: status and body.
pub fn cluster(answer: impl Fn(&Asked) -> (u16, String) + Send + 'static) -> (Cluster, Log) {
    let (service, mut server) = mock::pair::<Request<Body>, Response<Body>>();
    let log = Log::default();
    let asked = log.clone();
    tokio::spawn(async move {
        while let Some((request, send)) = server.next_request().await {
            let (parts, sent) = request.into_parts();
            let sent = sent.collect_bytes().await.unwrap();
            let request = Asked {
                method: parts.method.to_string(),
                url: parts.uri.to_string(),
                body: serde_json::from_slice(&sent).unwrap_or_default(),
            };
            let (status, body) = answer(&request);
            asked.0.lock().unwrap().push(request);
            let response = Response::builder().status(status);
            send.send_response(response.body(Body::from(body.into_bytes())).unwrap());
        }
    });
    (Cluster::with_client(Client::new(service, "n"), "mock"), log)
}
