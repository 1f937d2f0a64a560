//! Errors of the database, as clients get them. Details are logged, not sent to clients.

use mysql_async::{DriverError, Error};

use super::server_errors::{classify_server_error, ErrorClass};
use crate::http::{Code, Problem};
use crate::log::{self, Level};
use crate::memory::Exhausted;

/// Why a statement failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseError {
    /// The database cannot be used at the moment, for this reason; a later attempt may succeed.
    Unavailable(&'static str),
    /// The database did not respond in time. A change may or may not have been stored.
    Timeout,
    /// The tables are missing, or the schema has an older version.
    SchemaBehind,
    /// The existing tables must not be migrated, for this reason.
    SchemaRefused(String),
    /// The server rejects the migration, for this reason.
    SchemaFailed(String),
    /// The request is larger than `max_allowed_packet`.
    TooLarge,
    /// There is a conflict with other rows, for this reason.
    Conflict(&'static str),
    /// The values violate a constraint of the database.
    Constraint,
    /// There is no memory for the response, because other requests use it.
    Busy,
    /// A bug in the service.
    Internal,
}

/// The result of a statement: the outer error is one of the database, the inner one of this service.
pub type QueryResult<T> = Result<Result<T, DatabaseError>, Error>;

impl From<Exhausted> for DatabaseError {
    fn from(_: Exhausted) -> DatabaseError {
        DatabaseError::Busy
    }
}

impl From<DatabaseError> for Problem {
    fn from(error: DatabaseError) -> Problem {
        match error {
            DatabaseError::Unavailable(reason) => Problem::new(Code::DATABASE_UNAVAILABLE, reason),
            DatabaseError::Timeout => Problem::new(
                Code::TIMEOUT,
                "the database did not answer in time; look before you repeat a change",
            ),
            DatabaseError::SchemaBehind => Problem::new(
                Code::DATABASE_UNAVAILABLE,
                "the tables are being prepared; try again soon",
            ),
            DatabaseError::SchemaRefused(reason) | DatabaseError::SchemaFailed(reason) => {
                Problem::new(Code::DATABASE_UNAVAILABLE, reason)
            }
            DatabaseError::Busy => Exhausted.into(),
            DatabaseError::TooLarge => Problem::new(
                Code::TOO_LARGE,
                "the request is larger than the database takes (its max_allowed_packet); nothing was changed",
            ),
            DatabaseError::Conflict(reason) => Problem::new(Code::CONFLICT, reason),
            DatabaseError::Constraint => Problem::new(
                Code::CONSTRAINT_VIOLATED,
                "a rule of the database (a check, a trigger or the width of a column) does not allow these values; its \
                 administrator finds which in the log, under this request's time; nothing was changed",
            ),
            DatabaseError::Internal => Problem::new(
                Code::INTERNAL,
                "something is wrong in the service; the log has the details under this request id",
            ),
        }
    }
}

/// Whether a row with the same key exists.
pub fn is_duplicate(error: &Error) -> bool {
    matches!(error, Error::Server(error) if classify_server_error(error) == ErrorClass::Duplicate)
}

/// Whether the user lacks a privilege; for creating a trigger, this includes `log_bin_trust_function_creators`.
pub fn is_denied(error: &Error) -> bool {
    matches!(error, Error::Server(error) if classify_server_error(error) == ErrorClass::Denied)
}

/// Whether the connection cannot be used after the error.
pub fn is_broken(error: &Error) -> bool {
    match error {
        Error::Server(error) => matches!(
            classify_server_error(error),
            // The server closes the connection after a packet that is too large.
            ErrorClass::Reconnect | ErrorClass::OutcomeUnknown | ErrorClass::TooLarge
        ),
        _ => true,
    }
}

/// Logs and classifies an error of a migration. Permanent errors become [`DatabaseError::SchemaFailed`], so that
/// clients do not wait for the migration.
pub(super) fn log_migration_error(error: &Error) -> DatabaseError {
    let failure = log_error(error);
    let Error::Server(server) = error else { return failure };
    let code = server.code;
    match classify_server_error(server) {
        ErrorClass::Denied => DatabaseError::SchemaFailed(format!(
            "the database does not let this service make or change its tables (error {code}): grant it SELECT, INSERT, \
             UPDATE, DELETE, CREATE, ALTER, DROP and TRIGGER on its database"
        )),
        ErrorClass::Internal
        | ErrorClass::SchemaChanged
        | ErrorClass::Constraint
        | ErrorClass::ForeignKey
        | ErrorClass::Duplicate
        | ErrorClass::SchemaBehind => DatabaseError::SchemaFailed(format!(
            "the database does not take a statement by which this service makes or changes its tables (error {code}; the \
             log of the service has the reason)"
        )),
        _ => failure,
    }
}

/// Logs and classifies an error of a statement.
pub(super) fn log_error(error: &Error) -> DatabaseError {
    let kind = classify_error(error);
    let level = match kind {
        DatabaseError::Internal => Level::Error,
        _ => Level::Warn,
    };
    log::event(level, &format!("database: {error}"));
    kind
}

fn classify_error(error: &Error) -> DatabaseError {
    match error {
        Error::Server(error) => match classify_server_error(error) {
            ErrorClass::Temporary | ErrorClass::Reconnect => {
                DatabaseError::Unavailable("the database cannot do this just now; nothing was changed")
            }
            ErrorClass::Denied => {
                DatabaseError::Unavailable("the database does not let this service do this; nothing was changed")
            }
            ErrorClass::SchemaChanged => DatabaseError::Unavailable(
                "the database's tables have been changed so that this cannot be done until its administrator changes them \
                 back; nothing was changed",
            ),
            ErrorClass::ForeignKey => DatabaseError::Conflict(
                "a foreign key of the database does not allow this: other rows refer to this one, or what this one refers \
                 to is not there; nothing was changed",
            ),
            ErrorClass::Duplicate => {
                DatabaseError::Conflict("a row has the same value where each must have its own; nothing was changed")
            }
            ErrorClass::Constraint => DatabaseError::Constraint,
            ErrorClass::OutcomeUnknown => {
                DatabaseError::Unavailable("the database could not finish the change; look before you repeat it")
            }
            ErrorClass::Timeout => DatabaseError::Timeout,
            ErrorClass::SchemaBehind => DatabaseError::SchemaBehind,
            ErrorClass::TooLarge => DatabaseError::TooLarge,
            ErrorClass::Internal => DatabaseError::Internal,
        },
        Error::Driver(DriverError::PacketTooLarge) => DatabaseError::TooLarge,
        _ => DatabaseError::Unavailable("the connection to the database broke; look before you repeat a change"),
    }
}
