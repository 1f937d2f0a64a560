//! The load: [wrk](https://github.com/wg/wrk) with kept connections.

use super::Route;

/// Orders in the table before each load.
const FILLED_ORDERS: u32 = 100;

/// Counts upwards from the orders that are there.
const WRITE_SCRIPT: &str = r#"
local last = FILLED
function request()
  last = last + 1
  return wrk.format("POST", nil, {["Content-Type"] = "application/json"}, '{"order_id":' .. last ..
    ',"product_id":12,"quantity":2,"amount":56.55,"shipping":15.0,"tax":2.0,"shipping_address":"Mataderos 2312"}')
end
"#;

/// What wrk has found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answers {
    /// How many answers came.
    pub count: u32,
    /// Answers a second.
    pub requests_per_second: f64,
    /// Milliseconds within which half of them came.
    pub median_ms: f64,
    /// Milliseconds within which 99 of 100 came.
    pub p99_ms: f64,
    /// Answers other than 2xx and 3xx, and requests without an answer.
    pub errors: u64,
}

/// The path that a route is asked at.
pub fn path(route: Route) -> &'static str {
    match route {
        Route::Root => "/",
        Route::Read => "/orders/50",
        Route::Write => "/create_order",
    }
}

/// The script that writes an order with each request.
pub fn write_script() -> String {
    WRITE_SCRIPT.replace("FILLED", &FILLED_ORDERS.to_string())
}

/// The orders that are in the table before each load, as `/create_orders` takes them.
pub fn orders() -> String {
    let order = |id| {
        format!(
            r#"{{"order_id":{id},"product_id":12,"quantity":2,"amount":56.55,"shipping":15.0,"tax":2.0,"shipping_address":"Mataderos 2312"}}"#
        )
    };
    let orders: Vec<String> = (1..=FILLED_ORDERS).map(order).collect();
    format!("[{}]", orders.join(","))
}

/// How wrk is called, but for its script and the address.
pub fn arguments(connections: u32, seconds: u32) -> [String; 5] {
    [
        "--latency".to_owned(),
        format!("--connections={connections}"),
        // One is enough to keep a server of one thread busy, and takes less of the machine from it.
        "--threads=1".to_owned(),
        format!("--duration={seconds}s"),
        "--timeout=20s".to_owned(),
    ]
}

/// Reads what wrk prints.
pub fn parse(text: &str) -> Option<Answers> {
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
    let answers = text.lines().find_map(|line| line.trim().split_once(" requests in "))?;
    Some(Answers {
        count: answers.0.parse().ok()?,
        requests_per_second: after("Requests/sec:")?.parse().ok()?,
        median_ms: milliseconds(after("50%")?)?,
        p99_ms: milliseconds(after("99%")?)?,
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
        let expected = Answers {
            count: 218_713,
            requests_per_second: 70553.13,
            median_ms: 0.186,
            p99_ms: 1.4,
            errors: 7,
        };
        assert_eq!(parse(OUTPUT), Some(expected));
        assert_eq!(parse("wrk: unable to connect"), None);
    }

    #[test]
    fn knows_units_of_time() {
        assert_eq!(
            ["1.5s", "2m", "3ms", "4us", "5h"].map(milliseconds),
            [Some(1500.0), Some(120_000.0), Some(3.0), Some(0.004), None]
        );
    }

    #[test]
    fn orders_are_json() {
        let orders: serde_json::Value = serde_json::from_str(&orders()).unwrap();
        assert_eq!(orders.as_array().unwrap().len(), FILLED_ORDERS as usize);
    }
}
