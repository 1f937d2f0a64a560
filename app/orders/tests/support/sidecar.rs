//! A fake Dapr sidecar. The tests in a cluster use the real one.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::failures::Failures;

/// A running sidecar; it stops with the process. A request that is not foreseen fails the test.
pub struct Sidecar {
    /// For `DAPR_HTTP_PORT`.
    pub port: String,
    state: Arc<Mutex<State>>,
    failures: Failures,
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        self.failures.assert_none();
    }
}

struct State {
    pricing: (u16, String),
    requests: Vec<String>,
}

impl Sidecar {
    /// Starts a sidecar behind which all services are available.
    pub fn start() -> Sidecar {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        let price = r#"{"shipping":5.9,"tax":11.76,"region":null}"#.to_owned();
        let state = Arc::new(Mutex::new(State {
            pricing: (200, price),
            requests: Vec::new(),
        }));
        let sidecar = Sidecar {
            port,
            state: Arc::clone(&state),
            failures: Failures::default(),
        };
        let failures = sidecar.failures.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (state, failures) = (Arc::clone(&state), failures.clone());
                thread::spawn(move || failures.watch(|| serve(stream, &state)));
            }
        });
        sidecar
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.failures.assert_none();
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the response of the pricing service, or of the sidecar if the service is unavailable.
    pub fn pricing_answers(&self, status: u16, body: &str) {
        self.state().pricing = (status, body.to_owned());
    }

    /// The requests that start with this text, head and body.
    pub fn requests(&self, start: &str) -> Vec<String> {
        let state = self.state();
        let wanted = state.requests.iter().filter(|request| request.starts_with(start));
        wanted.cloned().collect()
    }
}

fn serve(stream: TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(&stream);
    while let Some(request) = read_request(&mut reader) {
        let (status, body) = {
            let mut state = state.lock().unwrap();
            state.requests.push(request.clone());
            match request.split(' ').nth(1).unwrap() {
                "/v1.0/invoke/pricing/method/price" => state.pricing.clone(),
                "/v1.0/publish/pubsub/orders" => (200, String::new()),
                "/v1.0/invoke/events/method/events?limit=7" => (200, r#"{"events":[],"counts":{},"total":0}"#.to_owned()),
                "/v1.0/metadata" => (
                    200,
                    r#"{"id":"orders","runtimeVersion":"1.16.0","components":[{"name":"pubsub","type":"pubsub.jetstream","version":"v1"}],"actorRuntime":{}}"#.to_owned(),
                ),
                other => panic!("not foreseen: {other}"),
            }
        };
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status} So\r\nx-served-by: pricing-1; build=native\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        if (&stream).write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn read_request(reader: &mut impl BufRead) -> Option<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let lower = head.to_ascii_lowercase();
    let length = lower
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some(head + &String::from_utf8(body).unwrap())
}
