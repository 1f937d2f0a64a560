//! Log lines: one JSON object each, and never a password.
//!
//! Whoever reads the log may stop reading: then no request waits for that. Lines are kept for a while, and what finds no
//! room is left out and counted.

use std::borrow::Cow;
use std::io::Write;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, AtomicU8, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use rustix::event::{poll, PollFd, PollFlags, Timespec};
use serde::Serialize;
use tokio::sync::Notify;
use tokio::time::sleep;

/// The most bytes of lines that wait to be written.
const WAITING: usize = 128 * 1024;
/// A pipe takes so many bytes as a whole, and at once where it has room for any: `PIPE_BUF`, see `man 7 pipe`.
const AT_ONCE: usize = 4096;
/// The most bytes of a path and of a message, as JSON. With everything else a line stays below [`AT_ONCE`].
const LONGEST_PATH: usize = 256;
const LONGEST_MESSAGE: usize = 2_048;
/// The pause before the log is tried again.
const PAUSE: Duration = Duration::from_millis(100);

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
            message: &cut(message, LONGEST_MESSAGE),
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
            path: &cut(access.path, LONGEST_PATH),
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

/// Lines that wait to be written.
#[derive(Debug, Default)]
struct Waiting {
    lines: Vec<u8>,
    /// Lines that were left out since the last that was not.
    missing: u64,
    /// Whether [`write_forever`] writes them.
    has_writer: bool,
}

static LOG: Mutex<Waiting> = Mutex::new(Waiting {
    lines: Vec::new(),
    missing: 0,
    has_writer: false,
});
static NEW: LazyLock<Notify> = LazyLock::new(Notify::new);
static LEFT_OUT: AtomicU64 = AtomicU64::new(0);

/// The number of lines that were left out.
pub fn left_out() -> u64 {
    LEFT_OUT.load(Ordering::Relaxed)
}

/// Writes what is logged from now on, for as long as the process runs: many lines at once under load.
pub async fn write_forever() {
    waiting().has_writer = true;
    loop {
        let is_empty = waiting().lines.is_empty();
        match (is_empty, is_writable()) {
            (true, _) => NEW.notified().await,
            (false, true) => write_some(),
            (false, false) => sleep(PAUSE).await,
        }
        // What was woken together with this task logs first.
        tokio::task::yield_now().await;
    }
}

fn waiting() -> MutexGuard<'static, Waiting> {
    LOG.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write_line(line: &impl Serialize) {
    // Strings and numbers always have a JSON form.
    let mut text = serde_json::to_vec(line).unwrap_or_default();
    text.push(b'\n');
    let mut waiting = waiting();
    if !waiting.has_writer {
        // A log that cannot be written is no reason to stop serving; `eprintln!` would panic.
        let _ = std::io::stderr().write_all(&text);
        return;
    }
    if waiting.lines.len() + text.len() > WAITING {
        waiting.missing += 1;
        LEFT_OUT.fetch_add(1, Ordering::Relaxed);
        return;
    }
    let missing = std::mem::take(&mut waiting.missing);
    let was_empty = waiting.lines.is_empty();
    waiting.lines.extend_from_slice(&text);
    drop(waiting);
    if was_empty {
        NEW.notify_one();
    }
    if missing > 0 {
        event(
            Level::Warn,
            &format!("{missing} lines were left out here: nobody read the log"),
        );
    }
}

/// Whether standard error takes [`AT_ONCE`] bytes without a wait. What cannot be asked, such as a file, does.
fn is_writable() -> bool {
    let stderr = std::io::stderr();
    let mut asked = [PollFd::new(&stderr, PollFlags::OUT)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    match poll(&mut asked, Some(&now)) {
        Ok(0) => false,
        Ok(_) | Err(_) => true,
    }
}

/// Writes as many whole lines as are taken at once.
fn write_some() {
    let mut waiting = waiting();
    let most = waiting.lines.len().min(AT_ONCE);
    let last = waiting
        .lines
        .get(..most)
        .and_then(|some| some.iter().rposition(|byte| *byte == b'\n'));
    // No line is longer, see above.
    let end = last.map_or(most, |last| last + 1);
    // A log that cannot be written is no reason to stop serving.
    let _ = std::io::stderr().write_all(waiting.lines.get(..end).unwrap_or_default());
    waiting.lines.drain(..end);
    if waiting.lines.is_empty() {
        waiting.lines = Vec::new();
    }
}

/// The beginning of a text that takes at most so many bytes as JSON.
fn cut(text: &str, most: usize) -> Cow<'_, str> {
    let mut bytes = 0;
    for (index, character) in text.char_indices() {
        bytes += match character {
            '"' | '\\' => 2,
            control if control.is_control() => 6,
            other => other.len_utf8(),
        };
        if bytes > most {
            return Cow::Owned(format!("{}…", text.get(..index).unwrap_or_default()));
        }
    }
    Cow::Borrowed(text)
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1_000.0
}

fn unix_seconds() -> f64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0.0, |elapsed| (elapsed.as_secs_f64() * 1_000.0).round() / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_to_what_they_take() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "abc…");
        assert_eq!(cut("\"\"", 3), "\"…");
        assert_eq!(cut("\n\n", 11), "\n…");
        assert_eq!(cut("ää", 3), "ä…");
        let longest = "\u{1}".repeat(100_000);
        let line = serde_json::to_vec(&Event {
            time: unix_seconds(),
            level: "error",
            message: &cut(&longest, LONGEST_MESSAGE),
        });
        assert!(line.unwrap().len() < AT_ONCE);
    }
}
