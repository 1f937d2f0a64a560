//! Everything that can go wrong for a client, with the one shape all errors have.

use hyper::StatusCode;
use serde::Serialize;

use crate::order::{FieldError, Rejection};

/// What a client can tell errors apart by; a code never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The body is not JSON.
    InvalidJson,
    /// The body is JSON but breaks a rule of the order.
    InvalidOrder,
    /// A query parameter other than an id breaks a rule.
    InvalidQuery,
    /// The id is not there.
    MissingId,
    /// The id is not a number.
    BadId,
    /// No such path, or no such order.
    NotFound,
    /// The path is known, but not with this method.
    MethodNotAllowed,
    /// The client sent its request too slowly.
    RequestTimeout,
    /// An order with this id exists.
    DuplicateOrder,
    /// The body is larger than the route takes.
    TooLarge,
    /// The body says that it is not JSON.
    UnsupportedMediaType,
    /// Another web site sent this request through its visitor's browser.
    CrossSite,
    /// Something is wrong in the service.
    Internal,
    /// Other requests take all the memory there is.
    Busy,
    /// The database cannot be used just now.
    DatabaseUnavailable,
    /// The database did not answer in time; the outcome is not known.
    Timeout,
}

impl Code {
    /// The code as it is written in an answer.
    pub fn name(self) -> &'static str {
        match self {
            Code::InvalidJson => "invalid_json",
            Code::InvalidOrder => "invalid_order",
            Code::InvalidQuery => "invalid_query",
            Code::MissingId => "missing_id",
            Code::BadId => "bad_id",
            Code::NotFound => "not_found",
            Code::MethodNotAllowed => "method_not_allowed",
            Code::RequestTimeout => "request_timeout",
            Code::DuplicateOrder => "duplicate_order",
            Code::TooLarge => "too_large",
            Code::UnsupportedMediaType => "unsupported_media_type",
            Code::CrossSite => "cross_site",
            Code::Internal => "internal",
            Code::Busy => "busy",
            Code::DatabaseUnavailable => "database_unavailable",
            Code::Timeout => "timeout",
        }
    }

    /// The HTTP status that goes with the code.
    pub fn status(self) -> StatusCode {
        match self {
            Code::InvalidJson | Code::InvalidQuery | Code::MissingId | Code::BadId => StatusCode::BAD_REQUEST,
            Code::InvalidOrder => StatusCode::UNPROCESSABLE_ENTITY,
            Code::NotFound => StatusCode::NOT_FOUND,
            Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Code::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Code::DuplicateOrder => StatusCode::CONFLICT,
            Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Code::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Code::CrossSite => StatusCode::FORBIDDEN,
            Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Code::Busy | Code::DatabaseUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Code::Timeout => StatusCode::GATEWAY_TIMEOUT,
        }
    }
}

/// One error as a client gets it. It never holds SQL, a password, a host name or a Rust type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The kind of error.
    pub code: Code,
    /// A sentence for a person.
    pub message: String,
    /// Each wrong field, where the error is about fields.
    pub fields: Vec<FieldError>,
    /// The methods the path knows, for [`Code::MethodNotAllowed`].
    pub allow: Option<&'static str>,
}

impl Problem {
    /// A problem that is not about fields.
    pub fn new(code: Code, message: impl Into<String>) -> Problem {
        Problem {
            code,
            message: message.into(),
            fields: Vec::new(),
            allow: None,
        }
    }

    /// The answer's body.
    pub fn to_json(&self) -> String {
        let body = Body {
            status: false,
            error: Error {
                code: self.code.name(),
                message: &self.message,
                fields: &self.fields,
            },
        };
        // Strings and booleans always have a JSON form.
        serde_json::to_string(&body).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct Body<'problem> {
    status: bool,
    error: Error<'problem>,
}

#[derive(Serialize)]
struct Error<'problem> {
    code: &'static str,
    message: &'problem str,
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    fields: &'problem [FieldError],
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Problem {
        match rejection {
            Rejection::NotJson { line, column } => Problem::new(
                Code::InvalidJson,
                format!("the body is not valid JSON (line {line}, column {column})"),
            ),
            Rejection::Invalid { message, fields } => Problem {
                fields,
                ..Problem::new(Code::InvalidOrder, message)
            },
        }
    }
}
