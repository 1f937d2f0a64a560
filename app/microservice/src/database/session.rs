//! What a session needs, whatever the server's defaults are: it is set, and then looked at.

use std::ops::{Deref, DerefMut};

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, Row};

use super::row::{integer, text};
use super::{Answer, DatabaseError};

/// What a statement has beside its longest parameters.
const PARAMETERS: usize = 256;

/// A change is committed when its statement has been answered; no value is ever cut to fit; texts are Unicode on the way;
/// nothing a server's administrator may have set for people at a terminal limits statements, or ends a session that rests for
/// a moment. The limits on the time end work whose client has gone: they are a second longer than
/// [`QUERY_TIMEOUT`](super::QUERY_TIMEOUT), so that it is always that which a client is told of. The comment is read by
/// MariaDB alone.
const STATEMENTS: [&str; 3] = [
    "SET NAMES utf8mb4",
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE",
    "SET SESSION autocommit = 1, completion_type = 'NO_CHAIN', sql_mode = 'STRICT_ALL_TABLES', time_zone = '+00:00', \
     unique_checks = 1, foreign_key_checks = 1, sql_safe_updates = 0, sql_big_selects = 1, \
     sql_select_limit = 18446744073709551615, innodb_lock_wait_timeout = 6, lock_wait_timeout = 6, wait_timeout = 600 \
     /*M!, max_statement_time = 6 */",
];

/// For migrations: a large table takes its time, only requests are held to a limit.
pub const UNLIMITED: &str =
    "SET SESSION innodb_lock_wait_timeout = 600, lock_wait_timeout = 600 /*M!, max_statement_time = 0 */";

/// What must have come of it. A server may be set to overrule its clients, and something between us and it as well.
const CHECK: &str = "SELECT @@SESSION.autocommit, @@SESSION.character_set_client, @@SESSION.character_set_connection, \
    @@SESSION.character_set_results, @@SESSION.sql_mode, @@SESSION.time_zone, @@SESSION.max_allowed_packet";
const EXPECTED: [(&str, &str); 6] = [
    ("autocommit", "1"),
    ("character_set_client", "utf8mb4"),
    ("character_set_connection", "utf8mb4"),
    ("character_set_results", "utf8mb4"),
    ("sql_mode", "STRICT_ALL_TABLES"),
    ("time_zone", "+00:00"),
];

/// The statements that begin a session with these variables as well, written like `, @name = 1`.
pub fn statements(variables: &str) -> Vec<String> {
    let mut statements = STATEMENTS.map(str::to_owned);
    if let Some(last) = statements.last_mut() {
        last.push_str(variables);
    }
    statements.into()
}

/// A connection whose session is set up.
#[derive(Debug)]
pub struct Connection {
    connection: Conn,
    max_packet: usize,
    is_in_transaction: bool,
}

impl Connection {
    /// Looks at what has come of the statements; tells why the session cannot be used, if so.
    pub(super) async fn check(mut connection: Conn) -> Result<Connection, String> {
        let rows: Result<Vec<Row>, Error> = connection.query(CHECK).await;
        let rows = rows.map_err(|error| error.to_string())?;
        let row = rows.first().ok_or("its session tells nothing about itself")?;
        for (column, (name, expected)) in EXPECTED.iter().enumerate() {
            let found = text(row, column).unwrap_or_default();
            if found != *expected {
                return Err(format!(
                    "its session keeps {name} = '{found}', and must have '{expected}'"
                ));
            }
        }
        Ok(Connection {
            connection,
            max_packet: integer(row, EXPECTED.len()).unwrap_or(usize::MAX),
            is_in_transaction: false,
        })
    }

    /// Begins a transaction, which [`Connection::end_transaction`] ends.
    pub async fn begin_transaction(&mut self) -> Result<(), Error> {
        self.is_in_transaction = true;
        self.query_drop("START TRANSACTION").await
    }

    /// Keeps what was done in a transaction, or undoes all of it where something failed. An error of one statement ends no
    /// transaction by itself.
    pub async fn end_transaction<T: Send>(&mut self, done: Answer<T>) -> Answer<T> {
        let end = match done {
            Ok(Ok(_)) => "COMMIT",
            _ => "ROLLBACK",
        };
        let ended = self.query_drop(end).await;
        self.is_in_transaction = ended.is_err();
        match (done, ended) {
            (Ok(Ok(_)), Err(error)) => Err(error),
            // The server does it when the connection is closed, which is the next thing.
            (done, _) => done,
        }
    }

    /// Whether a transaction is open that nobody could end: what the next one stores with this connection would be lost.
    pub(super) fn is_in_transaction(&self) -> bool {
        self.is_in_transaction
    }

    /// The most bytes of a statement with its parameters. The driver sends more, and the server closes the connection.
    pub fn max_packet(&self) -> usize {
        self.max_packet.saturating_sub(PARAMETERS)
    }

    /// Whether the server takes a statement whose parameters have so many bytes.
    pub fn check_size(&self, bytes: usize) -> Result<(), DatabaseError> {
        match bytes > self.max_packet() {
            true => Err(DatabaseError::TooLarge),
            false => Ok(()),
        }
    }
}

impl Deref for Connection {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.connection
    }
}

impl DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.connection
    }
}
