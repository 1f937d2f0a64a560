//! Edge: runs programs, measured or not.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use wait4::Wait4;

/// One run of a program.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measurement {
    /// From start to end.
    pub seconds: f64,
    /// Of which a processor worked for the program itself.
    pub processor_seconds: f64,
    /// Resident, at most, in millions of bytes.
    pub memory_mb: f64,
}

/// Runs commands one after the other. Their times add up; the largest memory counts.
pub fn measure(commands: Vec<Command>) -> Result<Measurement> {
    let mut sum = Measurement::default();
    for mut command in commands {
        let run_measurement = run(&mut command)?;
        sum.seconds += run_measurement.seconds;
        sum.processor_seconds += run_measurement.processor_seconds;
        sum.memory_mb = sum.memory_mb.max(run_measurement.memory_mb);
    }
    Ok(sum)
}

fn run(command: &mut Command) -> Result<Measurement> {
    let said = tempfile::NamedTempFile::new()?;
    command.stdin(Stdio::null());
    command.stdout(said.reopen()?).stderr(said.reopen()?);
    let start = Instant::now();
    let mut process = command
        .spawn()
        .with_context(|| format!("cannot run {:?}", command.get_program()))?;
    let used = process.wait4()?;
    let seconds = start.elapsed().as_secs_f64();
    if !used.status.success() {
        bail!("{command:?} failed:\n{}", std::fs::read_to_string(said.path())?);
    }
    let processor = used.rusage.utime + used.rusage.stime;
    Ok(Measurement {
        seconds,
        processor_seconds: processor.as_secs_f64(),
        memory_mb: used.rusage.maxrss as f64 / 1e6,
    })
}

/// Runs what is not measured, and returns what it prints.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot run {:?}", command.get_program()))?;
    if !output.status.success() {
        bail!("{command:?} failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}
