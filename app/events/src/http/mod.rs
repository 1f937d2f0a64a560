//! The pure half of the HTTP interface: from a request to an [`Action`], from an outcome to an
//! answer. Nothing here does I/O or waits.

mod action;
mod answer;
mod route;

pub use action::{read_action, Action, BufferedRequest};
pub use answer::response_to_outcome;
pub use route::Route;
