//! Where a run's talk and data go.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use serde::Serialize;

use diagnostics::{Error, ExitStatus, Result};

use super::event::Event;
use super::line::{Line, Sign};
use super::progress::Progress;
use super::screen::{self, screen};
use super::sink::{OutputMode, Sink};
use super::step::Step;
use super::styled::Styled;
use super::visible::bounded;

const RED: Style = AnsiColor::Red.on_default();

/// Where a run's talk and data go.
#[derive(Debug)]
pub struct Printer {
    sink: Sink,
    output: OutputFormat,
    start: Instant,
    result: RefCell<Option<serde_json::Value>>,
}

/// The mode of standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// What a user has asked for.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// For people or for programs.
    pub output: OutputFormat,
    /// Nothing but warnings, errors and data.
    pub quiet: bool,
    /// Every detail.
    pub verbose: bool,
}

impl Printer {
    /// A printer on this process' streams, for a command that changes something or for one that only looks.
    pub fn new(options: Options, acts: bool) -> Self {
        let mode = match (options.output, options.quiet) {
            (OutputFormat::Json, _) if acts => OutputMode::Events,
            (OutputFormat::Json, _) | (_, true) => OutputMode::Quiet,
            _ if screen::can_be_redrawn() => OutputMode::Live,
            _ => OutputMode::Plain,
        };
        screen().set(mode == OutputMode::Live, options.verbose);
        Self {
            sink: Sink { mode },
            output: options.output,
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
    pub async fn step<T>(&self, title: &str, work: impl AsyncFnOnce(&Progress) -> Result<T>) -> Result<T> {
        let progress = Progress::default();
        let mut step = Step::begin(self.sink, title, &progress);
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
        match self.sink.mode {
            OutputMode::Events => self.sink.event(&Event::Warning { text }),
            _ => screen().write(&Line::new(Sign::Warning, text).styled()),
        }
    }

    /// Prints a line for people; a `message` event in JSON.
    pub fn info(&self, text: &str) {
        match self.sink.mode {
            OutputMode::Quiet => {}
            OutputMode::Events => self.sink.event(&Event::Message { text }),
            OutputMode::Plain | OutputMode::Live => screen().write(&Styled::from(text).bounded()),
        }
    }

    /// Text for the reader, JSON for programs.
    pub fn data(&self, text: impl Into<Styled>) {
        let text = text.into();
        match (self.sink.mode, self.output) {
            (OutputMode::Events, _) => self.sink.event(&Event::Message {
                text: text.render(false).trim_end(),
            }),
            (_, OutputFormat::Json) => _ = self.sink.print_json(&text.plain()),
            (_, OutputFormat::Text) => self.sink.print(&text),
        }
    }

    /// The JSON of a value, for programs.
    ///
    /// # Errors
    /// When the value has no form in JSON.
    pub fn document(&self, value: &impl Serialize) -> Result<()> {
        let json = serde_json::to_string_pretty(value);
        self.data(json.map_err(|error| Error::prerequisite("cannot write the answer as JSON").cause(error))?);
        Ok(())
    }

    /// Prints text for another program after a prefix: unchanged, except on a terminal. Returns false when the reader has
    /// closed the pipe.
    pub fn raw(&self, before: &Styled, text: &str) -> bool {
        self.sink.print_raw(before, text)
    }

    /// Prints a line of a container's log as an event. Returns false when the reader has closed the pipe; none where output is
    /// no events.
    pub fn log(&self, pod: &str, container: &str, written: Option<Timestamp>, line: &str) -> Option<bool> {
        let event = Event::Log {
            pod,
            container,
            written: written.map(|time| time.to_string()),
            line,
        };
        let is_read = || self.sink.print_json(&event.line(Timestamp::now()));
        (self.sink.mode == OutputMode::Events).then(is_read)
    }

    /// A deployment of those that one run makes again and again: an event for programs, and for people a failure if it has one.
    pub fn cycle(&self, number: u32, state: &'static str, changed: &[String], time: Duration, failure: Option<&Error>) {
        if let Some(failure) = failure.filter(|_| self.sink.mode != OutputMode::Events) {
            screen().write(&failure_text(failure));
        }
        self.sink.event(&Event::Cycle {
            cycle: number,
            state,
            changed,
            seconds: (time.as_secs_f64() * 1000.0).round() / 1000.0,
            failure: failure.map(ToString::to_string),
        });
    }

    /// Prints a line of JSON. Returns false when the reader has closed the pipe.
    pub fn json_line(&self, value: &impl Serialize) -> bool {
        self.sink.print_json(&serde_json::to_string(value).unwrap_or_default())
    }

    /// What a verb was asked for: text for people, its JSON form for programs.
    pub fn result(&self, value: &impl Serialize, text: impl Into<Styled>) {
        // Serialization fails only for types that are not JSON, which tests would find.
        let value = serde_json::to_value(value).unwrap_or_default();
        match (self.output, self.sink.mode) {
            (_, OutputMode::Events) => *self.result.borrow_mut() = Some(value),
            (OutputFormat::Json, _) => _ = self.sink.print_json(&format!("{value:#}")),
            (OutputFormat::Text, _) => self.sink.print(&text.into()),
        }
    }

    /// Prints the last event of a successful run.
    pub fn done(&self, status: ExitStatus) {
        let seconds = (self.start.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
        self.sink.event(&Event::Result {
            exit_code: status as u8,
            seconds,
            data: self.result.take(),
        });
    }

    /// The last words of a run that failed. Programs get them on the standard output, whatever the verb prints there.
    pub fn failure(&self, failure: &Error) {
        screen().write(&failure_text(failure));
        if self.json() {
            let _ = self.sink.print_json(&Event::failure(failure).line(Timestamp::now()));
        }
    }
}

/// A failure for people.
pub(crate) fn failure_text(failure: &Error) -> Styled {
    let (mut number, mut more) = (String::new(), String::new());
    if let Some(code) = failure.number() {
        number = format!(" {code}");
        more = format!("\n  more: `deploy-tool explain {code}`");
    }
    Styled::from("\n")
        .painted(RED, format!("error{number}:"))
        .with(bounded(&format!(" {failure}{more}")))
}
