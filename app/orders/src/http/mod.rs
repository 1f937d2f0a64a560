//! The pure half of the HTTP interface: from a request to an [`Action`], from an outcome to an
//! answer. Nothing here does I/O or waits.

mod action;
mod answer;
mod code;
mod route;

pub use action::{read_action, Action, BufferedRequest, Change, Prices, Style};
pub use answer::{response_to_dead_letters, response_to_outcome, with_price, PricedBy};
pub use code::{EVENTS_UNAVAILABLE, INVALID_ORDER, PRICING_UNAVAILABLE};
pub use route::Route;
