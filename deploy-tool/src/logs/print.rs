//! How lines of logs are printed: as they are, behind the pod's and the container's name when there are several.

use anstyle::{AnsiColor, Style};

use terminal::{Printer, Styled};

use super::Line;

/// Colours that can be read on dark and on light ground, and say nothing: red and yellow do.
const COLOURS: [AnsiColor; 5] = [
    AnsiColor::Cyan,
    AnsiColor::Green,
    AnsiColor::Magenta,
    AnsiColor::Blue,
    AnsiColor::BrightBlack,
];

/// Prints one line of a container's log: exactly as it was written, but on a terminal with what would act on it as
/// escapes. Whether somebody still reads.
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
