//! The error codes of the orders service.

use hyper::StatusCode;
use microservice::http::{Code, Problem};

use crate::order::Rejection;

/// The body is JSON, but no valid order.
pub const INVALID_ORDER: Code = Code::new("invalid_order", StatusCode::UNPROCESSABLE_ENTITY);
/// The id is missing.
pub const MISSING_ID: Code = Code::new("missing_id", StatusCode::BAD_REQUEST);
/// The id is not a number.
pub const BAD_ID: Code = Code::new("bad_id", StatusCode::BAD_REQUEST);
/// An order with this id exists.
pub const DUPLICATE_ORDER: Code = Code::new("duplicate_order", StatusCode::CONFLICT);
/// The receiver of events cannot be reached at the moment.
pub const EVENTS_UNAVAILABLE: Code = Code::new("events_unavailable", StatusCode::SERVICE_UNAVAILABLE);

/// The pricing service cannot be reached at the moment.
pub const PRICING_UNAVAILABLE: Code = Code::new("pricing_unavailable", StatusCode::SERVICE_UNAVAILABLE);

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Problem {
        match rejection {
            Rejection::NotJson { line, column } => Problem::new(
                Code::INVALID_JSON,
                format!("the body is not valid JSON (line {line}, column {column})"),
            ),
            Rejection::Invalid { message, fields } => Problem {
                fields,
                ..Problem::new(INVALID_ORDER, message)
            },
        }
    }
}
