//! What an error of the database means for a client. The details go to the log, not to the client.

use mysql_async::{DriverError, Error};

use super::server_errors::{meaning, Meaning};
use crate::http::{Code, Problem};
use crate::log::{self, Level};
use crate::memory::Exhausted;

/// Why the database could not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The database cannot be used just now; trying again later may help.
    Unavailable(&'static str),
    /// The database did not answer in time. A change may or may not be stored.
    Timeout,
    /// The tables are not there yet, or are those of an older version.
    SchemaBehind,
    /// There are tables that must not be migrated, for this reason.
    SchemaRefused(String),
    /// The request is larger than the database takes.
    TooLarge,
    /// Other requests take the memory for the answer.
    Busy,
    /// The service asked for something the database refuses: a fault in the service.
    Internal,
}

impl From<Exhausted> for Failure {
    fn from(_: Exhausted) -> Failure {
        Failure::Busy
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Problem {
        match failure {
            Failure::Unavailable(reason) => Problem::new(Code::DATABASE_UNAVAILABLE, reason),
            Failure::Timeout => Problem::new(
                Code::TIMEOUT,
                "the database did not answer in time; look before you repeat a change",
            ),
            Failure::SchemaBehind => Problem::new(
                Code::DATABASE_UNAVAILABLE,
                "the tables are being prepared; try again soon",
            ),
            Failure::SchemaRefused(reason) => Problem::new(Code::DATABASE_UNAVAILABLE, reason),
            Failure::Busy => Exhausted.into(),
            Failure::TooLarge => Problem::new(
                Code::TOO_LARGE,
                "the request is larger than the database takes (its max_allowed_packet); nothing was changed",
            ),
            Failure::Internal => Problem::new(
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

/// What the error of a statement means, after it has been logged.
pub(super) fn classify(error: &Error) -> Failure {
    let failure = judge(error);
    let level = match failure {
        Failure::Internal => Level::Error,
        _ => Level::Warn,
    };
    log::event(level, &format!("database: {error}"));
    failure
}

fn judge(error: &Error) -> Failure {
    match error {
        Error::Server(error) => match meaning(error) {
            Meaning::NotNow | Meaning::NotHere => {
                Failure::Unavailable("the database cannot do this just now; nothing was changed")
            }
            Meaning::Denied => {
                Failure::Unavailable("the database does not let this service do this; nothing was changed")
            }
            Meaning::Unknown => {
                Failure::Unavailable("the database could not finish the change; look before you repeat it")
            }
            Meaning::TooSlow => Failure::Timeout,
            Meaning::SchemaBehind => Failure::SchemaBehind,
            Meaning::TooLarge => Failure::TooLarge,
            Meaning::Duplicate | Meaning::Fault => Failure::Internal,
        },
        Error::Driver(DriverError::PacketTooLarge) => Failure::TooLarge,
        _ => Failure::Unavailable("the connection to the database broke; look before you repeat a change"),
    }
}
