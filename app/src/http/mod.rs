//! The pure half of the HTTP interface: from a request to an [`Action`], from an outcome to a
//! [`Reply`]. Nothing here does I/O or waits.

mod action;
mod origin;
mod page;
mod problem;
mod query;
mod reply;
mod request_id;
mod route;

pub use action::{answer_size, read_action, reply_to_outcome, Action, Parts, Style};
pub use origin::{Origin, Origins};
pub use problem::{Code, Problem};
pub(crate) use query::percent_decoded;
pub use query::Query;
pub use reply::Reply;
pub use request_id::RequestIds;
pub use route::{Route, Target};
