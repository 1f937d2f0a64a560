//! Edge: one start of the service, and what is measured of it.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bench::benchmark::wrk;
use bench::http;
use bench::process::output;

use crate::results::Figures;
use crate::road::{PORT, Road};

/// How long a start may take.
const START: Duration = Duration::from_secs(60);
/// Of the load.
const CONNECTIONS: u32 = 16;

/// Starts the service, measures it, and ends it.
///
/// # Errors
/// When it does not answer, or the load fails.
pub fn measure(road: &Road, seconds: u32) -> Result<Figures> {
    let mut command = road.host.prepare(&road.start)?;
    let began = command.start()?;
    let url = format!("http://{}:{PORT}/healthz", road.host.address);
    let start_ms = await_answer(&url, began)?.as_secs_f64() * 1e3;
    let process = road.host.run(&road.process)?;
    let status = road.host.run(&format!("cat /proc/{}/status", process.trim()))?;
    let memory = |field| kilobytes(&status, field).with_context(|| format!("no {field} in {status}"));
    let (resident_mb, own_mb) = (memory("VmRSS:")? / 1e3, memory("RssAnon:")? / 1e3);
    let printed = output(Command::new("wrk").args(wrk::arguments(CONNECTIONS, seconds)).arg(&url))?;
    let answers = wrk::parse(&printed).with_context(|| format!("wrk printed something unforeseen:\n{printed}"))?;
    road.host.run(&road.stop)?;
    command.wait()?;
    anyhow::ensure!(answers.errors == 0, "{} requests failed", answers.errors);
    Ok(Figures {
        start_ms,
        resident_mb,
        own_mb,
        requests_per_second: answers.requests_per_second,
    })
}

/// How long it took to the first answer.
fn await_answer(url: &str, began: Instant) -> Result<Duration> {
    let agent = http::client(Some(Duration::from_secs(1)));
    loop {
        let answer = agent.get(url).call();
        let elapsed = began.elapsed();
        match answer {
            Ok(_) => return Ok(elapsed),
            Err(error) if elapsed > START => bail!("no answer within {} s: {error}", START.as_secs()),
            Err(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// A line of <https://man7.org/linux/man-pages/man5/proc_pid_status.5.html>.
fn kilobytes(status: &str, field: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_of_a_process_is_read() {
        let status = "Name:\tcrun\nVmRSS:\t   10244 kB\nRssAnon:\t    2048 kB\n";
        assert_eq!(kilobytes(status, "RssAnon:"), Some(2048.0));
        assert_eq!(kilobytes(status, "VmSwap:"), None);
    }
}
