//! What an error of the database means for a client. The details go to the log, not to the client.

use mysql_async::Error;

use crate::command::Failure;
use crate::log::{self, Level};

/// An order with this id exists: `ER_DUP_ENTRY`.
const DUPLICATE_ENTRY: u16 = 1062;

/// Numbers of the server's errors by what they mean:
/// <https://mariadb.com/docs/server/reference/error-codes>.
mod numbers {
    /// A table or column is not there: the schema is behind.
    pub const SCHEMA: [u16; 2] = [1054, 1146];
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

/// Whether the error says that an order exists already.
pub fn is_duplicate(error: &Error) -> bool {
    matches!(error, Error::Server(error) if error.code == DUPLICATE_ENTRY)
}

/// Whether the connection is of no more use after the error.
pub fn is_broken(error: &Error) -> bool {
    match error {
        Error::Server(error) => numbers::SESSION.contains(&error.code),
        _ => true,
    }
}

/// What the error of a statement means, after it has been logged.
pub fn classify(error: &Error) -> Failure {
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
