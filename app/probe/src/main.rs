//! The guest that `deploy-tool doctor` runs on a node. It says what reaches it and how fast it runs; what that means is
//! decided by the tool.
//!
//! - `probe look HOST:PORT` prints two lines of JSON: what reaches it at once, and how far a connection came.
//! - `probe end CODE` ends with that exit code.
//! - `probe stay` stays until it is ended, for ten minutes at most.

mod network;
mod node;
mod speed;

use std::process::ExitCode;
use std::time::Duration;

use serde_json::{json, Value};

/// Passed on as it is, so that it can be compared.
const VARIABLE: &str = "PROBE";
/// Whoever has started it may be gone.
const LONGEST_STAY: Duration = Duration::from_secs(600);

fn main() -> ExitCode {
    // First of all: it is the time until here that counts.
    let start = node::milliseconds_since_start();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["look", target] => {
            println!("{}", environment(start, &arguments));
            println!("{}", network(target));
        }
        ["end", code] => return code.parse::<u8>().map_or(ExitCode::FAILURE, ExitCode::from),
        ["stay"] => std::thread::sleep(LONGEST_STAY),
        _ => {
            eprintln!("probe look HOST:PORT | end CODE | stay; not: {arguments:?}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// What needs nobody else. The fields of both lines are those of `deploy-tool/src/doctor/answer.rs`.
fn environment(start: Option<u64>, arguments: &[&str]) -> Value {
    json!({
        "arguments": arguments,
        "variable": std::env::var(VARIABLE).ok(),
        "roundNanoseconds": speed::fastest_round().as_nanos() as u64,
        "startMilliseconds": start,
        "memoryBytes": node::memory(),
    })
}

/// A line of its own: where nobody answers, connecting takes minutes.
fn network(target: &str) -> Value {
    let network = network::reach(target);
    json!({
        "resolved": network.resolved.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "connected": network.connected,
        "error": network.error,
    })
}
