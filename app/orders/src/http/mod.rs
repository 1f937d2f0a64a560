//! The pure half of the HTTP interface: from a request to an [`Action`], from an outcome to an
//! answer. Nothing here does I/O or waits.

mod action;
mod answer;
mod code;
mod page;
mod route;

pub use action::{read_action, Action, BufferedRequest, Style};
pub use answer::{response_to_dead_letters, response_to_outcome};
pub use code::EVENTS_UNAVAILABLE;
pub use route::Route;
