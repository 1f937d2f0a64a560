//! `logs --follow` and `open` against an API server that breaks off and refuses on purpose.

#![allow(clippy::unwrap_used, clippy::panic)]

mod server;

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use server::{Answer, Server};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// Nothing here takes long, but the machine may be busy.
const LIMIT: Duration = Duration::from_secs(60);

fn pod(name: &str, version: &str, second: u32) -> Value {
    let running = json!({"name": "main", "image": "i", "imageID": "", "ready": true, "restartCount": 0,
        "containerID": format!("containerd://{name}"), "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}});
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "n", "resourceVersion": version, "labels": {"app": "a"},
            "creationTimestamp": format!("2026-01-01T00:00:{second:02}Z")},
        "spec": {"containers": [{"name": "main", "image": "i", "ports": [{"name": "http", "containerPort": 80}]}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}], "containerStatuses": [running]}})
}

fn list(kind: &str, version: &str, items: &[Value]) -> Answer {
    Answer::Document(
        json!({"apiVersion": "v1", "kind": kind, "metadata": {"resourceVersion": version}, "items": items}),
    )
}

fn event(kind: &str, object: &Value) -> String {
    format!("{}\n", json!({"type": kind, "object": object}))
}

fn expired() -> String {
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": 410,
        "reason": "Expired", "message": "too old resource version"});
    event("ERROR", &status)
}

/// The next line that contains a text, and all before it.
async fn until(lines: &mut Lines<impl AsyncBufRead + Unpin>, text: &str) -> Vec<String> {
    let mut seen = Vec::new();
    let found = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            seen.push(line);
            if seen.last().is_some_and(|line| line.contains(text)) {
                return true;
            }
        }
        false
    };
    let found = tokio::time::timeout(LIMIT, found).await;
    assert_eq!(found, Ok(true), "no `{text}` in {seen:?}");
    seen
}

fn lines<R: AsyncRead + Unpin>(stream: Option<R>) -> Lines<BufReader<R>> {
    BufReader::new(stream.unwrap()).lines()
}

fn stamped(second: u32, text: &str) -> String {
    format!("2026-01-01T00:00:{second:02}Z {text}\n")
}

/// A log whose connection is cut goes on where it stopped, without a line twice; the watch survives its version being too
/// old; a pod that is gone between the list and its log is told, and the others go on.
#[tokio::test]
async fn logs_go_on_after_a_cut_and_without_a_pod_that_is_gone() {
    let server = Server::start(|target, number| match target.split('?').next().unwrap() {
        "/api/v1/namespaces/n/pods" if target.contains("watch=true") => match number {
            0 => Answer::Cut(expired()),
            _ => Answer::Hangs(String::new()),
        },
        "/api/v1/namespaces/n/pods" if number == 0 => list("PodList", "5", &[pod("a", "4", 0)]),
        "/api/v1/namespaces/n/pods" => list("PodList", "9", &[pod("a", "4", 0), pod("gone", "8", 0)]),
        "/api/v1/namespaces/n/pods/a/log" => match number {
            0 => Answer::Cut(stamped(1, "one") + &stamped(2, "two")),
            1 => Answer::Hangs(stamped(2, "two") + &stamped(3, "three")),
            _ => panic!("its log is opened though it is open: {target}"),
        },
        "/api/v1/namespaces/n/pods/gone/log" => Answer::Refusal(404, "NotFound"),
        _ => Answer::Document(json!({})),
    })
    .await;
    let mut command = server.tool(&["logs", "--follow"]);
    let mut logs = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut written, mut told) = (lines(logs.stdout.take()), lines(logs.stderr.take()));
    let seen = until(&mut written, "three").await;
    let seen: Vec<&str> = seen.iter().map(|line| line.rsplit(' ').next().unwrap()).collect();
    assert_eq!(seen, ["one", "two", "three"]);
    until(&mut told, "pod `gone`: the mock says NotFound").await;
    logs.kill().await.unwrap();
    let requests = server.requests.lock().unwrap();
    let again: Vec<&String> = requests
        .iter()
        .filter(|target| target.contains("/pods/a/log"))
        .collect();
    assert!(!again[0].contains("sinceTime"), "{again:?}");
    assert!(again[1].contains("sinceTime=2026-01-01T00%3A00%3A02"), "{again:?}");
}

/// Connections go to the youngest pod that is ready: past one that is gone though the list had it, and on to another one when the
/// watch, whose version is too old meanwhile, says so.
#[tokio::test]
async fn open_leads_past_a_pod_that_is_gone_and_follows_the_ready_one() {
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "n"},
        "spec": {"selector": {"app": "a"}, "ports": [{"name": "http", "port": 80, "targetPort": 80}]}});
    let too_old = Arc::new(Notify::new());
    let now = too_old.clone();
    let server = Server::start(move |target, number| match target.split('?').next().unwrap() {
        "/api/v1/namespaces/n/services" => list("ServiceList", "1", std::slice::from_ref(&service)),
        "/api/v1/namespaces/n/pods" if target.contains("watch=true") => match number {
            0 => Answer::Later(now.clone(), Box::new(Answer::Cut(expired()))),
            1 => Answer::Hangs(
                event("ADDED", &pod("third", "12", 1))
                    + &event("DELETED", &pod("first", "13", 3))
                    + &event("DELETED", &pod("second", "14", 2)),
            ),
            _ => Answer::Hangs(String::new()),
        },
        "/api/v1/namespaces/n/pods" => list("PodList", "9", &[pod("first", "4", 3), pod("second", "5", 2)]),
        "/api/v1/namespaces/n/pods/first/portforward" => Answer::Refusal(404, "NotFound"),
        "/api/v1/namespaces/n/pods/second/portforward" => Answer::Echo("second"),
        "/api/v1/namespaces/n/pods/third/portforward" => Answer::Echo("third"),
        _ => Answer::Document(json!({})),
    })
    .await;
    let mut command = server.tool(&["open", "web"]);
    let mut open = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut written, mut told) = (lines(open.stdout.take()), lines(open.stderr.take()));
    let url = until(&mut written, "http://localhost:").await.pop().unwrap();
    let port: u16 = url.rsplit(':').next().unwrap().trim_end_matches('/').parse().unwrap();
    let output = async |text: &str| {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = [0; 64];
        let length = tokio::time::timeout(LIMIT, stream.read(&mut answer))
            .await
            .unwrap()
            .unwrap();
        String::from_utf8_lossy(&answer[..length]).into_owned()
    };
    assert_eq!(output("hello").await, "second: hello");
    until(&mut told, "pod `first` takes no connection: the mock says NotFound").await;
    too_old.notify_one();
    until(&mut told, "now to pod `third`").await;
    assert_eq!(output("again").await, "third: again");
    open.kill().await.unwrap();
}
