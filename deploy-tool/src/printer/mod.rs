//! The only file that prints: data to the standard output, talk to the standard error.
//!
//! A step is one line with a tick or a cross and its time. While it runs it shows that it is alive and what it does:
//! in place on a terminal, else with a line every ten seconds. `NO_COLOR` is respected (by anstream).

mod log;
mod progress;
pub mod table;
pub mod width;

pub use progress::Progress;

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::cli::{OutputFormat, Talk};
use crate::failure::{Failure, Outcome};
use anstyle::{AnsiColor, Style};
use width::cut;

/// How often a step that takes long says so where lines cannot be overwritten.
const ALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// How often the line in place is redrawn.
const REDRAW_INTERVAL: Duration = Duration::from_millis(250);
/// The width of a line that is redrawn in place: it must never wrap.
const LINE_WIDTH: usize = 79;
/// The width of a line that says a step is alive where lines cannot be overwritten.
const LOG_LINE_WIDTH: usize = 180;

const GREEN: Style = AnsiColor::Green.on_default();
const RED: Style = AnsiColor::Red.on_default();
const YELLOW: Style = AnsiColor::Yellow.on_default();

/// Where a run's talk and data go.
#[derive(Debug)]
pub struct Printer {
    terminal: bool,
    output: OutputFormat,
}

impl Printer {
    /// A printer on this process' streams.
    pub fn new(talk: &Talk) -> Self {
        Self {
            output: talk.output,
            terminal: std::io::stderr().is_terminal(),
        }
    }

    /// Whether data is for programs.
    pub fn json(&self) -> bool {
        self.output == OutputFormat::Json
    }

    /// Does a piece of work as one step.
    ///
    /// # Errors
    /// Those of the work.
    pub async fn step<T>(&self, title: &str, work: impl AsyncFnOnce(&Progress) -> Outcome<T>) -> Outcome<T> {
        let progress = Progress::default();
        let start = Instant::now();
        let interval = if self.terminal { REDRAW_INTERVAL } else { ALIVE_INTERVAL };
        let mut ticker = tokio::time::interval_at(tokio::time::Instant::now() + interval, interval);
        let mut work = std::pin::pin!(work(&progress));
        let result = loop {
            tokio::select! {
                result = &mut work => break result,
                _ = ticker.tick() => {
                    self.changes(&progress);
                    self.alive(title, start.elapsed(), &progress.shown_activity());
                }
            }
        };
        self.changes(&progress);
        let (sign, style) = if result.is_ok() { ('✓', GREEN) } else { ('✗', RED) };
        let outcome = progress.shown_outcome();
        let text = outcome.as_deref().filter(|_| result.is_ok()).unwrap_or(title);
        self.line(&format!(
            "{style}{sign}{style:#} {text} ({:.1} s)",
            start.elapsed().as_secs_f64()
        ));
        result
    }

    fn changes(&self, progress: &Progress) {
        for (_, row) in progress.take_changes() {
            self.line(&format!("  … {}: {}", row.title, row.reason));
        }
    }

    fn alive(&self, title: &str, elapsed: Duration, activity: &str) {
        let text = format!("{title} ({} s) {activity}", elapsed.as_secs());
        if self.terminal {
            let line = cut(&format!("… {text}"), LINE_WIDTH);
            let mut stream = anstream::stderr().lock();
            // A terminal that has gone away is no reason to stop the work.
            let _ = write!(stream, "\r\x1b[2K{line}").and_then(|()| stream.flush());
        } else {
            self.line(&format!("  … {}", cut(&text, LOG_LINE_WIDTH).trim_end()));
        }
    }

    /// Something the reader can act on, though the run goes on.
    pub fn warning(&self, text: &str) {
        self.line(&format!("{YELLOW}!{YELLOW:#} {text}"));
    }

    /// A plain line of talk.
    pub fn say(&self, text: &str) {
        self.line(text);
    }

    /// The last words of a run that failed.
    pub fn failure(&self, failure: &Failure) {
        let number = failure.number().map(|code| format!(" {code}")).unwrap_or_default();
        self.line(&format!("\n{RED}error{number}:{RED:#} {failure}"));
    }

    fn line(&self, text: &str) {
        let start = if self.terminal { "\r\x1b[2K" } else { "" };
        let mut stream = anstream::stderr().lock();
        let _ = writeln!(stream, "{start}{text}");
    }

    /// Data for the reader or the next program in a pipe.
    pub fn data(&self, text: &str) {
        let mut stream = anstream::stdout().lock();
        // A reader that has closed the pipe has seen enough.
        let _ = writeln!(stream, "{}", text.trim_end()).and_then(|()| stream.flush());
    }
}
