//! Log lines, each of them a JSON object. They never contain passwords.
//!
//! Logging never blocks a request, even if standard error is a pipe that is not read: lines are buffered, and dropped
//! and counted when the buffer is full.

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

/// The size of the buffer.
const MAX_BUFFERED_BYTES: usize = 128 * 1024;
/// Writes of up to this size to a writable pipe are atomic and do not block: see `man 7 pipe`.
const PIPE_BUF: usize = 4096;
/// The most bytes of a method, a path and a message in JSON, so that the whole line is shorter than
/// [`PIPE_BUF`].
const MAX_METHOD_BYTES: usize = 32;
const MAX_PATH_BYTES: usize = 256;
const MAX_MESSAGE_BYTES: usize = 2_048;
/// The pause before writing is tried again.
const RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// How much is logged; each level includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing.
    Off,
    /// Errors that an operator must handle.
    Error,
    /// Errors that the service recovers from.
    Warn,
    /// Every request.
    Info,
    /// Details for debugging.
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

/// The level of this process. It is global because it is set once, before anything is logged.
static LEVEL: AtomicU8 = AtomicU8::new(Level::Info as u8);

/// Sets how much this process logs.
pub fn set_level(level: Level) {
    LEVEL.store(level as u8, Ordering::Relaxed);
}

/// Whether lines of this level are logged.
pub fn enabled(level: Level) -> bool {
    level != Level::Off && level as u8 <= LEVEL.load(Ordering::Relaxed)
}

/// Logs an event that belongs to no request.
pub fn event(level: Level, message: &str) {
    if enabled(level) {
        write_line(&Event {
            time: unix_seconds(),
            level: level.name(),
            message: &truncate(message, MAX_MESSAGE_BYTES),
        });
    }
}

/// A handled request.
#[derive(Clone, Copy, Debug)]
pub struct Access<'request> {
    /// The method, as in the request line.
    pub method: &'request str,
    /// The path, without its query.
    pub path: &'request str,
    /// The status of the response.
    pub status: u16,
    /// From the end of the request's head to the end of handling the request.
    pub duration: Duration,
    /// The id that the client has sent, or one that was made for it: the response has the same.
    pub request_id: &'request str,
}

/// Logs a handled request.
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
            method: &truncate(access.method, MAX_METHOD_BYTES),
            path: &truncate(access.path, MAX_PATH_BYTES),
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

/// Lines that have not been written yet.
#[derive(Debug, Default)]
struct LineBuffer {
    lines: Vec<u8>,
    /// The number of lines that were dropped since the last buffered one.
    dropped_since_last: u64,
    /// Whether [`write_buffered_lines`] runs; until then, lines are written at once.
    has_writer: bool,
}

static BUFFER: Mutex<LineBuffer> = Mutex::new(LineBuffer {
    lines: Vec::new(),
    dropped_since_last: 0,
    has_writer: false,
});
static LINES_ADDED: LazyLock<Notify> = LazyLock::new(Notify::new);
static DROPPED_LINES: AtomicU64 = AtomicU64::new(0);

/// The number of lines that were dropped.
pub fn dropped_lines() -> u64 {
    DROPPED_LINES.load(Ordering::Relaxed)
}

/// Writes the buffered lines, for as long as the process runs.
pub async fn write_buffered_lines() {
    line_buffer().has_writer = true;
    loop {
        let is_empty = line_buffer().lines.is_empty();
        match (is_empty, is_writable()) {
            (true, _) => LINES_ADDED.notified().await,
            (false, true) => write_next_lines(),
            (false, false) => sleep(RETRY_INTERVAL).await,
        }
        // Lets the tasks that were woken together with this one log first, so that their lines are written together.
        tokio::task::yield_now().await;
    }
}

fn line_buffer() -> MutexGuard<'static, LineBuffer> {
    BUFFER.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write_line(line: &impl Serialize) {
    // Strings and numbers always have a JSON form.
    let mut text = serde_json::to_vec(line).unwrap_or_default();
    text.push(b'\n');
    let mut buffer = line_buffer();
    if !buffer.has_writer {
        // A log that cannot be written is no reason to stop serving; `eprintln!` would panic.
        let _ = std::io::stderr().write_all(&text);
        return;
    }
    if buffer.lines.len() + text.len() > MAX_BUFFERED_BYTES {
        buffer.dropped_since_last += 1;
        DROPPED_LINES.fetch_add(1, Ordering::Relaxed);
        return;
    }
    let dropped_since_last = std::mem::take(&mut buffer.dropped_since_last);
    let was_empty = buffer.lines.is_empty();
    buffer.lines.extend_from_slice(&text);
    drop(buffer);
    if was_empty {
        LINES_ADDED.notify_one();
    }
    if dropped_since_last > 0 {
        event(
            Level::Warn,
            &format!("{dropped_since_last} lines were left out here: nobody read the log"),
        );
    }
}

/// Whether writing [`PIPE_BUF`] bytes to standard error does not block. Files, which cannot be polled, count as
/// writable.
fn is_writable() -> bool {
    let stderr = std::io::stderr();
    let mut descriptors = [PollFd::new(&stderr, PollFlags::OUT)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    match poll(&mut descriptors, Some(&now)) {
        Ok(0) => false,
        Ok(_) | Err(_) => true,
    }
}

/// Writes as many whole lines as fit into one atomic write.
fn write_next_lines() {
    let mut buffer = line_buffer();
    let max_bytes = buffer.lines.len().min(PIPE_BUF);
    let last = buffer
        .lines
        .get(..max_bytes)
        .and_then(|some| some.iter().rposition(|byte| *byte == b'\n'));
    // There is always a line end, because no line is longer than that.
    let end = last.map_or(max_bytes, |last| last + 1);
    // A log that cannot be written is no reason to stop serving.
    let _ = std::io::stderr().write_all(buffer.lines.get(..end).unwrap_or_default());
    buffer.lines.drain(..end);
    if buffer.lines.is_empty() {
        buffer.lines = Vec::new();
    }
}

/// Truncates a text to so many bytes in JSON.
fn truncate(text: &str, max_bytes: usize) -> Cow<'_, str> {
    let mut bytes = 0;
    for (index, character) in text.char_indices() {
        bytes += match character {
            '"' | '\\' => 2,
            control if control.is_control() => 6,
            other => other.len_utf8(),
        };
        if bytes > max_bytes {
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
        assert_eq!(truncate("abc", 3), "abc");
        assert_eq!(truncate("abcd", 3), "abc…");
        assert_eq!(truncate("\"\"", 3), "\"…");
        assert_eq!(truncate("\n\n", 11), "\n…");
        assert_eq!(truncate("ää", 3), "ä…");
        let longest = "\u{1}".repeat(100_000);
        let line = serde_json::to_vec(&Event {
            time: unix_seconds(),
            level: "error",
            message: &truncate(&longest, MAX_MESSAGE_BYTES),
        });
        assert!(line.unwrap().len() < PIPE_BUF);
    }
}
