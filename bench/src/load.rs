//! The load: `wrk` with kept connections, for a few seconds, on loopback.

use std::process::Command;

use anyhow::{Context, Result, bail};
use bench::benchmark::wrk;

use crate::measurement::Measurement;
use crate::servers::Server;

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

/// Puts the load on a server.
///
/// # Errors
/// When wrk is missing, fails, or prints something unforeseen.
pub fn run(server: &Server, route: Route, connections: u32, seconds: u32) -> Result<Measurement> {
    let mut command = Command::new("wrk");
    command.args(wrk::arguments(connections, seconds));
    let script = std::env::temp_dir().join(format!("insert-{}.lua", std::process::id()));
    if route == Route::Insert {
        std::fs::write(&script, wrk::write_script())?;
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
    let answers = wrk::parse(&text).with_context(|| format!("wrk printed something unforeseen:\n{text}"))?;
    Ok(Measurement {
        requests_per_second: answers.requests_per_second,
        median_ms: answers.median_ms,
        p99_ms: answers.p99_ms,
        processor_us: worked.as_secs_f64() * 1e6 / f64::from(answers.count),
        errors: answers.errors,
    })
}
