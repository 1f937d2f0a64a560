//! The pure half of an HTTP interface: routes, problems, answers. Nothing here does I/O or waits.

mod content;
mod hosts;
mod origin;
mod parts;
mod problem;
mod query;
mod reply;
mod request_id;
mod route;

pub use content::Content;
pub use hosts::Hosts;
pub use origin::{Origin, Origins};
pub use parts::{check_encoding, Parts};
pub use problem::{Code, FieldError, Problem};
pub(crate) use query::percent_decoded;
pub use query::Query;
pub use reply::Reply;
pub use request_id::RequestIds;
pub use route::{Route, Target, DEFAULT_BODY_LIMIT};
