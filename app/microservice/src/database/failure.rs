//! What an error of the database means for a client. The details go to the log, not to the client.

use mysql_async::Error;

use crate::http::{Code, Problem};
use crate::log::{self, Level};

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
    /// The service asked for something the database refuses: a fault in the service.
    Internal,
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
            Failure::Internal => Problem::new(
                Code::INTERNAL,
                "something is wrong in the service; the log has the details under this request id",
            ),
        }
    }
}

/// A row with this key exists: `ER_DUP_ENTRY`.
const DUPLICATE_ENTRY: u16 = 1062;

/// Numbers of the server's errors by what they mean:
/// <https://mariadb.com/docs/server/reference/error-codes>.
mod numbers {
    /// A table or column is not there: the schema is behind.
    pub const SCHEMA: [u16; 2] = [1054, 1146];
    /// The user lacks a privilege.
    pub const DENIED: [u16; 4] = [1044, 1142, 1227, 1419];
    /// The statement took longer than `max_statement_time`.
    pub const TIME: [u16; 2] = [1969, 3024];
    /// The session is of no more use: shutting down, killed, aborted, read-only after a failover.
    pub const SESSION: [u16; 8] = [1053, 1152, 1184, 1290, 1792, 1836, 1927, 4031];
    /// The server lacks something just now: memory, disk, locks, connections; or it was interrupted
    /// by its administrator. The statement was rolled back.
    pub const RESOURCES: [u16; 14] = [
        1021, 1037, 1038, 1041, 1114, 1180, 1203, 1205, 1213, 1226, 1317, 1040, 1044, 1142,
    ];
}

/// Whether the error says that a row with this key exists already.
pub fn is_duplicate(error: &Error) -> bool {
    matches!(error, Error::Server(error) if error.code == DUPLICATE_ENTRY)
}

/// Whether the error says that the service's user may not do this; for a trigger with a binary log, that it is not
/// trusted to.
pub fn is_denied(error: &Error) -> bool {
    matches!(error, Error::Server(error) if numbers::DENIED.contains(&error.code))
}

/// Whether the connection is of no more use after the error.
pub(super) fn is_broken(error: &Error) -> bool {
    match error {
        Error::Server(error) => numbers::SESSION.contains(&error.code),
        _ => true,
    }
}

/// What the error of a statement means, after it has been logged.
pub(super) fn classify(error: &Error) -> Failure {
    let failure = meaning(error);
    let level = match failure {
        Failure::Internal => Level::Error,
        _ => Level::Warn,
    };
    log::event(level, &format!("database: {error}"));
    failure
}

fn meaning(error: &Error) -> Failure {
    match error {
        Error::Server(error) if numbers::SCHEMA.contains(&error.code) => Failure::SchemaBehind,
        Error::Server(error) if numbers::TIME.contains(&error.code) => Failure::Timeout,
        Error::Server(error) if numbers::SESSION.contains(&error.code) || numbers::RESOURCES.contains(&error.code) => {
            Failure::Unavailable("the database cannot do this just now; nothing was changed")
        }
        Error::Server(_) => Failure::Internal,
        _ => Failure::Unavailable("the connection to the database broke; look before you repeat a change"),
    }
}
