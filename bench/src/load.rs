//! The load: `wrk` with kept connections, for a few seconds, on loopback.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::measurement::Measurement;
use crate::servers::{FILLED_ORDERS, Server};

/// How many connections at once.
pub const CONNECTIONS: [u32; 3] = [1, 16, 256];

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Route {
    /// `GET /`: no database.
    Root,
    /// `GET /orders/{id}`: one row.
    Read,
    /// `GET /orders?limit=100`: a hundred rows.
    List,
    /// `POST /create_order`: one row written and committed.
    Insert,
}

impl Route {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Root, Self::Read, Self::List, Self::Insert];

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Root => "GET /",
            Self::Read => "one order",
            Self::List => "100 orders",
            Self::Insert => "insert",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Root => "/",
            Self::Read => "/orders/50",
            Self::List => "/orders?limit=100",
            Self::Insert => "/create_order",
        }
    }
}

/// Counts upwards from the orders that are there.
const INSERT_SCRIPT: &str = r#"
local last = FILLED
function request()
  last = last + 1
  return wrk.format("POST", nil, {["Content-Type"] = "application/json"}, '{"order_id":' .. last ..
    ',"product_id":12,"quantity":2,"amount":56.55,"shipping":15.0,"tax":2.0,"shipping_address":"Mataderos 2312"}')
end
"#;

/// Puts the load on a server.
///
/// # Errors
/// When wrk is missing, fails, or prints something unforeseen.
pub fn run(server: &Server, route: Route, connections: u32, seconds: u32) -> Result<Measurement> {
    let mut command = Command::new("wrk");
    command
        .arg("--latency")
        .arg(format!("--connections={connections}"))
        // One is enough to keep the server busy, and takes less of the machine from it.
        .arg("--threads=1")
        .arg(format!("--duration={seconds}s"))
        .arg("--timeout=20s");
    let script = std::env::temp_dir().join(format!("insert-{}.lua", std::process::id()));
    if route == Route::Insert {
        std::fs::write(&script, INSERT_SCRIPT.replace("FILLED", &FILLED_ORDERS.to_string()))?;
        command.arg("--script").arg(&script);
    }
    let worked_before = server.processor_time()?;
    let output = command
        .arg(format!("{}{}", server.url, route.path()))
        .output()
        .context("cannot run wrk: install it")?;
    let worked = server.processor_time()?.saturating_sub(worked_before);
    let _ = std::fs::remove_file(&script);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        bail!("wrk failed: {text}{}", String::from_utf8_lossy(&output.stderr));
    }
    parse(&text, worked).with_context(|| format!("wrk printed something unforeseen:\n{text}"))
}

/// Reads what wrk prints.
fn parse(text: &str, worked: Duration) -> Option<Measurement> {
    let after = |label: &str| {
        text.lines()
            .find_map(|line| line.trim().strip_prefix(label))
            .map(str::trim)
    };
    let socket_errors: u64 = after("Socket errors:")
        .map(|line| line.split([' ', ',']).filter_map(|word| word.parse::<u64>().ok()).sum())
        .unwrap_or(0);
    let refused: u64 = match after("Non-2xx or 3xx responses:") {
        Some(count) => count.parse().ok()?,
        None => 0,
    };
    let answers: u32 = text
        .lines()
        .find_map(|line| line.trim().split_once(" requests in "))?
        .0
        .parse()
        .ok()?;
    Some(Measurement {
        requests_per_second: after("Requests/sec:")?.parse().ok()?,
        median_ms: milliseconds(after("50%")?)?,
        p99_ms: milliseconds(after("99%")?)?,
        processor_us: worked.as_secs_f64() * 1e6 / f64::from(answers),
        errors: socket_errors + refused,
    })
}

fn milliseconds(text: &str) -> Option<f64> {
    // The longest unit first: "ms" and "us" end in "s" too.
    for (unit, factor) in [("us", 0.001), ("ms", 1.0), ("s", 1000.0), ("m", 60_000.0)] {
        if let Some(number) = text.strip_suffix(unit) {
            return number.parse::<f64>().ok().map(|number| number * factor);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "Running 3s test @ http://127.0.0.1:1/
  2 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   229.28us  301.65us  10.60ms   95.02%
  Latency Distribution
     50%  186.00us
     75%  240.00us
     90%  325.00us
     99%    1.40ms
  218713 requests in 3.10s, 34.62MB read
  Socket errors: connect 0, read 2, write 1, timeout 0
  Non-2xx or 3xx responses: 4
Requests/sec:  70553.13
Transfer/sec:     11.17MB";

    #[test]
    fn reads_what_wrk_prints() {
        let measured = parse(OUTPUT, Duration::from_micros(2_187_130)).unwrap();
        assert_eq!(
            measured,
            Measurement {
                requests_per_second: 70553.13,
                median_ms: 0.186,
                p99_ms: 1.4,
                processor_us: 10.0,
                errors: 7
            }
        );
        assert_eq!(parse("wrk: unable to connect", Duration::ZERO), None);
    }

    #[test]
    fn knows_units_of_time() {
        assert_eq!(
            ["1.5s", "2m", "3ms", "4us", "5h"].map(milliseconds),
            [Some(1500.0), Some(120_000.0), Some(3.0), Some(0.004), None]
        );
    }
}
