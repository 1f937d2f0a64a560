//! How lines of logs are printed: as they are, behind the pod's and the container's name when there are several.

use std::io::Write;

use anstyle::{AnsiColor, Style};

use terminal::Printer;

use super::Line;

/// Colours that can be read on dark and on light ground, and say nothing: red and yellow do.
const COLOURS: [AnsiColor; 5] = [
    AnsiColor::Cyan,
    AnsiColor::Green,
    AnsiColor::Magenta,
    AnsiColor::Blue,
    AnsiColor::BrightBlack,
];

/// Prints one line of a container's log, exactly as it was written. Whether somebody still reads.
pub fn print(printer: &Printer, line: &Line, named: bool) -> bool {
    let text = match (printer.json(), named) {
        (true, _) => serde_json::to_string(line).unwrap_or_default(),
        (false, false) => line.line.to_owned(),
        (false, true) => {
            let style = style(line.pod);
            format!("{style}{} {} |{style:#} {}", line.pod, line.container, line.line)
        }
    };
    let mut stream = std::io::stdout().lock();
    writeln!(stream, "{text}").and_then(|()| stream.flush()).is_ok()
}

/// A pod's colour: the same each time, and none where there are no colours.
fn style(pod: &str) -> Style {
    if anstream::AutoStream::choice(&std::io::stdout()) == anstream::ColorChoice::Never {
        return Style::new();
    }
    let sum: usize = pod.bytes().map(usize::from).sum();
    COLOURS[sum % COLOURS.len()].on_default()
}
