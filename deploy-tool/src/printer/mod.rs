//! The only place that prints: data to the standard output, talk to the standard error.
//!
//! A step is one line with a tick or a cross and its time. While it runs it shows what it does and waits for: in place on
//! a terminal, else a line for each change. With `--output json` a verb that acts prints [events](event) instead.

mod event;
mod frame;
mod line;
mod log;
mod narrator;
mod progress;
mod screen;
mod step;
mod table;
mod width;
mod written;

pub use progress::Progress;
pub use screen::detail;
pub use written::{Action, Written};

use std::cell::RefCell;
use std::io::Write;
use std::time::Instant;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use serde::Serialize;

use crate::cli::{OutputFormat, Talk};
use diagnostics::{ExitStatus, Failure, Outcome};
use event::Event;
use line::{Line, Sign};
use screen::screen;
use step::Step;

const RED: Style = AnsiColor::Red.on_default();

/// Where a run's talk and data go.
#[derive(Debug)]
pub struct Printer {
    voice: Voice,
    output: OutputFormat,
    start: Instant,
    result: RefCell<Option<serde_json::Value>>,
}

/// How a run talks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Voice {
    /// Warnings and errors only.
    Quiet,
    /// Line by line.
    Plain,
    /// In place, on a terminal.
    Live,
    /// JSON lines on the standard output, for programs.
    Events,
}

impl Printer {
    /// A printer on this process' streams, for a verb that acts or for one that only looks.
    pub fn new(talk: &Talk, acts: bool) -> Self {
        let voice = match (talk.output, talk.quiet) {
            (OutputFormat::Json, _) if acts => Voice::Events,
            (OutputFormat::Json, _) | (_, true) => Voice::Quiet,
            _ if screen::can_be_redrawn() => Voice::Live,
            _ => Voice::Plain,
        };
        screen().set(voice == Voice::Live, talk.verbose);
        Self {
            voice,
            output: talk.output,
            start: Instant::now(),
            result: RefCell::default(),
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
        let mut step = Step::begin(self, title, &progress);
        let interval = step.interval();
        let mut ticker = tokio::time::interval_at(tokio::time::Instant::now() + interval, interval);
        let mut work = std::pin::pin!(work(&progress));
        let result = loop {
            tokio::select! {
                result = &mut work => break result,
                _ = ticker.tick() => step.tick(),
            }
        };
        step.end(result.is_ok());
        result
    }

    /// Something the reader can act on, though the run goes on.
    pub fn warning(&self, text: &str) {
        match self.voice {
            Voice::Events => self.event(&Event::Warning { text }),
            _ => screen().write(&Line::new(Sign::Warning, text).styled()),
        }
    }

    /// A plain line of talk.
    pub fn say(&self, text: &str) {
        match self.voice {
            Voice::Quiet => {}
            Voice::Events => self.event(&Event::Message { text }),
            Voice::Plain | Voice::Live => screen().write(text),
        }
    }

    /// Text for the reader or the next program in a pipe.
    pub fn data(&self, text: &str) {
        match self.voice {
            Voice::Events => self.event(&Event::Message { text: text.trim_end() }),
            _ => self.print(text),
        }
    }

    /// What a verb was asked for: text for people, its JSON form for programs.
    pub fn result(&self, value: &impl Serialize, text: &str) {
        // What is not text, a number, a list or a map of these is a mistake that tests find.
        let value = serde_json::to_value(value).unwrap_or_default();
        match (self.output, self.voice) {
            (_, Voice::Events) => *self.result.borrow_mut() = Some(value),
            (OutputFormat::Json, _) => self.print(&format!("{value:#}")),
            (OutputFormat::Text, _) => self.print(text),
        }
    }

    /// The last words of a run that did what it was asked for.
    pub fn done(&self, status: ExitStatus) {
        let seconds = (self.start.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
        self.event(&Event::Result {
            exit_code: status as u8,
            seconds,
            data: self.result.take(),
        });
    }

    /// The last words of a run that failed. Programs get them on the standard output, whatever the verb prints there.
    pub fn failure(&self, failure: &Failure) {
        let mut number = String::new();
        let mut more = String::new();
        if let Some(code) = failure.number() {
            number = format!(" {code}");
            more = format!("\n  more: `deploy-tool explain {code}`");
        }
        screen().write(&format!("\n{RED}error{number}:{RED:#} {failure}{more}"));
        if self.json() {
            self.print(&Event::failure(failure).line(Timestamp::now()));
        }
    }

    fn event(&self, event: &Event) {
        self.event_at(Timestamp::now(), event);
    }

    fn event_at(&self, time: Timestamp, event: &Event) {
        if self.voice == Voice::Events {
            self.print(&event.line(time));
        }
    }

    fn print(&self, text: &str) {
        if self.voice == Voice::Live {
            // Both streams may be the same terminal.
            screen().leave(&[]);
        }
        let mut stream = anstream::stdout().lock();
        // A reader that has closed the pipe has seen enough.
        let _ = writeln!(stream, "{}", text.trim_end()).and_then(|()| stream.flush());
    }
}
