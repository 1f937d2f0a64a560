//! The native build, asked over HTTP: without a database, and with a real MariaDB in a container where there is Docker.

mod support;

use std::thread;
use std::time::Duration;

use support::{docker, eventually, MariaDb, Service};

#[test]
fn without_a_database_it_lives_and_says_so() {
    let service = Service::start(1);
    for (method, path, body, expected) in [
        ("GET", "/", "", 200),
        ("GET", "/healthz", "", 200),
        ("GET", "/readyz", "", 503),
        ("GET", "/metrics", "", 200),
        ("GET", "/notes", "", 503),
        ("POST", "/notes", r#"{"text": "Buy milk"}"#, 503),
        ("POST", "/notes", "no JSON", 400),
        ("POST", "/notes", r#"{"text": ""}"#, 400),
        ("POST", "/notes", &"x".repeat(70_000), 413),
        ("DELETE", "/notes", "", 405),
        ("GET", "/elsewhere", "", 404),
    ] {
        let (status, head, _) = service.ask(method, path, body);
        assert_eq!(status, expected, "{method} {path}");
        assert_eq!(head.contains("\r\nretry-after: 1"), status == 503, "{head}");
    }
}

#[test]
fn a_connection_in_constant_use_is_closed_before_its_pod_ends() {
    let service = Service::start(1);
    assert!(service.connection_age() > Duration::from_secs(1));
    assert_eq!(service.status("GET", "/", ""), 200);
}

#[test]
fn notes_are_kept_whatever_happens() {
    let Some(database) = MariaDb::start() else {
        return;
    };
    // Two that start together take turns: each migration is applied once.
    let services = [Service::start(database.port), Service::start(database.port)];
    services.iter().for_each(|service| service.await_ready(200));
    let applied = database.query("SELECT GROUP_CONCAT(version ORDER BY version) FROM notes_schema");
    assert_eq!(applied.unwrap(), "1");

    let service = &services[0];
    let text = r#"{"text":"Käse, 牛乳 and 🥛'; --"}"#;
    let (status, _, note) = service.ask("POST", "/notes", text);
    assert_eq!((status, note.ends_with(&text[1..])), (201, true), "{note}");
    let notes = (200, format!("[{note}]"));
    let list = |service: &Service| {
        let (status, _, body) = service.ask("GET", "/notes", "");
        (status, body)
    };
    assert_eq!(list(&services[1]), notes);

    // Requests that wait for a lock of somebody else have an answer in time, and no probe queues behind them.
    thread::scope(|scope| {
        scope.spawn(|| database.query("LOCK TABLES notes WRITE; DO SLEEP(8)"));
        eventually("the table is locked", || {
            let seen = database.query("SHOW OPEN TABLES WHERE In_use > 0");
            seen.unwrap().contains("notes")
        });
        let waiting: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| service.status("POST", "/notes", text)))
            .collect();
        assert_eq!(service.status("GET", "/readyz", ""), 200);
        assert!(waiting.iter().all(|answer| !answer.is_finished()));
        for answer in waiting {
            // 504: sent and not answered in time; 503: never sent.
            assert!([503, 504].contains(&answer.join().unwrap()));
        }
    });
    assert_eq!(list(service), notes);

    // The database goes and comes back, and nobody starts the service again.
    docker(&["stop", &database.container]).unwrap();
    service.await_ready(503);
    assert_eq!(service.status("GET", "/healthz", ""), 200);
    assert_eq!(service.status("POST", "/notes", text), 503);
    docker(&["start", &database.container]).unwrap();
    service.await_ready(200);
    assert_eq!(list(service), notes);

    // So do its tables.
    for tables in ["notes, notes_schema", "notes"] {
        database.query(&format!("DROP TABLE {tables}")).unwrap();
        let (status, _, said) = service.ask("GET", "/readyz", "");
        assert_eq!(status, 503, "{tables}: {said}");
        service.await_ready(200);
        assert_eq!(list(service), (200, "[]".to_owned()), "{tables}");
    }
}
