//! The only place that prints: data to the standard output, talk to the standard error. It knows nothing of what it prints.
//!
//! A step is one line with a tick or a cross and its time. While it runs it shows what it does and waits for: in place on
//! a terminal, else a line for each change. With JSON output a command that changes something prints events instead, one a
//! line.

mod change;
mod event;
mod frame;
mod line;
mod narrator;
mod printer;
mod progress;
mod row;
mod screen;
mod sink;
mod step;
mod table;
mod tracker;
mod width;

pub use change::{Action, Change};
pub use printer::{Options, OutputFormat, Printer};
pub use progress::Progress;
pub use row::{Row, RowState};
pub use screen::detail;
pub use table::aligned;
