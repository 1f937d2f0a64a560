//! A fake receiver of events. The tests in a cluster use the real one.

use std::collections::{HashMap, VecDeque};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use microservice::signature::Secret;
use serde_json::Value;

use super::failures::Failures;

/// What the receiver does with the next event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behavior {
    /// Responds with this status.
    Respond(u16),
    /// Accepts the event and closes the connection without a response.
    Close,
    /// Accepts the event and never responds.
    Hang,
    /// Accepts the event and responds a second later.
    Slow,
    /// Responds with these bytes and closes the connection.
    SendRaw(&'static str),
}

/// A running receiver; it stops with the process. A request that no receiver can take fails the test.
pub struct Receiver {
    /// For `EVENTS_URL`.
    pub url: String,
    state: Arc<Mutex<State>>,
    failures: Failures,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.failures.assert_none();
    }
}

/// A request with events.
#[derive(Clone, Debug)]
pub struct ReceivedRequest {
    /// Its events.
    pub events: Vec<Value>,
    /// The header `traceparent`.
    pub traceparent: Option<String>,
    /// The header `tracestate`.
    pub tracestate: Option<String>,
}

#[derive(Default)]
struct State {
    events: Vec<Value>,
    requests: Vec<ReceivedRequest>,
    behaviors: VecDeque<Behavior>,
    lasting: Option<Behavior>,
    /// The behavior for events of these orders, instead of the planned one.
    by_order: HashMap<i64, Behavior>,
    secret: Option<Secret>,
}

impl Receiver {
    /// Starts a receiver that accepts everything.
    pub fn start() -> Receiver {
        Receiver::start_on(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    /// Starts a receiver on this port.
    pub fn start_on(listener: TcpListener) -> Receiver {
        let url = format!("http://{}/events", listener.local_addr().unwrap());
        let receiver = Receiver {
            url,
            state: Arc::default(),
            failures: Failures::default(),
        };
        let (state, failures) = (Arc::clone(&receiver.state), receiver.failures.clone());
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (state, failures) = (Arc::clone(&state), failures.clone());
                thread::spawn(move || failures.watch(|| serve(stream, &state)));
            }
        });
        receiver
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.failures.assert_none();
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Plans the behaviors for the next events, and the one for all later events.
    pub fn plan(&self, behaviors: &[Behavior], lasting: Option<Behavior>) {
        let mut state = self.state();
        state.behaviors = behaviors.iter().copied().collect();
        state.lasting = lasting;
    }

    /// Plans the behavior for all events of these orders.
    pub fn plan_for(&self, orders: impl IntoIterator<Item = i64>, behavior: Option<Behavior>) {
        let mut state = self.state();
        for order in orders {
            match behavior {
                Some(behavior) => state.by_order.insert(order, behavior),
                None => state.by_order.remove(&order),
            };
        }
    }

    /// Signs the responses from now on.
    pub fn sign_responses(&self, secret: &str) {
        self.state().secret = Some(Secret::new(secret));
    }

    /// All received events in the order of their arrival.
    pub fn events(&self) -> Vec<Value> {
        self.state().events.clone()
    }

    /// All requests in the order of their arrival.
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.state().requests.clone()
    }

    /// The events without duplicates.
    pub fn distinct(&self) -> Vec<Value> {
        let mut distinct: Vec<Value> = Vec::new();
        for event in self.events() {
            if distinct.iter().all(|earlier| earlier["id"] != event["id"]) {
                distinct.push(event);
            }
        }
        distinct
    }

    /// The distinct events of one order as `created`, `updated`, `deleted`.
    pub fn kinds_of(&self, order_id: i32) -> Vec<String> {
        self.distinct()
            .iter()
            .filter(|event| event["subject"].as_str() == Some(order_id.to_string().as_str()))
            .map(|event| event["type"].as_str().unwrap().replace("order.", ""))
            .collect()
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    while let Some((head, body)) = read_request(&mut stream) {
        let signature = find_header(&head, "x-signature");
        let events: Value = serde_json::from_slice(&body).unwrap();
        let events = match events {
            Value::Array(events) => events,
            event => vec![event],
        };
        let (behavior, secret) = {
            let mut state = state.lock().unwrap();
            let order = |event: &Value| event["data"]["order_id"].as_i64().unwrap();
            let planned_for_order = events
                .iter()
                .find_map(|event| state.by_order.get(&order(event)).copied());
            state.requests.push(ReceivedRequest {
                events: events.clone(),
                traceparent: find_header(&head, "traceparent"),
                tracestate: find_header(&head, "tracestate"),
            });
            state.events.extend(events);
            (
                planned_for_order
                    .or_else(|| state.behaviors.pop_front())
                    .or(state.lasting),
                state.secret.clone(),
            )
        };
        if behavior == Some(Behavior::Slow) {
            thread::sleep(Duration::from_secs(1));
        }
        let status = match behavior {
            Some(Behavior::Respond(status)) => status,
            _ => 200,
        };
        match behavior.unwrap_or(Behavior::Slow) {
            Behavior::Respond(_) | Behavior::Slow => {
                let signed = match secret.zip(signature) {
                    // Who does not share its secret gets no answer.
                    Some((secret, request)) if !secret.verify_request(&body, &request) => return,
                    Some((secret, request)) => {
                        format!("x-signature: {}\r\n", secret.sign_response(&request, b"{}"))
                    }
                    None => String::new(),
                };
                let answer = format!("HTTP/1.1 {status} So\r\n{signed}content-length: 2\r\n\r\n{{}}");
                if stream.write_all(answer.as_bytes()).is_err() {
                    return;
                }
            }
            Behavior::Close => return,
            Behavior::SendRaw(bytes) => {
                // The client may have closed the connection.
                let _ = stream.write_all(bytes.as_bytes());
                return;
            }
            Behavior::Hang => thread::sleep(Duration::from_secs(60)),
        }
    }
}

/// The head and the body of the next request, if there is one. The names of the headers are in lower case.
fn read_request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("POST /events HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("\r\ncontent-type: application/cloudevents"), "{head}");
    let mut body = vec![0; find_header(&head, "content-length").unwrap().parse().unwrap()];
    stream.read_exact(&mut body).ok()?;
    Some((head, body))
}

fn find_header(head: &str, name: &str) -> Option<String> {
    let value = head.split(&format!("\r\n{name}: ")).nth(1)?;
    Some(value.split('\r').next()?.to_owned())
}
