//! Waiting against a mock API server: what a watch has to survive, and a real cluster cannot be made to do on purpose.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::VecDeque;
use std::time::Duration;

use cluster::Cluster;
use deploy_tool::commands::wait::{Options, await_targets};
use diagnostics::ExitStatus;
use kube::{Client, Config};
use rollout::Target;
use serde_json::{Value, json};
use terminal::Progress;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Nothing here takes long, but the machine may be busy.
const LIMIT: Duration = Duration::from_secs(60);

/// What the server answers to one list or watch.
enum Answer {
    /// An error of the whole request.
    Error(u16),
    /// The connection is cut without a word.
    Nothing,
    /// A list with the Thing.
    List(Value),
    /// The lines of a watch, whose connection then closes.
    Lines(Vec<Value>),
    /// The lines of a watch, whose connection then says nothing for ever.
    Hangs(Vec<Value>),
}

fn thing(version: &str, ready: bool) -> Value {
    json!({"apiVersion": "example.org/v1", "kind": "Thing",
        "metadata": {"name": "a", "namespace": "n", "generation": 1, "resourceVersion": version},
        "status": {"observedGeneration": 1, "conditions": [
            {"type": "Ready", "status": if ready { "True" } else { "False" }, "reason": "Because", "message": "of this"}]}})
}

fn expired() -> Value {
    json!({"type": "ERROR", "object": {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "too old resource version", "reason": "Expired", "code": 410}})
}

fn modified(version: &str, ready: bool) -> Value {
    json!({"type": "MODIFIED", "object": thing(version, ready)})
}

/// A server that gives these answers in turn, one a request, and tells which requests it got.
async fn server(answers: Vec<Answer>) -> (Cluster, UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (seen, requests) = unbounded_channel();
    tokio::spawn(async move {
        let mut answers = VecDeque::from(answers);
        // Held open: they hang.
        let mut hanging = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = BufReader::new(stream);
            let Some(path) = path(&mut stream).await else { continue };
            let found = match path.as_str() {
                "/apis/example.org/v1" => {
                    Answer::List(json!({"kind": "APIResourceList", "groupVersion": "example.org/v1",
                    "resources": [{"name": "things", "singularName": "thing", "namespaced": true, "kind": "Thing",
                        "verbs": ["watch"]}]}))
                }
                _ => told(&seen, path, answers.pop_front()),
            };
            hanging.extend(answer(stream.into_inner(), found).await);
        }
    });
    let client = Client::try_from(Config::new(address.parse().unwrap())).unwrap();
    (Cluster::with_client(client, "mock"), requests)
}

fn told(seen: &UnboundedSender<String>, path: String, answer: Option<Answer>) -> Answer {
    // The test has ended when nobody listens.
    let _ = seen.send(path);
    // What is not foreseen is a watch without news.
    answer.unwrap_or(Answer::Hangs(Vec::new()))
}

/// The path of a request, once its head has been read.
async fn path(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut first = String::new();
    stream.read_line(&mut first).await.ok()?;
    let mut line = String::new();
    while stream.read_line(&mut line).await.ok()? > 2 {
        line.clear();
    }
    Some(first.split(' ').nth(1)?.to_owned())
}

/// Answers one request. Gives the connection back if it is to hang.
async fn answer(mut stream: TcpStream, answer: Answer) -> Option<TcpStream> {
    let (status, body, hangs) = match answer {
        Answer::Nothing => return None,
        Answer::Error(status) => {
            let status_object = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                "message": "not now", "reason": "InternalError", "code": status});
            (status, status_object.to_string(), false)
        }
        Answer::List(object) => (200, object.to_string(), false),
        Answer::Lines(lines) => (200, text(&lines), false),
        Answer::Hangs(lines) => (200, text(&lines), true),
    };
    // Without a length, the body lasts until the connection closes.
    let head = format!("HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n");
    stream.write_all((head + &body).as_bytes()).await.ok()?;
    hangs.then_some(stream)
}

fn text(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn list(version: &str, ready: bool) -> Answer {
    Answer::List(
        json!({"apiVersion": "example.org/v1", "kind": "ThingList", "metadata": {"resourceVersion": version},
        "items": [thing(version, ready)]}),
    )
}

/// Waits for the Thing. Gives the sentence and the requests.
async fn wait(answers: Vec<Answer>) -> (String, Vec<String>) {
    let (cluster, mut requests) = server(answers).await;
    let target = Target::from_object(&thing("1", false)).unwrap();
    let waited = await_targets(
        &cluster,
        &Progress::default(),
        &[target],
        cluster.now(),
        Options::with_limit(LIMIT),
    )
    .await;
    let mut seen = Vec::new();
    while let Ok(request) = requests.try_recv() {
        seen.push(request);
    }
    (waited.unwrap(), seen)
}

fn is_watch(request: &str) -> bool {
    request.contains("watch=true") || request.contains("watch=1")
}

#[tokio::test]
async fn one_object_is_watched_by_its_name_and_the_server_ends_each_watch() {
    let (sentence, requests) = wait(vec![
        list("5", false),
        Answer::Hangs(vec![modified("6", true)]),
        list("7", true),
    ])
    .await;
    assert_eq!(sentence, "Thing `a`: ready");
    // Before anything is called ready, it is read once more.
    let [listed, watched, read_again, ..] = requests.as_slice() else {
        panic!("{requests:?}")
    };
    assert!(!is_watch(read_again), "{read_again}");
    for request in &requests {
        assert!(
            request.starts_with("/apis/example.org/v1/namespaces/n/things?")
                && request.contains("fieldSelector=metadata.name%3Da"),
            "{request}"
        );
    }
    assert!(!is_watch(listed) && listed.contains("limit=500"), "{listed}");
    assert!(
        is_watch(watched) && watched.contains("resourceVersion=5") && watched.contains("timeoutSeconds=30"),
        "{watched}"
    );
}

#[tokio::test]
async fn what_has_become_too_old_is_listed_again() {
    let (sentence, requests) = wait(vec![
        list("5", false),
        Answer::Lines(vec![modified("6", false), expired()]),
        list("900", true),
        // Read once more; a watch that was about to begin may have asked before.
        list("900", true),
        list("900", true),
    ])
    .await;
    assert_eq!(sentence, "Thing `a`: ready");
    assert_eq!(
        requests.iter().map(|request| is_watch(request)).collect::<Vec<_>>()[..3],
        [false, true, false]
    );
}

#[tokio::test]
async fn a_watch_that_ends_goes_on_where_it_stopped() {
    let (sentence, requests) = wait(vec![
        list("5", false),
        Answer::Lines(vec![modified("7", false)]),
        Answer::Hangs(vec![modified("8", true)]),
        list("9", true),
    ])
    .await;
    assert_eq!(sentence, "Thing `a`: ready");
    assert!(
        is_watch(&requests[2]) && requests[2].contains("resourceVersion=7"),
        "{requests:?}"
    );
}

#[tokio::test]
async fn a_server_that_restarts_or_is_busy_is_asked_again() {
    let (sentence, requests) = wait(vec![
        Answer::Error(500),
        Answer::Nothing,
        Answer::Error(429),
        list("5", false),
        Answer::Error(500),
        Answer::Nothing,
        Answer::Error(503),
        Answer::Lines(Vec::new()),
        Answer::Hangs(vec![modified("6", true)]),
        list("7", true),
    ])
    .await;
    assert_eq!(sentence, "Thing `a`: ready");
    assert!(requests.len() >= 9, "{requests:?}");
}

#[tokio::test]
async fn a_connection_that_hangs_is_given_up() {
    let (cluster, mut requests) = server(vec![
        list("5", false),
        Answer::Hangs(Vec::new()),
        Answer::Hangs(vec![modified("6", true)]),
        list("7", true),
    ])
    .await;
    let target = [Target::from_object(&thing("1", false)).unwrap()];
    let progress = Progress::default();
    let options = Options::with_limit(Duration::from_secs(600));
    let waited = await_targets(&cluster, &progress, &target, cluster.now(), options);
    let half_a_minute_passes = async {
        for _ in 0..2 {
            requests.recv().await.unwrap();
        }
        // The server has the watch's request, the tool shortly afterwards its silent answer.
        tokio::time::sleep(Duration::from_millis(500)).await;
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(36)).await;
        tokio::time::resume();
    };
    let (waited, ()) = tokio::join!(waited, half_a_minute_passes);
    assert_eq!(waited.unwrap(), "Thing `a`: ready");
}

#[tokio::test]
async fn a_server_that_never_answers_well_is_named_when_the_time_is_over() {
    let (cluster, _requests) = server((0..100).map(|_| Answer::Error(500)).collect()).await;
    let target = [Target::from_object(&thing("1", false)).unwrap()];
    let options = Options::with_limit(Duration::from_secs(2));
    let failure = await_targets(&cluster, &Progress::default(), &target, cluster.now(), options)
        .await
        .unwrap_err();
    assert_eq!(failure.status, ExitStatus::Undecided);
    let failure = failure.to_string();
    assert!(
        failure.contains("not ready within 2 s") && failure.contains("not now"),
        "{failure}"
    );
}
