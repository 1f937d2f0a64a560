//! The pure half of the HTTP interface: which paths there are, and what of an answer is passed on. Nothing here does I/O.

mod forward;
mod route;

pub use forward::{forwarded_response, forwarded_target, is_order_id};
pub use route::Route;

/// A complete request to this service.
pub type BufferedRequest<'request> = microservice::http::BufferedRequest<'request, Route>;
