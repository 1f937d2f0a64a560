//! Everything that can go wrong for a client, with the one shape all errors have.

use hyper::header::HeaderName;
use hyper::StatusCode;
use serde::Serialize;

/// What a client can tell errors apart by; a code never changes its meaning. A service adds its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// The code as it is written in an answer.
    pub name: &'static str,
    /// The HTTP status that goes with the code.
    pub status: StatusCode,
}

impl Code {
    /// A code of this name.
    pub const fn new(name: &'static str, status: StatusCode) -> Code {
        Code { name, status }
    }

    /// What came is no HTTP.
    pub const BAD_REQUEST: Code = Code::new("bad_request", StatusCode::BAD_REQUEST);
    /// The request's head is larger than the service takes.
    pub const HEAD_TOO_LARGE: Code = Code::new("head_too_large", StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    /// The body is not JSON.
    pub const INVALID_JSON: Code = Code::new("invalid_json", StatusCode::BAD_REQUEST);
    /// A query parameter breaks a rule.
    pub const INVALID_QUERY: Code = Code::new("invalid_query", StatusCode::BAD_REQUEST);
    /// No such path, or nothing of that name.
    pub const NOT_FOUND: Code = Code::new("not_found", StatusCode::NOT_FOUND);
    /// The path is known, but not with this method.
    pub const METHOD_NOT_ALLOWED: Code = Code::new("method_not_allowed", StatusCode::METHOD_NOT_ALLOWED);
    /// The client sent its request too slowly.
    pub const REQUEST_TIMEOUT: Code = Code::new("request_timeout", StatusCode::REQUEST_TIMEOUT);
    /// The body is larger than the route takes.
    pub const TOO_LARGE: Code = Code::new("too_large", StatusCode::PAYLOAD_TOO_LARGE);
    /// The body says that it is not JSON.
    pub const UNSUPPORTED_MEDIA_TYPE: Code = Code::new("unsupported_media_type", StatusCode::UNSUPPORTED_MEDIA_TYPE);
    /// Another web site sent this request through its visitor's browser.
    pub const CROSS_SITE: Code = Code::new("cross_site", StatusCode::FORBIDDEN);
    /// Other rows of the database do not let it be done.
    pub const CONFLICT: Code = Code::new("conflict", StatusCode::CONFLICT);
    /// The database has a rule that these values break.
    pub const CONSTRAINT_VIOLATED: Code = Code::new("constraint_violated", StatusCode::UNPROCESSABLE_ENTITY);
    /// Something is wrong in the service.
    pub const INTERNAL: Code = Code::new("internal", StatusCode::INTERNAL_SERVER_ERROR);
    /// Other requests take all the memory there is.
    pub const BUSY: Code = Code::new("busy", StatusCode::SERVICE_UNAVAILABLE);
    /// The database cannot be used just now.
    pub const DATABASE_UNAVAILABLE: Code = Code::new("database_unavailable", StatusCode::SERVICE_UNAVAILABLE);
    /// The database did not answer in time; the outcome is not known.
    pub const TIMEOUT: Code = Code::new("timeout", StatusCode::GATEWAY_TIMEOUT);
}

/// One wrong field of a body: `quantity` in an object, `[3].quantity` in an array.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The path of the field inside the body.
    pub field: String,
    /// What the field must be.
    pub message: String,
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
    /// A header that tells more, such as the methods that the path knows.
    pub header: Option<(HeaderName, &'static str)>,
}

impl Problem {
    /// A problem that is not about fields.
    pub fn new(code: Code, message: impl Into<String>) -> Problem {
        Problem {
            code,
            message: message.into(),
            fields: Vec::new(),
            header: None,
        }
    }

    /// The answer's body.
    pub fn to_json(&self) -> String {
        let body = Body {
            status: false,
            error: Error {
                code: self.code.name,
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
