//! What is sent to the API server, against a mock of it: what a real cluster cannot be made to answer on purpose.

#![allow(clippy::unwrap_used, clippy::panic)]

use cluster::Cluster;
use diagnostics::{ExitStatus, Result};
use http::{Request, Response};
use kube::client::Body;
use kube::core::ApiResource;
use kube::{Api, Client};
use releases::api::apply::{Applied, Change, apply};
use releases::api::discover::ResolvedObject;
use releases::manifest;
use serde_json::{Value, json};
use tower_test::mock;

const SECRET: &str = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  namespace: ns\n  \
    annotations: {deploy-tool.dev/generate: \"A B\"}\n";

type Server = mock::Handle<Request<Body>, Response<Body>>;

fn connected() -> (Cluster, Server) {
    let (service, server) = mock::pair::<Request<Body>, Response<Body>>();
    (Cluster::with_client(Client::new(service, "ns"), "mock"), server)
}

/// The next request, and its answer.
async fn answer(server: &mut Server, status: u16, body: Value) -> (String, String, Value) {
    let (request, send) = server.next_request().await.unwrap();
    let (parts, sent) = request.into_parts();
    send.send_response(
        Response::builder()
            .status(status)
            .body(Body::from(body.to_string().into_bytes()))
            .unwrap(),
    );
    let sent = sent.collect_bytes().await.unwrap();
    (
        parts.method.to_string(),
        parts.uri.to_string(),
        serde_json::from_slice(&sent).unwrap_or_default(),
    )
}

/// Applies the Secret against a server that answers a GET and a PATCH.
async fn apply_secret(found: (u16, Value), patched: (u16, Value)) -> (Result<Applied>, String, Value) {
    let (cluster, mut server) = connected();
    let resource = ApiResource::erase::<k8s_openapi::api::core::v1::Secret>(&());
    let resolved = ResolvedObject {
        object: manifest::parse("s.yaml", SECRET).unwrap().remove(0),
        api: Api::namespaced_with(cluster.client.clone(), "ns", &resource),
        namespace: Some("ns".into()),
    };
    let serve = async {
        let (method, url, _) = answer(&mut server, found.0, found.1).await;
        assert_eq!(
            (method.as_str(), url.as_str()),
            ("GET", "/api/v1/namespaces/ns/secrets/s")
        );
        let (method, url, sent) = answer(&mut server, patched.0, patched.1).await;
        assert_eq!(method, "PATCH");
        (url, sent)
    };
    let (applied, (url, sent)) = tokio::join!(apply(&cluster, &resolved), serve);
    (applied, url, sent)
}

fn absent() -> (u16, Value) {
    (
        404,
        json!({"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404, "message": "not found"}),
    )
}

fn stored(version: &str) -> (u16, Value) {
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "resourceVersion": version},
        "data": {"A": "b2xk"}});
    (200, secret)
}

#[tokio::test]
async fn applies_with_one_manager_strictly_and_without_force() {
    let (applied, url, sent) = apply_secret(absent(), stored("1")).await;
    assert_eq!(applied.unwrap().change, Change::Created);
    assert!(
        url.contains("fieldManager=deploy-tool") && url.contains("fieldValidation=Strict"),
        "{url}"
    );
    assert!(!url.contains("force=true"), "{url}");
    let (first, second) = (sent["data"]["A"].as_str().unwrap(), sent["data"]["B"].as_str().unwrap());
    // 32 letters are 44 in base64.
    assert!(first.len() == 44 && second.len() == 44 && first != second, "{sent}");
}

#[tokio::test]
async fn existing_passwords_are_kept_and_sameness_is_seen() {
    let (applied, _, sent) = apply_secret(stored("7"), stored("7")).await;
    assert_eq!(applied.unwrap().change, Change::Unchanged);
    assert_eq!(sent["data"]["A"], "b2xk");
    assert_eq!(sent["data"]["B"].as_str().unwrap().len(), 44);
    let (applied, ..) = apply_secret(stored("7"), stored("8")).await;
    assert_eq!(applied.unwrap().change, Change::Changed);
}

#[tokio::test]
async fn a_conflict_is_named_and_not_forced() {
    let conflict = json!({"kind": "Status", "status": "Failure", "reason": "Conflict", "code": 409,
        "message": "Apply failed with 1 conflict", "details": {"causes": [
            {"reason": "FieldManagerConflict", "field": ".data.A", "message": "conflict with \"kubectl-edit\" using v1"}]}});
    let (applied, ..) = apply_secret(stored("1"), (409, conflict)).await;
    let failure = applied.unwrap_err();
    assert_eq!(failure.status, ExitStatus::Cluster);
    let text = failure.to_string();
    assert!(
        text.contains("Secret `s`: data.A set by \"kubectl-edit\"") && text.contains("--take-over"),
        "{text}"
    );
}

#[tokio::test]
async fn a_namespace_that_is_going_away() {
    let going = json!({"kind": "Status", "status": "Failure", "reason": "Forbidden", "code": 403,
        "message": "secrets \"s\" is forbidden: unable to create new content in namespace n because it is being terminated"});
    let (applied, ..) = apply_secret(absent(), (403, going)).await;
    assert!(applied.unwrap_err().to_string().contains("wait until it is gone"));
}
