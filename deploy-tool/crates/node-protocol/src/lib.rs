//! The protocol between `deploy-tool node` and its installer on a node: a command line, and a line of JSON for each step in
//! the log.

mod arguments;
mod line;
pub mod number;

pub use arguments::{Arguments, Runtime, Verb};
pub use line::{END, Line, State};
