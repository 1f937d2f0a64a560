//! What `deploy-tool node` and the program that it runs on a node say to each other: a command line there, a line of JSON
//! for each step back.

mod arguments;
mod line;
pub mod number;

pub use arguments::{Arguments, Runtime, Verb};
pub use line::{END, Line, State};
