//! What an error of the database means for a client. The details go to the log, not to the client.

use mysql_async::{DriverError, Error};

use super::server_errors::{meaning, Meaning};
use crate::http::{Code, Problem};
use crate::log::{self, Level};
use crate::memory::Exhausted;

/// Why the database could not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseError {
    /// The database cannot be used just now; trying again later may help.
    Unavailable(&'static str),
    /// The database did not answer in time. A change may or may not be stored.
    Timeout,
    /// The tables are not there yet, or are those of an older version.
    SchemaBehind,
    /// There are tables that must not be migrated, for this reason.
    SchemaRefused(String),
    /// The server does not let the tables be made or changed, for this reason.
    SchemaFailed(String),
    /// The request is larger than the database takes.
    TooLarge,
    /// Other rows do not let it be done, for this reason.
    Conflict(&'static str),
    /// The values break a rule of the database.
    Rule,
    /// Other requests take the memory for the answer.
    Busy,
    /// The service asked for something the database refuses: a fault in the service.
    Internal,
}

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
            DatabaseError::Rule => Problem::new(
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

/// Whether the error says that a row with this key exists already.
pub fn is_duplicate(error: &Error) -> bool {
    matches!(error, Error::Server(error) if meaning(error) == Meaning::Duplicate)
}

/// Whether the error says that the service's user may not do this; for a trigger with a binary log, that it is not
/// trusted to.
pub fn is_denied(error: &Error) -> bool {
    matches!(error, Error::Server(error) if meaning(error) == Meaning::Denied)
}

/// Whether the connection is of no more use after the error.
pub fn is_broken(error: &Error) -> bool {
    match error {
        Error::Server(error) => matches!(
            meaning(error),
            // After a packet that is too large the server closes it.
            Meaning::NotHere | Meaning::Unknown | Meaning::TooLarge
        ),
        _ => true,
    }
}

/// What the error of a migration means, after it has been logged. What the server will not do the next time either is told:
/// nobody should wait for it.
pub(super) fn classify_migration(error: &Error) -> DatabaseError {
    let failure = classify(error);
    let Error::Server(server) = error else { return failure };
    let code = server.code;
    match meaning(server) {
        Meaning::Denied => DatabaseError::SchemaFailed(format!(
            "the database does not let this service make or change its tables (error {code}): grant it SELECT, INSERT, \
             UPDATE, DELETE, CREATE, ALTER, DROP and TRIGGER on its database"
        )),
        Meaning::Fault
        | Meaning::Misfit
        | Meaning::Rule
        | Meaning::Reference
        | Meaning::Duplicate
        | Meaning::SchemaBehind => DatabaseError::SchemaFailed(format!(
            "the database does not take a statement by which this service makes or changes its tables (error {code}; the \
             log of the service has the reason)"
        )),
        _ => failure,
    }
}

/// What the error of a statement means, after it has been logged.
pub(super) fn classify(error: &Error) -> DatabaseError {
    let kind = judge(error);
    let level = match kind {
        DatabaseError::Internal => Level::Error,
        _ => Level::Warn,
    };
    log::event(level, &format!("database: {error}"));
    kind
}

fn judge(error: &Error) -> DatabaseError {
    match error {
        Error::Server(error) => match meaning(error) {
            Meaning::NotNow | Meaning::NotHere => {
                DatabaseError::Unavailable("the database cannot do this just now; nothing was changed")
            }
            Meaning::Denied => {
                DatabaseError::Unavailable("the database does not let this service do this; nothing was changed")
            }
            Meaning::Misfit => DatabaseError::Unavailable(
                "the database's tables have been changed so that this cannot be done until its administrator changes them \
                 back; nothing was changed",
            ),
            Meaning::Reference => DatabaseError::Conflict(
                "a foreign key of the database does not allow this: other rows refer to this one, or what this one refers \
                 to is not there; nothing was changed",
            ),
            Meaning::Duplicate => {
                DatabaseError::Conflict("a row has the same value where each must have its own; nothing was changed")
            }
            Meaning::Rule => DatabaseError::Rule,
            Meaning::Unknown => {
                DatabaseError::Unavailable("the database could not finish the change; look before you repeat it")
            }
            Meaning::TooSlow => DatabaseError::Timeout,
            Meaning::SchemaBehind => DatabaseError::SchemaBehind,
            Meaning::TooLarge => DatabaseError::TooLarge,
            Meaning::Fault => DatabaseError::Internal,
        },
        Error::Driver(DriverError::PacketTooLarge) => DatabaseError::TooLarge,
        _ => DatabaseError::Unavailable("the connection to the database broke; look before you repeat a change"),
    }
}
