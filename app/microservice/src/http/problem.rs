//! Errors as clients get them.

use hyper::header::HeaderName;
use hyper::StatusCode;
use serde::Serialize;

/// The code of an error, for clients to match on; its meaning never changes. Services define codes of their own as
/// well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// The code in the response body.
    pub name: &'static str,
    /// The HTTP status that goes with the code.
    pub status: StatusCode,
}

impl Code {
    /// A code with this name.
    pub const fn new(name: &'static str, status: StatusCode) -> Code {
        Code { name, status }
    }

    /// The request is not valid HTTP.
    pub const BAD_REQUEST: Code = Code::new("bad_request", StatusCode::BAD_REQUEST);
    /// The request's head is too large.
    pub const HEAD_TOO_LARGE: Code = Code::new("head_too_large", StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    /// The body is not JSON.
    pub const INVALID_JSON: Code = Code::new("invalid_json", StatusCode::BAD_REQUEST);
    /// A query parameter breaks a rule.
    pub const INVALID_QUERY: Code = Code::new("invalid_query", StatusCode::BAD_REQUEST);
    /// There is no such path, or no resource with that id.
    pub const NOT_FOUND: Code = Code::new("not_found", StatusCode::NOT_FOUND);
    /// The path does not allow the method.
    pub const METHOD_NOT_ALLOWED: Code = Code::new("method_not_allowed", StatusCode::METHOD_NOT_ALLOWED);
    /// The client sent its request too slowly.
    pub const REQUEST_TIMEOUT: Code = Code::new("request_timeout", StatusCode::REQUEST_TIMEOUT);
    /// The body is larger than the limit of the route.
    pub const TOO_LARGE: Code = Code::new("too_large", StatusCode::PAYLOAD_TOO_LARGE);
    /// The media type or the coding of the body is not supported.
    pub const UNSUPPORTED_MEDIA_TYPE: Code = Code::new("unsupported_media_type", StatusCode::UNSUPPORTED_MEDIA_TYPE);
    /// A browser sent the request for another web site.
    pub const CROSS_SITE: Code = Code::new("cross_site", StatusCode::FORBIDDEN);
    /// The request conflicts with other rows of the database.
    pub const CONFLICT: Code = Code::new("conflict", StatusCode::CONFLICT);
    /// The values violate a constraint of the database.
    pub const CONSTRAINT_VIOLATED: Code = Code::new("constraint_violated", StatusCode::UNPROCESSABLE_ENTITY);
    /// The response of another service is too large to be forwarded.
    pub const ANSWER_TOO_LARGE: Code = Code::new("answer_too_large", StatusCode::BAD_GATEWAY);
    /// The service has a bug.
    pub const INTERNAL: Code = Code::new("internal", StatusCode::INTERNAL_SERVER_ERROR);
    /// Other requests use up the memory.
    pub const BUSY: Code = Code::new("busy", StatusCode::SERVICE_UNAVAILABLE);
    /// The database cannot be used at the moment.
    pub const DATABASE_UNAVAILABLE: Code = Code::new("database_unavailable", StatusCode::SERVICE_UNAVAILABLE);
    /// The database or another service did not respond in time; the outcome is not known.
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

/// An error as a client gets it. It never contains SQL, passwords, host names or Rust types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The kind of error.
    pub code: Code,
    /// A sentence for a person.
    pub message: String,
    /// Each wrong field, where the error is about fields.
    pub fields: Vec<FieldError>,
    /// A header with details, such as the allowed methods.
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

    /// The response body.
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
