//! Helpers of the tests of this service. Those of all services are in `service-tests`.

#![allow(dead_code)] // Each test binary uses a part of it.

pub mod memory;

use service_tests::http::Request;
use service_tests::native_process::NativeProcess;
use service_tests::Service;

/// The service under test; `EVENTS_URL` may name a running one.
pub const EVENTS: Service = Service {
    program: env!("CARGO_BIN_EXE_events"),
    url_variable: "EVENTS_URL",
};

/// Starts a native build on this database.
pub fn start_native(database_url: &str) -> NativeProcess {
    NativeProcess::start(&EVENTS, &[("DATABASE_URL", database_url)])
}

/// An event in JSON, as it is sent and returned.
pub fn event(id: &str, kind: &str) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"/orders","type":"{kind}","subject":"7","time":"2026-11-22T16:50:00.123456Z","datacontenttype":"application/json","data":{{"order_id":7,"amount":56.50}}}}"#
    )
}

/// Sends an event.
pub fn post(event: &str) -> Request {
    Request::new("POST", "/events")
        .header("content-type", "application/cloudevents+json")
        .with_body(event)
}
