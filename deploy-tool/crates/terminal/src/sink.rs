//! Edge: the standard output, and how a run talks.

use std::io::Write;

use jiff::Timestamp;

use super::event::Event;
use super::screen::screen;

/// How a run talks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
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
    /// How it talks.
    pub voice: Voice,
}

impl Sink {
    /// Prints an event that happens now, where events are printed.
    pub fn event(self, event: &Event) {
        self.event_at(Timestamp::now(), event);
    }

    /// Prints an event, where events are printed.
    pub fn event_at(self, time: Timestamp, event: &Event) {
        if self.voice == Voice::Events {
            self.print(&event.line(time));
        }
    }

    /// Prints data.
    pub fn print(self, text: &str) {
        if self.voice == Voice::Live {
            // Both streams may be the same terminal.
            screen().leave(&[]);
        }
        let mut stream = anstream::stdout().lock();
        // A reader that has closed the pipe has seen enough.
        let _ = writeln!(stream, "{}", text.trim_end()).and_then(|()| stream.flush());
    }
}
