//! The results for people who read.

use std::fmt::Write as _;

use crate::load::{CONNECTIONS, Route};
use crate::measurement::Results;
use crate::servers::BUILDS;

/// One line for each route, number of connections and server; ratios are to the native twin.
pub fn text(results: &Results) -> String {
    let mut text = format!(
        "{:<11}{:>6}  {:<12}{:>12}{:>8}{:>11}{:>8}{:>11}{:>8}{:>8}\n",
        "route", "conns", "server", "requests/s", "ratio", "p50 ms", "ratio", "p99 ms", "ratio", "errors"
    );
    for route in Route::ALL {
        for connections in CONNECTIONS {
            for server in BUILDS.iter().map(|build| build.name) {
                let Some(middle) = results.middle(route, connections, server) else {
                    continue;
                };
                let ratio = |figure| results.ratio(route, connections, server, figure).unwrap_or(f64::NAN);
                // Writing to a string cannot fail.
                let _ = writeln!(
                    text,
                    "{:<11}{connections:>6}  {server:<12}{:>12.0}{:>8.2}{:>11.2}{:>8.2}{:>11.2}{:>8.2}{:>8}",
                    route.name(),
                    middle.requests_per_second,
                    ratio(|one| one.requests_per_second),
                    middle.median_ms,
                    ratio(|one| one.median_ms),
                    middle.p99_ms,
                    ratio(|one| one.p99_ms),
                    middle.errors,
                );
            }
        }
    }
    text
}
