//! Log lines: one JSON object each, and never a password.

use std::io::Write;
use std::str::FromStr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, SystemTime};

use serde::Serialize;

/// How much is logged; each level includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing.
    Off,
    /// What needs a person.
    Error,
    /// What mends itself.
    Warn,
    /// Every request.
    Info,
    /// More than anybody wants every day.
    Debug,
}

impl FromStr for Level {
    type Err = ();

    fn from_str(text: &str) -> Result<Level, ()> {
        match text.to_ascii_lowercase().as_str() {
            "off" => Ok(Level::Off),
            "error" => Ok(Level::Error),
            "warn" => Ok(Level::Warn),
            "info" => Ok(Level::Info),
            "debug" => Ok(Level::Debug),
            _ => Err(()),
        }
    }
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Level::Off => "off",
            Level::Error => "error",
            Level::Warn => "warn",
            Level::Info => "info",
            Level::Debug => "debug",
        }
    }
}

/// The level of this process. A global, because it is set once, before anything is logged.
static LEVEL: AtomicU8 = AtomicU8::new(Level::Info as u8);

/// Sets how much this process logs.
pub fn set_level(level: Level) {
    LEVEL.store(level as u8, Ordering::Relaxed);
}

/// Whether lines of this level are written.
pub fn enabled(level: Level) -> bool {
    level != Level::Off && level as u8 <= LEVEL.load(Ordering::Relaxed)
}

/// Logs an event that belongs to no request.
pub fn event(level: Level, message: &str) {
    if enabled(level) {
        write_line(&Event {
            time: unix_seconds(),
            level: level.name(),
            message,
        });
    }
}

/// One answered request.
#[derive(Clone, Copy, Debug)]
pub struct Access<'request> {
    /// The method.
    pub method: &'request str,
    /// The path, without its query.
    pub path: &'request str,
    /// The status of the answer.
    pub status: u16,
    /// From the complete head of the request to the complete answer.
    pub duration: Duration,
    /// The request's id.
    pub request_id: &'request str,
}

/// Logs an answered request.
pub fn access(access: Access<'_>) {
    let level = if access.status >= 500 {
        Level::Error
    } else {
        Level::Info
    };
    if enabled(level) {
        write_line(&Request {
            time: unix_seconds(),
            level: level.name(),
            method: access.method,
            path: access.path,
            status: access.status,
            duration_ms: milliseconds(access.duration),
            request_id: access.request_id,
        });
    }
}

#[derive(Serialize)]
struct Event<'event> {
    time: f64,
    level: &'static str,
    message: &'event str,
}

#[derive(Serialize)]
struct Request<'request> {
    time: f64,
    level: &'static str,
    method: &'request str,
    path: &'request str,
    status: u16,
    duration_ms: f64,
    request_id: &'request str,
}

fn write_line(line: &impl Serialize) {
    // Strings and numbers always have a JSON form.
    let mut text = serde_json::to_vec(line).unwrap_or_default();
    text.push(b'\n');
    // One write a line, so that lines stay whole. A log that cannot be written is no reason to stop
    // serving; `eprintln!` would panic.
    let _ = std::io::stderr().write_all(&text);
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1_000.0
}

fn unix_seconds() -> f64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0.0, |elapsed| (elapsed.as_secs_f64() * 1_000.0).round() / 1_000.0)
}
