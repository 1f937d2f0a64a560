//! The pure half of the HTTP interface: from a request to an [`Action`], from an outcome to a
//! response. Nothing here does I/O or waits.

mod action;
mod response;
mod route;

pub use action::{read_action, Action, BufferedRequest};
pub use response::response_to_outcome;
pub use route::Route;
