//! The answer to what is not valid HTTP.

use crate::http::{Code, Problem};

/// The problem of a request that is not valid HTTP/1.1.
pub fn malformed(what: impl std::fmt::Display) -> Problem {
    Problem::new(
        Code::BAD_REQUEST,
        format!("this is no valid HTTP request: it has {what}"),
    )
}
