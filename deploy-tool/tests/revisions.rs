//! The revisions of a release against a mock API server: two deployers at once, and those that are gone.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;

use deploy_tool::cluster::Cluster;
use deploy_tool::cluster::revisions;
use deploy_tool::code::release as codes;
use deploy_tool::failure::{ExitStatus, Failure};
use deploy_tool::release::{Deployer, Name, Revision, State, record};
use http::{Request, Response};
use k8s_openapi::api::core::v1::Secret;
use kube::Client;
use kube::client::Body;
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

fn deployer(host: &str) -> Deployer {
    Deployer {
        host: host.into(),
        cache: "/cache".into(),
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
fn assert_busy(failure: &Failure, code: &'static deploy_tool::code::Code, says: &str) {
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
    let one = stored(&revision(1, State::Deployed, "me@here"), "1", 0);
    let two = stored(&revision(2, State::Failed, "me@here"), "2", 0);
    let serve = async {
        let (method, url, _) = answer(&mut server, 200, &list(&[two], "more")).await;
        assert_eq!(method, "GET");
        assert!(url.starts_with(&format!("{SECRETS}?")), "{url}");
        assert!(url.contains("labelSelector=deploy-tool.dev%2Frelease%3Dshop"), "{url}");
        assert!(
            url.contains("fieldSelector=type%3Ddeploy-tool.dev%2Frevision") && url.contains("limit="),
            "{url}"
        );
        let (_, url, _) = answer(&mut server, 200, &list(&[one], "")).await;
        assert!(url.contains("continue=more"), "{url}");
    };
    let name = release();
    let (history, ()) = tokio::join!(revisions::history(&cluster, &name), serve);
    let history = history.unwrap();
    let numbers: Vec<u32> = history.revisions().map(|revision| revision.number).collect();
    assert_eq!(numbers, [1, 2]);
}

#[tokio::test]
async fn of_two_who_begin_at_once_one_is_refused() {
    let (cluster, mut server) = connected();
    let serve = async {
        let created = stored(&revision(1, State::Pending, "me@here"), "5", 0);
        let (method, url, sent) = answer(&mut server, 201, &created).await;
        assert_eq!((method.as_str(), url.split('?').next().unwrap()), ("POST", SECRETS));
        assert_eq!(sent["metadata"]["name"], "deploy-tool.shop.1");
        assert_eq!(sent["type"], "deploy-tool.dev/revision");
        assert_eq!(sent["metadata"]["labels"]["deploy-tool.dev/state"], "pending");
        answer(&mut server, 409, &refusal(409, "AlreadyExists")).await;
        let theirs = stored(&revision(1, State::Pending, "you@there"), "6", 0);
        let (method, url, _) = answer(&mut server, 200, &theirs).await;
        assert_eq!((method.as_str(), url), ("GET", format!("{SECRETS}/deploy-tool.shop.1")));
        answer(&mut server, 404, &refusal(404, "NotFound")).await;
    };
    let begin = async {
        let pending = || revision(1, State::Pending, "me@here");
        revisions::begin(&cluster, &release(), pending()).await.unwrap();
        let late = revisions::begin(&cluster, &release(), pending()).await;
        assert_busy(&late.err().unwrap(), &codes::TAKEN, "faster with revision 1");
        let nowhere = revisions::begin(&cluster, &release(), pending()).await.err().unwrap();
        assert_eq!(nowhere.number(), Some(&codes::NAMESPACE_MISSING), "{nowhere}");
    };
    tokio::join!(begin, serve);
}

/// The server has stored the first request, its answer was lost, and the second one is refused.
#[tokio::test]
async fn a_beginning_whose_answer_was_lost_is_a_beginning() {
    let (cluster, mut server) = connected();
    let ours = revision(3, State::Pending, "me@here");
    let serve = async {
        answer(&mut server, 409, &refusal(409, "AlreadyExists")).await;
        answer(&mut server, 200, &stored(&ours, "8", 0)).await;
        let (_, _, sent) = answer(&mut server, 200, &stored(&ours, "9", 0)).await;
        assert_eq!(sent["metadata"]["resourceVersion"], "8", "what was found is written on");
    };
    let deploy = async {
        let held = revisions::begin(&cluster, &release(), ours.clone()).await.unwrap();
        held.finish(State::Failed, "", BTreeSet::new(), BTreeSet::new()).await
    };
    let (ended, ()) = tokio::join!(deploy, serve);
    assert_eq!(ended.unwrap().state, State::Failed);
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
    let (forgotten, ()) = tokio::join!(revisions::forget(&cluster, &name, [&record]), serve);
    forgotten.unwrap();
}

#[tokio::test]
async fn who_is_alive_is_not_disturbed_and_who_is_gone_is_marked() {
    for (seconds, other, taken_over) in [
        (10, "other@there", false),
        (30, "other@there", true),
        (1, "me@here", true),
    ] {
        let (cluster, mut server) = connected();
        let pending = stored(&revision(4, State::Pending, other), "11", seconds);
        let serve = async {
            answer(&mut server, 200, &list(std::slice::from_ref(&pending), "")).await;
            if taken_over {
                let (method, url, sent) = answer(&mut server, 200, &pending).await;
                assert_eq!(method, "PATCH");
                assert!(url.starts_with(&format!("{SECRETS}/deploy-tool.shop.4?")), "{url}");
                assert_eq!(sent["metadata"]["resourceVersion"], "11", "whoever is faster wins");
                assert_eq!(sent["metadata"]["labels"]["deploy-tool.dev/state"], "failed");
                let written = sent_revision(&sent);
                assert_eq!(
                    (written.state, written.message.as_str()),
                    (State::Failed, "interrupted")
                );
            }
        };
        let turn = async {
            let history = revisions::history(&cluster, &release()).await.unwrap();
            revisions::take_turn(&cluster, &release(), &history, &deployer("me@here")).await
        };
        let (turn, ()) = tokio::join!(turn, serve);
        match turn {
            Ok(left) => assert_eq!((left.unwrap().number, taken_over), (4, true)),
            Err(failure) => {
                assert!(!taken_over);
                assert_busy(&failure, &codes::TAKEN, "other@there, process 7, makes revision 4");
            }
        }
    }
}

#[tokio::test]
async fn of_two_who_take_over_at_once_one_is_refused() {
    let (cluster, mut server) = connected();
    let pending = stored(&revision(4, State::Pending, "other@there"), "11", 60);
    let serve = async {
        answer(&mut server, 200, &list(&[pending], "")).await;
        answer(&mut server, 409, &refusal(409, "Conflict")).await;
    };
    let turn = async {
        let history = revisions::history(&cluster, &release()).await.unwrap();
        revisions::take_turn(&cluster, &release(), &history, &deployer("me@here")).await
    };
    let (turn, ()) = tokio::join!(turn, serve);
    assert_busy(&turn.unwrap_err(), &codes::TAKEN, "faster with revision 4");
}

#[tokio::test(start_paused = true)]
async fn who_deploys_says_so_every_five_seconds_until_somebody_else_has_the_release() {
    let (cluster, mut server) = connected();
    let ours = revision(2, State::Pending, "me@here");
    let theirs = Revision {
        state: State::Failed,
        ..ours.clone()
    };
    let serve = async {
        answer(&mut server, 201, &stored(&ours, "1", 0)).await;
        let start = tokio::time::Instant::now();
        let (method, _, sent) = answer(&mut server, 200, &stored(&ours, "2", 0)).await;
        assert_eq!((method.as_str(), start.elapsed().as_secs()), ("PATCH", 5));
        assert_eq!(sent["metadata"]["resourceVersion"], "1");
        assert!(sent["metadata"]["annotations"]["deploy-tool.dev/renewed"].is_string() && sent["data"].is_null());
        // An answer that was lost: the version has moved on, and the revision is still ours.
        let (_, _, sent) = answer(&mut server, 409, &refusal(409, "Conflict")).await;
        assert_eq!(sent["metadata"]["resourceVersion"], "2");
        answer(&mut server, 200, &stored(&ours, "3", 0)).await;
        let (_, _, sent) = answer(&mut server, 409, &refusal(409, "Conflict")).await;
        assert_eq!(sent["metadata"]["resourceVersion"], "3");
        answer(&mut server, 200, &stored(&theirs, "4", 0)).await;
    };
    let deploy = async {
        let held = revisions::begin(&cluster, &release(), ours.clone()).await.unwrap();
        held.during(std::future::pending::<Result<(), Failure>>()).await
    };
    let (lost, ()) = tokio::join!(deploy, serve);
    assert_busy(&lost.unwrap_err(), &codes::LOST, "marked revision 2 as failed");
}

#[tokio::test(start_paused = true)]
async fn who_cannot_say_so_stops_before_others_take_it_for_gone() {
    let (cluster, mut server) = connected();
    let ours = revision(2, State::Pending, "me@here");
    let start = tokio::time::Instant::now();
    let deploy = async {
        let held = revisions::begin(&cluster, &release(), ours.clone()).await.unwrap();
        held.during(std::future::pending::<Result<(), Failure>>()).await
    };
    let serve = async {
        answer(&mut server, 201, &stored(&ours, "1", 0)).await;
        loop {
            answer(&mut server, 403, &refusal(403, "Forbidden")).await;
        }
    };
    let lost = tokio::select! { lost = deploy => lost, () = serve => unreachable!() };
    assert_busy(&lost.unwrap_err(), &codes::LOST, "Forbidden");
    assert!((10..20).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
}

#[tokio::test]
async fn the_end_is_written_on_the_version_that_was_read() {
    let (cluster, mut server) = connected();
    let ours = revision(2, State::Pending, "me@here");
    let serve = async {
        answer(&mut server, 201, &stored(&ours, "1", 0)).await;
        answer(&mut server, 409, &refusal(409, "Conflict")).await;
        answer(&mut server, 200, &stored(&ours, "6", 0)).await;
        let (method, _, sent) = answer(&mut server, 200, &stored(&ours, "7", 0)).await;
        assert_eq!(
            (method.as_str(), &sent["metadata"]["resourceVersion"]),
            ("PATCH", &json!("6"))
        );
        assert_eq!(sent["metadata"]["labels"]["deploy-tool.dev/state"], "deployed");
        let written = sent_revision(&sent);
        assert!(written.state == State::Deployed && written.finished.is_some());
    };
    let deploy = async {
        let held = revisions::begin(&cluster, &release(), ours.clone()).await.unwrap();
        held.finish(State::Deployed, "", BTreeSet::new(), BTreeSet::new())
            .await
            .unwrap();
    };
    tokio::join!(deploy, serve);
}

/// The server has stored the end and its answer was lost: what it says next is no sign of somebody else.
#[tokio::test]
async fn an_end_whose_answer_was_lost_is_an_end() {
    let (cluster, mut server) = connected();
    let ours = revision(2, State::Pending, "me@here");
    let serve = async {
        answer(&mut server, 201, &stored(&ours, "1", 0)).await;
        let (_, _, sent) = answer(&mut server, 409, &refusal(409, "Conflict")).await;
        answer(&mut server, 200, &stored(&sent_revision(&sent), "2", 0)).await;
    };
    let deploy = async {
        let held = revisions::begin(&cluster, &release(), ours.clone()).await.unwrap();
        held.finish(State::Deployed, "", BTreeSet::new(), BTreeSet::new()).await
    };
    let (ended, ()) = tokio::join!(deploy, serve);
    assert_eq!(ended.unwrap().state, State::Deployed);
}

#[tokio::test]
async fn what_others_own_is_unknown_to_who_may_not_look() {
    let (cluster, mut server) = connected();
    let serve = async {
        let (_, url, _) = answer(&mut server, 403, &refusal(403, "Forbidden")).await;
        assert!(url.starts_with("/api/v1/secrets?"), "{url}");
    };
    let name = release();
    let (owned, ()) = tokio::join!(revisions::owned_by_others(&cluster, &name), serve);
    assert_eq!(owned.unwrap(), None);
}
