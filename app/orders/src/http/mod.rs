//! The pure half of the HTTP interface: from a request to an [`Action`], from an outcome to a
//! response. Nothing here does I/O or waits.

mod action;
mod code;
mod response;
mod route;

pub use action::{read_action, Action, BufferedRequest, Change, PriceSource};
pub use code::{EVENTS_UNAVAILABLE, INVALID_ORDER, PRICING_UNAVAILABLE};
pub use response::{add_price, response_to_dead_letters, response_to_outcome, PricedBy, ResponseStyle};
pub use route::Route;
