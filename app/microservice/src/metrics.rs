//! Metrics in the Prometheus text format:
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use hyper::Method;

/// Upper bounds of the latency buckets, in seconds and as they are written.
const BUCKETS: [(f64, &str); 11] = [
    (0.0005, "0.0005"),
    (0.001, "0.001"),
    (0.0025, "0.0025"),
    (0.005, "0.005"),
    (0.01, "0.01"),
    (0.025, "0.025"),
    (0.05, "0.05"),
    (0.1, "0.1"),
    (0.5, "0.5"),
    (1.0, "1"),
    (5.0, "5"),
];

/// The metrics of requests.
#[derive(Debug)]
pub struct Metrics {
    /// The prefix of the metrics.
    prefix: String,
    start: SystemTime,
    requests: Mutex<Requests>,
}

#[derive(Debug, Default)]
struct Requests {
    /// By route, method and status. All of them are closed sets, so that clients cannot create time series.
    counts: BTreeMap<(&'static str, &'static str, u16), u64>,
    latencies: BTreeMap<&'static str, Latency>,
}

#[derive(Debug, Default)]
struct Latency {
    /// The requests in each bucket, not cumulative.
    buckets: [u64; BUCKETS.len()],
    count: u64,
    sum: Duration,
}

/// A metric family with its current values.
#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// The name, with its unit. Characters that names of metrics may not have are written as `_`.
    pub name: String,
    /// `counter` or `gauge`.
    pub kind: &'static str,
    /// The help text.
    pub help: &'static str,
    /// Labels in the text format, or an empty text, and the value.
    pub samples: Vec<(String, f64)>,
}

impl Metrics {
    /// Metrics of a service with this name that starts now. The name is their prefix.
    pub fn new(name: &'static str) -> Metrics {
        Metrics {
            prefix: valid_metric_name(name),
            start: SystemTime::now(),
            requests: Mutex::default(),
        }
    }

    /// Counts a handled request.
    pub fn count(&self, route: Option<&'static str>, method: &Method, status: u16, duration: Duration) {
        let route = route.unwrap_or("other");
        let mut requests = self.requests();
        *requests.counts.entry((route, known_name(method), status)).or_default() += 1;
        let latency = requests.latencies.entry(route).or_default();
        latency.count += 1;
        latency.sum += duration;
        let bucket = BUCKETS.iter().position(|(bound, _)| duration.as_secs_f64() <= *bound);
        if let Some(count) = bucket.and_then(|bucket| latency.buckets.get_mut(bucket)) {
            *count += 1;
        }
    }

    /// Counts a response to what was not a request: it had no method, and no duration.
    pub fn count_rejected(&self, status: u16) {
        *self.requests().counts.entry(("other", "other", status)).or_default() += 1;
    }

    /// All metrics as text, with these families.
    pub fn to_text<'family>(&self, families: impl Iterator<Item = &'family Family>) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write(&mut text, families);
        text
    }

    fn write<'family>(&self, out: &mut String, families: impl Iterator<Item = &'family Family>) -> std::fmt::Result {
        let requests = self.requests();
        let name = format!("{}_requests_total", self.prefix);
        write_header(out, &name, "counter", "Requests answered.")?;
        for ((route, method, status), count) in &requests.counts {
            writeln!(
                out,
                "{name}{{route=\"{route}\",method=\"{method}\",status=\"{status}\"}} {count}"
            )?;
        }
        let name = format!("{}_request_duration_seconds", self.prefix);
        write_header(out, &name, "histogram", "Time from head to answer.")?;
        for (route, latency) in &requests.latencies {
            latency.write(out, &name, route)?;
        }
        for family in families {
            let name = valid_metric_name(&family.name);
            write_header(out, &name, family.kind, family.help)?;
            for (labels, value) in &family.samples {
                writeln!(out, "{name}{labels} {value}")?;
            }
        }
        let name = "process_start_time_seconds";
        write_header(out, name, "gauge", "Start of the process, Unix time.")?;
        let start = self.start.duration_since(SystemTime::UNIX_EPOCH);
        writeln!(out, "{name} {:.3}", start.unwrap_or_default().as_secs_f64())
    }

    fn requests(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Latency {
    fn write(&self, out: &mut String, name: &str, route: &str) -> std::fmt::Result {
        let mut cumulative = 0;
        for (count, (_, bound)) in self.buckets.iter().zip(BUCKETS) {
            cumulative += count;
            writeln!(out, "{name}_bucket{{route=\"{route}\",le=\"{bound}\"}} {cumulative}")?;
        }
        writeln!(out, "{name}_bucket{{route=\"{route}\",le=\"+Inf\"}} {}", self.count)?;
        writeln!(out, "{name}_sum{{route=\"{route}\"}} {:.6}", self.sum.as_secs_f64())?;
        writeln!(out, "{name}_count{{route=\"{route}\"}} {}", self.count)
    }
}

fn write_header(out: &mut String, name: &str, kind: &str, help: &str) -> std::fmt::Result {
    writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

/// The name with `_` in place of what a name of a metric may not have, such as the hyphens of a package's name: with
/// one invalid name, Prometheus reads none of the metrics.
/// <https://prometheus.io/docs/concepts/data_model/#metric-names-and-labels>
fn valid_metric_name(name: &str) -> String {
    let is_valid = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | ':');
    let mut valid = name.replace(|character| !is_valid(character), "_");
    if valid.starts_with(|first: char| first.is_ascii_digit()) {
        valid.insert(0, '_');
    }
    valid
}

/// The name of a known method, or `other`: clients could send a new one with every request.
fn known_name(method: &Method) -> &'static str {
    ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]
        .into_iter()
        .find(|name| *name == method.as_str())
        .unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_was_counted() {
        let metrics = Metrics::new("books");
        let route = Some("/books/{id}");
        metrics.count(route, &Method::GET, 200, Duration::from_micros(700));
        metrics.count(route, &Method::GET, 200, Duration::from_secs(60));
        metrics.count_rejected(400);
        metrics.count(None, &Method::from_bytes(b"BREW").unwrap(), 404, Duration::ZERO);
        let connections = Family {
            name: "books_database_connections".into(),
            kind: "gauge",
            help: "Connections of the pool.",
            samples: vec![("{state=\"idle\"}".into(), 2.0)],
        };
        let text = metrics.to_text([&connections].into_iter());
        for line in [
            r#"books_requests_total{route="/books/{id}",method="GET",status="200"} 2"#,
            r#"books_requests_total{route="other",method="other",status="404"} 1"#,
            r#"books_requests_total{route="other",method="other",status="400"} 1"#,
            r#"books_request_duration_seconds_count{route="other"} 1"#,
            r#"books_request_duration_seconds_bucket{route="/books/{id}",le="0.0005"} 0"#,
            r#"books_request_duration_seconds_bucket{route="/books/{id}",le="5"} 1"#,
            r#"books_request_duration_seconds_bucket{route="/books/{id}",le="+Inf"} 2"#,
            r#"books_request_duration_seconds_sum{route="/books/{id}"} 60.000700"#,
            r#"books_database_connections{state="idle"} 2"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }

    #[test]
    fn names_are_valid() {
        for (name, valid) in [
            ("books", "books"),
            ("my-shop_2", "my_shop_2"),
            ("my:shop", "my:shop"),
            ("2nd.shop", "_2nd_shop"),
            ("b\u{fc}cher", "b_cher"),
        ] {
            assert_eq!(valid_metric_name(name), valid);
        }
        let family = Family {
            name: "my-shop_database_connections".into(),
            kind: "gauge",
            help: "Connections of the pool.",
            samples: vec![("{state=\"idle\"}".into(), 2.0)],
        };
        let metrics = Metrics::new("my-shop");
        metrics.count(None, &Method::GET, 200, Duration::ZERO);
        let text = metrics.to_text([&family].into_iter());
        assert!(text.contains("\nmy_shop_requests_total{") && text.contains("\nmy_shop_database_connections{"));
        assert!(!text.contains("my-shop"), "{text}");
    }
}
