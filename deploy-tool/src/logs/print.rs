//! How lines of logs are printed: as they are, behind the pod's and the container's name when there are several.

use anstyle::{AnsiColor, Style};

use terminal::{Printer, Styled};

use super::Line;

/// Colours that are legible on dark and light backgrounds, without red and yellow, which mean errors and warnings.
const COLOURS: [AnsiColor; 5] = [
    AnsiColor::Cyan,
    AnsiColor::Green,
    AnsiColor::Magenta,
    AnsiColor::Blue,
    AnsiColor::BrightBlack,
];

/// Prints one line of a container's log: unchanged, but on a terminal with escaped control characters. Returns false when
/// the reader has closed the pipe.
pub fn print(printer: &Printer, line: &Line, named: bool) -> bool {
    if printer.json() {
        let Line {
            pod,
            container,
            time,
            line: text,
        } = *line;
        return match printer.log(pod, container, time, text) {
            Some(is_read) => is_read,
            None => printer.json_line(line),
        };
    }
    let mut name = Styled::default();
    if named {
        name.paint(style(line.pod), format!("{} {} |", line.pod, line.container));
        name.push(" ");
    }
    printer.raw(&name, line.line)
}

/// A pod's colour: the same each time.
fn style(pod: &str) -> Style {
    let sum: usize = pod.bytes().map(usize::from).sum();
    COLOURS[sum % COLOURS.len()].on_default()
}
