//! Changes of orders as CloudEvents:
//! <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md>.

use std::fmt::Write;

use microservice::trace::Trace;
use serde_json::Value;

/// The media type of one event.
pub const MEDIA_TYPE: &str = "application/cloudevents+json";

/// The media type of a batch of events.
pub const BATCH_MEDIA_TYPE: &str = "application/cloudevents-batch+json";

/// The kind of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is new.
    Created,
    /// It was replaced.
    Updated,
    /// It was removed.
    Deleted,
}

impl Kind {
    /// The name in the outbox. The type of the event is `order.` and this name.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Created => "created",
            Kind::Updated => "updated",
            Kind::Deleted => "deleted",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Kind> {
        [Kind::Created, Kind::Updated, Kind::Deleted]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// One change of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Ascending within the changes of one order.
    pub sequence: i64,
    /// A UUID, by which a receiver deduplicates events.
    pub id: String,
    /// The kind of the change.
    pub kind: Kind,
    /// The time of the change: RFC 3339, UTC.
    pub time: String,
    /// The order's id.
    pub order_id: i32,
    /// The order after the change, or before its deletion, as JSON.
    pub order: String,
    /// The number of failed attempts.
    pub attempts: u32,
    /// The trace context of the request that made the change, if it had one.
    pub trace: Trace,
}

impl Event {
    /// The event in the JSON format.
    pub fn to_json(&self) -> String {
        let mut json = String::new();
        // Writing to a String cannot fail. Ids and times are plain ASCII without quotes.
        let _ = write!(
            json,
            r#"{{"specversion":"1.0","id":"{}","source":"/orders","type":"order.{}","subject":"{}","time":"{}","datacontenttype":"application/json""#,
            self.id,
            self.kind.name(),
            self.order_id,
            self.time,
        );
        for (name, value) in self.trace.attributes() {
            // A `tracestate` may contain quotes.
            let _ = write!(json, r#","{name}":{}"#, Value::from(value));
        }
        let _ = write!(json, r#","data":{}}}"#, self.order);
        json
    }
}

/// Events in the JSON batch format.
pub fn batch_as_json(events: &[Event]) -> String {
    let events: Vec<String> = events.iter().map(Event::to_json).collect();
    format!("[{}]", events.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(trace: &str) -> Event {
        Event {
            sequence: 1,
            id: "0194e2a4-0000-0000-0000-000000000000".to_owned(),
            kind: Kind::Deleted,
            time: "2026-11-22T16:50:00.123456Z".to_owned(),
            order_id: 7,
            order: r#"{"order_id":7,"amount":56.5}"#.to_owned(),
            attempts: 0,
            trace: Trace::from_text(trace),
        }
    }

    #[test]
    fn is_a_cloud_event() {
        let event = event("");
        let json: Value = serde_json::from_str(&event.to_json()).unwrap();
        let attributes = json.as_object().unwrap();
        assert!(!attributes.contains_key("traceparent") && !attributes.contains_key("tracestate"));
        assert_eq!(json["type"], "order.deleted");
        assert_eq!(json["subject"], "7");
        assert_eq!(json["id"], event.id);
        assert_eq!(json["data"]["amount"], 56.5);
    }

    #[test]
    fn carries_the_trace_of_the_request() {
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let state = r#"a="\,b={}'"#;
        let events = [event(parent), event(&format!("{parent} {state}"))];
        let json: Value = serde_json::from_str(&batch_as_json(&events)).unwrap();
        assert_eq!(json[0]["traceparent"], parent);
        assert_eq!(json[0].get("tracestate"), None);
        assert_eq!(json[1]["traceparent"], parent);
        assert_eq!(json[1]["tracestate"], state);
        assert_eq!(json[1]["data"]["order_id"], 7);
    }

    #[test]
    fn kinds_have_names() {
        for kind in [Kind::Created, Kind::Updated, Kind::Deleted] {
            assert_eq!(Kind::from_name(kind.name()), Some(kind));
        }
        assert_eq!(Kind::from_name("lost"), None);
    }
}
