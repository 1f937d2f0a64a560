//! The guest that `deploy-tool doctor` runs on a node. It reports its environment, the network and its speed; the tool
//! interprets them.
//!
//! - `probe look HOST:PORT` prints two lines of JSON: its environment, and the result of connecting.
//! - `probe end CODE` exits with that code.
//! - `probe stay` runs until it is killed, for at most ten minutes.

mod network;
mod node;
mod speed;

use std::process::ExitCode;
use std::time::Duration;

use serde_json::{json, Value};

/// The variable whose value is reported.
const VARIABLE: &str = "PROBE";
/// After this time it exits, because the tool may have been killed.
const MAX_STAY: Duration = Duration::from_secs(600);

fn main() -> ExitCode {
    // First, because it measures the time until here.
    let start = node::milliseconds_since_start();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["look", target] => {
            println!("{}", report_environment(start, &arguments));
            println!("{}", report_network(target));
        }
        ["end", code] => return code.parse::<u8>().map_or(ExitCode::FAILURE, ExitCode::from),
        ["stay"] => std::thread::sleep(MAX_STAY),
        _ => {
            eprintln!("probe look HOST:PORT | end CODE | stay; not: {arguments:?}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// What needs no network. The fields of both lines are those of `deploy-tool/crates/nodes/src/doctor/answer.rs`.
fn report_environment(start: Option<u64>, arguments: &[&str]) -> Value {
    json!({
        "arguments": arguments,
        "variable": std::env::var(VARIABLE).ok(),
        "roundNanoseconds": speed::fastest_round().as_nanos() as u64,
        "startMilliseconds": start,
        "memoryBytes": node::peak_memory_bytes(),
    })
}

/// A separate line, because connecting may take minutes to time out.
fn report_network(target: &str) -> Value {
    let network = network::connect(target);
    json!({
        "resolved": network.resolved.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "connected": network.connected,
        "error": network.error,
    })
}
