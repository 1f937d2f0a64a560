//! The only place that prints: data to the standard output, talk to the standard error. It knows nothing of what it prints, and
//! so trusts none of it: all text goes through [`Styled`], where only the program's own colours have an effect.
//!
//! A step is one line with a tick or a cross and its time. While it runs it shows what it does and waits for: in place on
//! a terminal, else a line for each change. With JSON output a command that changes something prints events instead, one a
//! line.

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
