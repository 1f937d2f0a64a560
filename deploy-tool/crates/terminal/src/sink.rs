//! Edge: the standard output, and the output mode.

use std::borrow::Cow;
use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::OnceLock;

use jiff::Timestamp;

use super::event::Event;
use super::screen::screen;
use super::styled::Styled;
use super::visible::{visible, visible_json};

/// What the first data met that could not be written.
static LOST: OnceLock<String> = OnceLock::new();
/// <https://man7.org/linux/man-pages/man3/errno.3.html>
const EBADF: i32 = 9;

/// The output mode of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputMode {
    /// Warnings and errors only.
    Quiet,
    /// Line by line.
    Plain,
    /// In place, on a terminal.
    Live,
    /// JSON lines on the standard output, for programs.
    Events,
}

/// Where a run's data go.
#[derive(Clone, Copy, Debug)]
pub struct Sink {
    /// The output mode.
    pub mode: OutputMode,
}

impl Sink {
    /// Prints an event that happens now, where events are printed.
    pub fn event(self, event: &Event) {
        self.event_at(Timestamp::now(), event);
    }

    /// Prints an event, where events are printed.
    pub fn event_at(self, time: Timestamp, event: &Event) {
        if self.mode == OutputMode::Events {
            let _ = self.print_json(&event.line(time));
        }
    }

    /// Prints data.
    pub fn print(self, text: &Styled) {
        // A closed pipe makes no difference here.
        let _ = self.write(text.render(color()).trim_end());
    }

    /// Prints data for programs. Returns false when the reader has closed the pipe.
    pub fn print_json(self, json: &str) -> bool {
        self.write(visible_json(json).trim_end())
    }

    /// Prints text for another program unchanged; control characters are escaped only on a terminal. Returns false when the
    /// reader has closed the pipe.
    pub fn print_raw(self, before: &Styled, text: &str) -> bool {
        let text = if std::io::stdout().is_terminal() {
            visible(text)
        } else {
            Cow::Borrowed(text)
        };
        self.write(&format!("{}{text}", before.render(color())))
    }

    fn write(self, text: &str) -> bool {
        if self.mode == OutputMode::Live {
            // Both streams may be the same terminal.
            screen().replace_frame(&[]);
        }
        let mut stream = std::io::stdout().lock();
        let written = writeln!(stream, "{text}").and_then(|()| stream.flush());
        if let Err(error) = &written
            && is_loss(error)
        {
            _ = LOST.set(error.to_string());
        }
        written.is_ok()
    }
}

/// Why data did not get to the standard output: the run has failed then, whatever else it did.
pub fn lost_output() -> Option<&'static str> {
    LOST.get().map(String::as_str)
}

/// Whether an error is a loss of output: a closed pipe, or a standard output that was closed from the start, is none.
fn is_loss(error: &std::io::Error) -> bool {
    error.kind() != ErrorKind::BrokenPipe && error.raw_os_error() != Some(EBADF)
}

/// Whether the standard output gets colours.
fn color() -> bool {
    anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
}
