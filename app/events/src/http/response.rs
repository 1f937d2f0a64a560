//! From the outcome of a command to the response.

use std::fmt::Write;

use hyper::header::LINK;
use microservice::http::Response;
use serde_json::Value;

use crate::command::{Command, Outcome, Page};

/// The response to the outcome of a command.
pub fn response_to_outcome(command: &Command, outcome: &Outcome) -> Response {
    match outcome {
        Outcome::Stored { new } => Response::json(stored_as_json(command, *new)),
        Outcome::Page(page) => {
            let response = Response::json(page_as_json(page));
            match (command, page.next) {
                (Command::List { limit, .. }, Some(next)) => {
                    response.with_header_text(LINK, &format!("</events?limit={limit}&before={next}>; rel=\"next\""))
                }
                _ => response,
            }
        }
    }
}

/// The ids of the stored events, so that the sender can check them.
fn stored_as_json(command: &Command, new: usize) -> String {
    match command {
        Command::Store(events) => match events.as_slice() {
            [event] => {
                let id = Value::from(event.id.as_str());
                format!(r#"{{"status":true,"new":{},"id":{id}}}"#, new > 0)
            }
            events => {
                let ids: Vec<&str> = events.iter().map(|event| event.id.as_str()).collect();
                format!(r#"{{"status":true,"new":{new},"ids":{}}}"#, Value::from(ids))
            }
        },
        Command::List { .. } => String::new(),
    }
}

/// Not with serde, because events are JSON already, and must not change.
fn page_as_json(page: &Page) -> String {
    let bytes: usize = page.events.iter().map(|event| event.len() + 1).sum();
    let mut json = String::with_capacity(bytes + 256);
    json.push_str(r#"{"events":["#);
    for (index, event) in page.events.iter().enumerate() {
        if index > 0 {
            json.push(',');
        }
        json.push_str(event);
    }
    json.push_str(r#"],"counts":{"#);
    for (index, (kind, count)) in page.counts.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        // Writing to a String cannot fail.
        let _ = write!(json, "{comma}{}:{count}", Value::from(kind.as_str()));
    }
    let _ = write!(json, r#"}},"total":{}}}"#, page.total);
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_json() {
        let page = Page {
            events: vec![r#"{"id":"2" }"#.into(), r#"{"id":"1"}"#.into()],
            next: None,
            counts: vec![(r#"a"b\"#.into(), 2), ("c".into(), 1)],
            total: 3,
        };
        assert_eq!(
            page_as_json(&page),
            r#"{"events":[{"id":"2" },{"id":"1"}],"counts":{"a\"b\\":2,"c":1},"total":3}"#
        );
        assert_eq!(page_as_json(&Page::default()), r#"{"events":[],"counts":{},"total":0}"#);
    }
}
