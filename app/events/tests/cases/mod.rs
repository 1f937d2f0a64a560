//! The API contract as a table of cases.

use service_tests::case::{case, get, post, step, Case, Needs, Step, DONE, ORIGIN};

use crate::support::event;

const NEW: &str = r#"{"status":true,"new":true,"id":""#;
const REPEATED: &str = r#"{"status":true,"new":false,"id":""#;

/// All cases.
pub fn all() -> Vec<Case> {
    [events(), rules(), protocol()].concat()
}

fn send(event: &str, status: u16) -> Step {
    post("/events", event, status).with("content-type", "application/cloudevents+json")
}

fn events() -> Vec<Case> {
    vec![
        case(
            "an event is stored once and listed as it was received",
            Needs::Nothing,
            [
                send(&event("$1", "order.created"), 200).contains(NEW),
                send(&event("$1", "order.created"), 200).contains(REPEATED),
                // The first one counts.
                send(&event("$1", "order.updated"), 200).contains(REPEATED),
                send(&event("$2", "order.deleted"), 200).contains(NEW),
                get("/events", 200)
                    .header("content-type", "application/json")
                    .contains(&format!("{},{}", event("$2", "order.deleted"), event("$1", "order.created"))),
                get("/events?limit=1", 200)
                    .contains(r#"{"events":[{"specversion":"1.0","id":"$2","#)
                    .contains(r#"}],"counts":{"#)
                    .contains(r#""total":"#),
                step("HEAD", "/events", "", 200).body(""),
            ],
        ),
        case(
            "an id belongs to its source, to the last byte",
            Needs::Nothing,
            ["/a/$1", "/A/$1", "/a/$1/", "/b?$1"].map(|source| {
                let event = format!(r#"{{"specversion":"1.0","id":"1","source":"{source}","type":"test"}}"#);
                send(&event, 200).contains(NEW)
            }),
        ),
        case(
            "ids differ in case, accents and spaces at the end",
            Needs::Nothing,
            ["a$1", "A$1", "ä$1", "a$1 ", " a$1", "a$1\u{200b}"]
                .map(|id| send(&event(id, "test"), 200).contains(NEW)),
        ),
        case(
            "whatever its sender put into it is kept",
            Needs::Nothing,
            [
                concat!(
                    r#" { "specversion" : "1.0" , "id":"$1","source":"/kept","type":"test","#,
                    r#""data":{"big":123456789012345678901234567890,"exact":1.10,"a":1,"a":2,"text":"\u00e9\ud83d\ude00"},"#,
                    r#""traceparent":"00-4bf9-01","sampledrate":7,"retried":false,"subject":null,"#,
                    r#""dataschema":"https://shop.example/order#1"}"#
                ),
                r#"{"specversion":"1.0","id":"$2","source":"../a%20b","type":"test","data":"text"}"#,
                r#"{"specversion":"1.0","id":"$3","source":"urn:a","type":"test","data":null,"data_base64":"AAE="}"#,
                r#"{"specversion":"1.0","id":"$4","source":"/kept","type":"日本.\"quoted\\","data":false}"#,
            ]
            .into_iter()
            .flat_map(|event| {
                [
                    send(event, 200).contains(NEW),
                    get("/events?limit=1", 200).contains(&format!(r#"{{"events":[{}],"#, event.trim())),
                ]
            }),
        ),
        case(
            "lists come in pages",
            Needs::Nothing,
            [
                send(&event("$1", "paged"), 200),
                send(&event("$2", "paged"), 200),
                get("/events?limit=1", 200).contains("\"id\":\"$2\""),
                get("/events?limit=0", 400).error("invalid_query", &[]),
                get("/events?limit=1001", 400).error("invalid_query", &[]),
                get("/events?limit=x", 400).error("invalid_query", &[]),
                get("/events?before=x", 400).error("invalid_query", &[]),
                get("/events?before=-1", 400).error("invalid_query", &[]),
                get("/events?before=0", 200)
                    .contains(r#"{"events":[],"counts":{"#)
                    .no_header("link"),
                get("/events?before=18446744073709551615", 200).contains("\"id\":\"$2\""),
            ],
        ),
    ]
}

fn rules() -> Vec<Case> {
    let with = |more: &str| format!(r#"{{"specversion":"1.0","id":"$9","source":"/a","type":"b",{more}}}"#);
    let wrong = |event: &str, fields: &[&'static str]| send(event, 422).error("invalid_event", fields);
    let long = "x".repeat(256);
    vec![
        case(
            "every wrong field is told at once",
            Needs::Nothing,
            [
                wrong("{}", &["specversion", "id", "source", "type"]),
                wrong(
                    r#"{"specversion":null,"id":null,"source":null,"type":null}"#,
                    &["specversion", "id", "source", "type"],
                ),
                wrong(
                    r#"{"specversion":"0.3","id":"","source":"","type":""}"#,
                    &["specversion", "id", "source", "type"],
                ),
                wrong(
                    r#"{"specversion":1.0,"id":1,"source":{},"type":[]}"#,
                    &["specversion", "id", "source", "type"],
                ),
                wrong(
                    &format!(r#"{{"specversion":"1.0","id":"{long}","source":"/{long}","type":"{long}"}}"#),
                    &["id", "source", "type"],
                ),
                wrong(
                    &with(r#""time":"yesterday","subject":"","datacontenttype":1,"dataschema":"a b""#),
                    &["time", "subject", "datacontenttype", "dataschema"],
                ),
                wrong(
                    r#"{"specversion":"1.0","id":"a\u0000","source":"/a b","type":"b\u0085"}"#,
                    &["id", "source", "type"],
                ),
                wrong(
                    r#"{"specversion":"1.0","id":"\ud800","source":"/a","type":"b"}"#,
                    &["id"],
                ),
                wrong(&with(r#""data":1,"data_base64":"AAAA""#), &["data_base64"]),
                wrong(&with(r#""data_base64":"?""#), &["data_base64"]),
                wrong(
                    &with(r#""Upper":"x","with-dash":"x","":"x","real":1.5,"large":2147483648,"object":{},"list":[]"#),
                    &["Upper", "with-dash", "", "real", "large", "object", "list"],
                ),
                wrong(&with(r#""id":"$9","data":1,"data":2"#), &["id", "data"]),
            ],
        ),
        case(
            "bodies that are no event",
            Needs::Nothing,
            [
                wrong("[]", &["body"]),
                wrong("1", &["body"]),
                wrong("\"event\"", &["body"]),
                wrong(&format!("{{{}}}", vec!["\"a\":1"; 101].join(",")), &["body"]),
                send("", 400).error("invalid_json", &[]),
                send("{\"id\":", 400).error("invalid_json", &[]),
                send("{} {}", 400).error("invalid_json", &[]),
                send("id=1", 400).error("invalid_json", &[]),
            ],
        ),
        case(
            "bodies say that they are JSON, or nothing",
            Needs::Nothing,
            [
                post("/events", &event("$1", "typed"), 200)
                    .with("content-type", "application/json")
                    .contains(NEW),
                post("/events", &event("$2", "typed"), 200)
                    .with("content-type", "application/cloudevents+json; charset=utf-8")
                    .contains(NEW),
                post("/events", &event("$3", "typed"), 200).contains(NEW),
                post("/events", &event("$4", "typed"), 415)
                    .with("content-type", "text/xml")
                    .error("unsupported_media_type", &[]),
            ],
        ),
        case(
            "bodies are limited",
            Needs::Server,
            [
                send(&" ".repeat(64 * 1024), 400).error("invalid_json", &[]),
                send(&" ".repeat(64 * 1024 + 1), 413).error("too_large", &[]),
            ],
        ),
    ]
}

fn protocol() -> Vec<Case> {
    vec![
        case(
            "the routes are listed",
            Needs::Nothing,
            [get("/", 200)
                .contains("/events GET, HEAD, POST, OPTIONS")
                .header("content-type", "text/plain; charset=utf-8")],
        ),
        case(
            "other paths and methods",
            Needs::Nothing,
            [
                get("/nope", 404).error("not_found", &[]),
                get("/events/1", 404).error("not_found", &[]),
                step("DELETE", "/events", "", 405).header("allow", "GET, HEAD, POST, OPTIONS"),
                post("/", "", 405).error("method_not_allowed", &[]),
                get("/readyz", 200).body(DONE),
            ],
        ),
        case(
            "pages of other sites store nothing",
            Needs::Nothing,
            [
                send(&event("$1", "foreign"), 403)
                    .with("sec-fetch-site", "cross-site")
                    .error("cross_site", &[]),
                send(&event("$1", "foreign"), 200).contains(NEW),
            ],
        ),
        case(
            "pages of listed sites are let in",
            Needs::Origin,
            [
                send(&event("$1", "foreign"), 200)
                    .with("sec-fetch-site", "cross-site")
                    .with("origin", ORIGIN)
                    .contains(NEW)
                    .header("access-control-allow-origin", ORIGIN),
                step("OPTIONS", "/events", "", 204)
                    .with("origin", ORIGIN)
                    .header("access-control-allow-methods", "GET, HEAD, POST, OPTIONS"),
            ],
        ),
        case(
            "health and metrics say what runs",
            Needs::Server,
            [
                get("/healthz", 200)
                    .contains(r#"{"status":true,"version":""#)
                    .contains(r#","mode":""#),
                get("/metrics", 200)
                    .contains("# TYPE events_request_duration_seconds histogram")
                    .contains("events_database_connections{state=\"idle\"}")
                    .contains("events_received_total{outcome=\"repeated\"}")
                    .contains("events_build_info{version="),
            ],
        ),
    ]
}
