//! A running step, and its last line: after success, a failure, or an interruption, when it is dropped.

use std::time::Duration;

use super::event::Event;
use super::frame;
use super::line::{Line, Sign};
use super::plain_progress::PlainProgress;
use super::progress::Progress;
use super::progress::ProgressEvent;
use super::screen::screen;
use super::sink::{OutputMode, Sink};

/// A step that runs.
pub struct Step<'a> {
    sink: Sink,
    title: &'a str,
    progress: &'a Progress,
    plain: PlainProgress,
    ended: bool,
}

impl<'a> Step<'a> {
    pub fn begin(sink: Sink, title: &'a str, progress: &'a Progress) -> Self {
        sink.event(&Event::StepStarted { step: title });
        Self {
            sink,
            title,
            progress,
            plain: PlainProgress::default(),
            ended: false,
        }
    }

    /// How often there may be something to show.
    pub fn interval(&self) -> Duration {
        match self.sink.mode {
            OutputMode::Live | OutputMode::Events => Duration::from_millis(100),
            OutputMode::Plain | OutputMode::Quiet => Duration::from_secs(1),
        }
    }

    pub fn tick(&mut self) {
        let Self { title, progress, .. } = *self;
        let now = progress.elapsed();
        match self.sink.mode {
            OutputMode::Quiet => {}
            OutputMode::Events => self.events(),
            OutputMode::Plain => {
                let lines = self
                    .plain
                    .tick(title, &progress.shown_activity(), &progress.table(), now);
                if !lines.is_empty() {
                    screen().replace_frame(&lines);
                }
            }
            OutputMode::Live => {
                let mut screen = screen();
                let size = screen.size();
                screen.draw(frame::frame(
                    title,
                    &progress.shown_activity(),
                    &progress.table(),
                    now,
                    size,
                ));
            }
        }
    }

    pub fn end(&mut self, success: bool) {
        self.ended = true;
        let Self { title, progress, .. } = *self;
        let seconds = progress.elapsed().as_secs_f64();
        let outcome = progress.shown_outcome().filter(|_| success);
        let outcome = outcome.as_deref().unwrap_or(title);
        match self.sink.mode {
            OutputMode::Quiet => {}
            OutputMode::Events => {
                self.events();
                let seconds = (seconds * 1000.0).round() / 1000.0;
                self.sink.event(&if success {
                    Event::StepFinished {
                        step: title,
                        outcome,
                        seconds,
                    }
                } else {
                    Event::StepFailed { step: title, seconds }
                });
            }
            OutputMode::Plain => {
                // What came up is in the outcome; how far the others were is not.
                let mut lines = if success {
                    Vec::new()
                } else {
                    self.plain.changes(&progress.table())
                };
                lines.push(last_line(success, outcome, seconds));
                screen().replace_frame(&lines);
            }
            OutputMode::Live => {
                let mut screen = screen();
                let width = screen.size().width;
                let table = progress.table();
                let mut line = last_line(success, outcome, seconds);
                if line.width() > width && !table.entries.is_empty() {
                    // The lines below have this for each object.
                    line = last_line(success, title, seconds);
                }
                let lines = std::iter::once(line).chain(frame::record(&table, progress.elapsed(), width));
                screen.replace_frame(&lines.collect::<Vec<_>>());
            }
        }
    }

    fn events(&self) {
        for (time, event) in self.progress.take_events() {
            let event = match &event {
                ProgressEvent::Row(row) => Event::object(self.title, row),
                ProgressEvent::Change(change) => Event::Written {
                    step: self.title,
                    change,
                },
            };
            self.sink.event_at(time, &event);
        }
    }
}

impl Drop for Step<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.end(false);
        }
    }
}

fn last_line(success: bool, text: &str, seconds: f64) -> Line {
    let sign = if success { Sign::Done } else { Sign::Failed };
    Line::new(sign, format!("{text} ({seconds:.1} s)"))
}
