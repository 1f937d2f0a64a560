//! The pure half of an HTTP interface: routes, problems, answers. Nothing here does I/O or waits.

mod buffered_request;
mod content;
mod cors;
mod hosts;
mod problem;
mod query;
mod request_id;
mod response;
mod route;

pub use buffered_request::{check_encoding, BufferedRequest};
pub use content::Content;
pub use cors::{Origin, Origins};
pub use hosts::Hosts;
pub use problem::{Code, FieldError, Problem};
pub use query::Query;
pub use request_id::RequestIds;
pub use response::{Response, SERVED_BY};
pub use route::{Route, Target, DEFAULT_BODY_LIMIT};
