//! The revisions of a release against a mock API server: two deployers at once, and those that are gone.

#![allow(clippy::unwrap_used, clippy::panic)]

mod lease;
mod lock;

use std::collections::BTreeSet;

use cluster::Cluster;
use diagnostics::code::release as codes;
use diagnostics::{Error, ExitStatus};
use http::{Request, Response};
use k8s_openapi::api::core::v1::Secret;
use kube::Client;
use kube::client::Body;
use releases::api::revisions;
use releases::manifest;
use releases::release::{HolderIdentity, Name, Revision, State, record};
use serde_json::{Value, json};
use tower_test::mock;

type Server = mock::Handle<Request<Body>, Response<Body>>;

const SECRETS: &str = "/api/v1/namespaces/shop/secrets";

fn connected() -> (Cluster, Server) {
    let (service, server) = mock::pair::<Request<Body>, Response<Body>>();
    (Cluster::with_client(Client::new(service, "ns"), "mock"), server)
}

/// What the next request asks, and its answer.
async fn answer(server: &mut Server, status: u16, body: &Value) -> (String, String, Value) {
    let (request, send) = server.next_request().await.unwrap();
    let (parts, sent) = request.into_parts();
    let response = Response::builder().status(status);
    send.send_response(response.body(Body::from(body.to_string().into_bytes())).unwrap());
    let sent = sent.collect_bytes().await.unwrap();
    let body = serde_json::from_slice(&sent).unwrap_or_default();
    (parts.method.to_string(), parts.uri.to_string(), body)
}

fn refusal(code: u16, reason: &str) -> Value {
    json!({"kind": "Status", "status": "Failure", "reason": reason, "code": code, "message": reason})
}

fn release() -> Name {
    Name::new(Some("shop"), None, &[]).unwrap()
}

fn deployer(host: &str) -> HolderIdentity {
    HolderIdentity {
        host: host.into(),
        cache_id: format!("cache of {host}"),
        boot_id: "boot".into(),
        process: 7,
    }
}

fn revision(number: u32, state: State, host: &str) -> Revision {
    Revision {
        number,
        state,
        reason: "up".into(),
        message: String::new(),
        created: jiff::Timestamp::now(),
        finished: None,
        deployer: deployer(host),
        objects: Vec::new(),
        inventory: BTreeSet::new(),
        kept: BTreeSet::new(),
        completed: [].into(),
    }
}

/// The Secret of a revision as the server stores it, renewed some seconds ago.
fn stored(revision: &Revision, version: &str, seconds: i64) -> Value {
    let renewed = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(seconds);
    let mut secret = record::secret(&release(), revision, renewed).unwrap();
    secret.metadata.resource_version = Some(version.to_owned());
    serde_json::to_value(secret).unwrap()
}

fn list(items: &[Value], next: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "SecretList", "metadata": {"resourceVersion": "9", "continue": next}, "items": items})
}

/// The revision in what was sent as a Secret, or as a part of one.
fn sent_revision(sent: &Value) -> Revision {
    let secret: Secret = serde_json::from_value(json!({"metadata": {}, "data": sent["data"]})).unwrap();
    record::record(&secret).unwrap().revision
}

#[track_caller]
fn assert_busy(failure: &Error, code: &'static diagnostics::code::Code, says: &str) {
    assert_eq!(
        (failure.status, failure.number()),
        (ExitStatus::Busy, Some(code)),
        "{failure}"
    );
    assert!(failure.to_string().contains(says), "{failure}");
}

#[tokio::test]
async fn the_history_is_read_page_by_page() {
    let (cluster, mut server) = connected();
    let first = stored(&revision(1, State::Deployed, "me@here"), "1", 0);
    let second = stored(&revision(2, State::Failed, "me@here"), "2", 0);
    let serve = async {
        let (method, url, _) = answer(&mut server, 200, &list(&[second], "more")).await;
        assert_eq!(method, "GET");
        assert!(url.starts_with(&format!("{SECRETS}?")), "{url}");
        assert!(url.contains("labelSelector=deploy-tool.dev%2Frelease%3Dshop"), "{url}");
        assert!(
            url.contains("fieldSelector=type%3Ddeploy-tool.dev%2Frevision") && url.contains("limit="),
            "{url}"
        );
        let (_, url, _) = answer(&mut server, 200, &list(&[first], "")).await;
        assert!(url.contains("continue=more"), "{url}");
    };
    let name = release();
    let (history, ()) = tokio::join!(revisions::read_history(&cluster, &name), serve);
    let history = history.unwrap();
    let numbers: Vec<u32> = history.revisions().map(|revision| revision.number).collect();
    assert_eq!(numbers, [1, 2]);
}

#[tokio::test]
async fn a_record_is_deleted_and_not_another_one_of_its_number() {
    let (cluster, mut server) = connected();
    let mut secret = stored(&revision(1, State::Deployed, "me@here"), "1", 0);
    secret["metadata"]["uid"] = json!("of-the-first");
    let record = record::record(&serde_json::from_value(secret).unwrap()).unwrap();
    let serve = async {
        let (method, url, sent) = answer(&mut server, 409, &refusal(409, "Conflict")).await;
        assert_eq!(
            (method.as_str(), url),
            ("DELETE", format!("{SECRETS}/deploy-tool.shop.1?"))
        );
        assert_eq!(sent["preconditions"], json!({"uid": "of-the-first"}));
    };
    let name = release();
    let (forgotten, ()) = tokio::join!(revisions::delete_records(&cluster, &name, [&record]), serve);
    forgotten.unwrap();
}

/// Manifests without a namespace, of a release that may be there under the name of the namespace that they define.
#[tokio::test]
async fn only_who_may_not_read_a_release_is_taken_for_somebody_else() {
    let objects = manifest::parse("m.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n").unwrap();
    let mut own = revision(1, State::Deployed, "me@here");
    own.inventory = objects.iter().map(manifest::Object::identity).collect();
    let mut forbidden = refusal(403, "Forbidden");
    forbidden["message"] = json!("secrets is forbidden: User \"me\" cannot list resource \"secrets\"");
    for (status, body, expected) in [
        (200, list(&[], ""), None),
        (403, forbidden, None),
        (200, list(&[stored(&own, "1", 0)], ""), Some("--namespace shop")),
        (500, refusal(500, "InternalError"), Some("InternalError")),
        (
            200,
            list(&[json!({"metadata": {"name": "x"}})], ""),
            Some("cannot be read"),
        ),
    ] {
        let (cluster, mut server) = connected();
        let unnamed = Name::new(None, None, &objects).unwrap();
        let (checked, _) = tokio::join!(
            revisions::refuse_unnamed(&cluster, &unnamed, &objects),
            answer(&mut server, status, &body)
        );
        let failure = checked.err().map(|failure| failure.to_string());
        match expected {
            None => assert_eq!(failure, None),
            Some(part) => assert!(failure.as_ref().is_some_and(|text| text.contains(part)), "{failure:?}"),
        }
    }
}
