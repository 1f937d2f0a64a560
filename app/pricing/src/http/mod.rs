//! The pure half of the HTTP interface: from a request to an [`Action`]. Nothing here does I/O or waits.

mod action;
mod route;

pub use action::{read_action, Action, BufferedRequest};
pub use route::Route;
