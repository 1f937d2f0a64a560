//! Edge: the standard error: lines that stay and, on a terminal, a frame below them that is redrawn in place.
//!
//! There is one terminal for the whole process, and so there is one value. The cursor is never hidden and always at the
//! start of a line: however the process ends, the terminal is in order.

use std::io::{IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anstream::{AutoStream, ColorChoice};

use super::frame::Size;
use super::line::Line;
use super::styled::Styled;

/// Synchronized output: text between these is shown at once; terminals without it ignore them.
/// <https://github.com/contour-terminal/vt-extensions/blob/master/synchronized-output.md>
const BEGIN: &str = "\x1b[?2026h";
const END: &str = "\x1b[?2026l";
/// Where the size cannot be found out.
const DEFAULT_SIZE: Size = Size { width: 80, height: 24 };

static SCREEN: Mutex<Screen> = Mutex::new(Screen {
    live: false,
    color: false,
    verbose: false,
    frame: Vec::new(),
});

/// The state of standard error, and the frame on it.
#[derive(Debug)]
pub struct Screen {
    live: bool,
    color: bool,
    verbose: bool,
    frame: Vec<Line>,
}

/// The process' screen.
pub fn screen() -> MutexGuard<'static, Screen> {
    // A panic elsewhere does not make the terminal unusable.
    SCREEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether lines of the standard error can be overwritten.
pub fn can_be_redrawn() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb")
}

impl Screen {
    /// Sets the output mode; colours are those of anstream's global choice and the environment.
    pub fn set(&mut self, live: bool, verbose: bool) {
        self.live = live;
        self.verbose = verbose;
        self.color = AutoStream::choice(&std::io::stderr()) != ColorChoice::Never;
    }

    /// The terminal's size as it is now.
    pub fn size(&self) -> Size {
        let found = terminal_size::terminal_size_of(std::io::stderr());
        found.map_or(DEFAULT_SIZE, |(width, height)| Size {
            width: width.0.into(),
            height: height.0.into(),
        })
    }

    /// Writes text that stays, above the frame if there is one.
    pub fn write(&mut self, text: &Styled) {
        let frame = std::mem::take(&mut self.frame);
        self.paint(&frame, text, frame.clone());
    }

    /// Draws a frame in place of the one before.
    pub fn draw(&mut self, frame: Vec<Line>) {
        let before = std::mem::take(&mut self.frame);
        self.paint(&before, &Styled::default(), frame);
    }

    /// Puts lines that stay in place of the frame.
    pub fn replace_frame(&mut self, lines: &[Line]) {
        let before = std::mem::take(&mut self.frame);
        let mut text = Styled::default();
        for line in lines {
            text.append(line.styled().with("\n"));
        }
        self.paint(&before, &text, Vec::new());
    }

    fn paint(&mut self, before: &[Line], text: &Styled, frame: Vec<Line>) {
        let mut shown = String::new();
        for line in text.render(self.color).lines() {
            self.add(&mut shown, line);
        }
        for line in &frame {
            self.add(&mut shown, &line.styled().render(self.color));
        }
        if self.live {
            let up = rows(before, self.size().width);
            shown = format!("{BEGIN}{}{shown}\x1b[J{END}", cursor_up(up));
        }
        self.frame = frame;
        let mut stream = std::io::stderr().lock();
        // A closed terminal does not stop the run.
        let _ = stream.write_all(shown.as_bytes()).and_then(|()| stream.flush());
    }

    /// Adds a line, and clears the rest of the old one.
    fn add(&self, shown: &mut String, line: &str) {
        shown.push_str(line.trim_end());
        shown.push_str(if self.live { "\x1b[K\n" } else { "\n" });
    }
}

/// A line for those who want to see every detail.
pub fn detail(text: &str) {
    let mut screen = screen();
    if screen.verbose {
        screen.write(&Styled::from(format!("  > {text}")).bounded());
    }
}

/// How many rows a frame takes on a terminal that has become so wide since it was drawn: most terminals rewrap lines.
fn rows(frame: &[Line], width: usize) -> usize {
    let width = width.max(1);
    frame.iter().map(|line| line.width().div_ceil(width).max(1)).sum()
}

fn cursor_up(rows: usize) -> String {
    match rows {
        0 => String::new(),
        rows => format!("\r\x1b[{rows}A"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::Sign;

    #[test]
    fn a_narrower_terminal_has_wrapped_the_frame() {
        let line = |width: usize| Line::new(Sign::Waiting, "x".repeat(width - 2));
        let frame = [line(40), line(79), line(2)];
        for (width, expected) in [(80, 3), (79, 3), (60, 4), (40, 4), (20, 7), (0, 121)] {
            assert_eq!(rows(&frame, width), expected, "{width}");
        }
        assert_eq!((cursor_up(0), cursor_up(3)), (String::new(), "\r\x1b[3A".to_owned()));
    }
}
