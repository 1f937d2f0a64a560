//! All output of the tool: data to standard output, messages to standard error. No text is trusted: all of it goes through
//! [`Styled`], which escapes control characters, so that only the program's own colours have an effect.
//!
//! A step is one line with a tick or a cross and its time. While it runs, its activity is shown: in place on a terminal, else
//! as a line for each change. With JSON output, commands that change something print one event per line instead.

mod change;
mod event;
mod frame;
mod line;
mod plain_progress;
mod printer;
mod progress;
mod row;
mod screen;
mod sink;
mod step;
mod styled;
mod table;
#[cfg(test)]
mod tests;
mod tracker;
mod visible;
mod width;

pub use change::{Action, Change};
pub use printer::{Options, OutputFormat, Printer};
pub use progress::Progress;
pub use row::{Row, RowState};
pub use screen::detail;
pub use sink::lost_output;
pub use styled::Styled;
pub use table::aligned;
pub use visible::{visible, visible_line};
