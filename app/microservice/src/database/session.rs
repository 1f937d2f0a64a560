//! Sets up a session, whatever the server's defaults are, and checks the result.

use std::ops::{Deref, DerefMut};

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, Row};

use super::row::{get_integer, get_text};
use super::{DatabaseError, QueryResult};

/// The bytes of a statement beside its long parameters.
const STATEMENT_OVERHEAD_BYTES: usize = 256;

/// Autocommit; no truncation of values; UTF-8; no limits that an administrator may have set for interactive users; no
/// short idle timeout. The time limits end statements whose client has timed out. They are a second longer than
/// [`QUERY_TIMEOUT`](super::QUERY_TIMEOUT), so that clients always get that timeout. The comment is executed by MariaDB
/// only.
const STATEMENTS: [&str; 3] = [
    "SET NAMES utf8mb4",
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE",
    "SET SESSION autocommit = 1, completion_type = 'NO_CHAIN', sql_mode = 'STRICT_ALL_TABLES', time_zone = '+00:00', \
     unique_checks = 1, foreign_key_checks = 1, sql_safe_updates = 0, sql_big_selects = 1, \
     sql_select_limit = 18446744073709551615, innodb_lock_wait_timeout = 6, lock_wait_timeout = 6, wait_timeout = 600 \
     /*M!, max_statement_time = 6 */",
];

/// For migrations, which may take long with large tables.
pub const MIGRATION_TIMEOUTS: &str =
    "SET SESSION innodb_lock_wait_timeout = 600, lock_wait_timeout = 600 /*M!, max_statement_time = 0 */";

/// Checks the result: the server or a proxy may overrule the client.
const CHECK_QUERY: &str =
    "SELECT @@SESSION.autocommit, @@SESSION.character_set_client, @@SESSION.character_set_connection, \
    @@SESSION.character_set_results, @@SESSION.sql_mode, @@SESSION.time_zone, @@SESSION.max_allowed_packet";
const EXPECTED_VARIABLES: [(&str, &str); 6] = [
    ("autocommit", "1"),
    ("character_set_client", "utf8mb4"),
    ("character_set_connection", "utf8mb4"),
    ("character_set_results", "utf8mb4"),
    ("sql_mode", "STRICT_ALL_TABLES"),
    ("time_zone", "+00:00"),
];

/// The statements that set up a session with these additional variables, written like `, @name = 1`.
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
    max_packet_bytes: usize,
    is_in_transaction: bool,
    has_variables: bool,
}

impl Connection {
    /// Checks the variables of a new session. The error is a sentence for the log.
    pub(super) async fn check(mut connection: Conn) -> Result<Connection, String> {
        let rows: Result<Vec<Row>, Error> = connection.query(CHECK_QUERY).await;
        let rows = rows.map_err(|error| error.to_string())?;
        let row = rows.first().ok_or("its session tells nothing about itself")?;
        for (column, (name, expected)) in EXPECTED_VARIABLES.iter().enumerate() {
            let found = get_text(row, column).unwrap_or_default();
            if found != *expected {
                return Err(format!(
                    "its session keeps {name} = '{found}', and must have '{expected}'"
                ));
            }
        }
        Ok(Connection {
            connection,
            max_packet_bytes: get_integer(row, EXPECTED_VARIABLES.len()).unwrap_or(usize::MAX),
            is_in_transaction: false,
            has_variables: false,
        })
    }

    /// Starts a transaction, which [`Connection::end_transaction`] ends.
    pub async fn begin_transaction(&mut self) -> Result<(), Error> {
        self.is_in_transaction = true;
        self.query_drop("START TRANSACTION").await
    }

    /// Commits the transaction if the result is a success, otherwise rolls it back, which a failed statement alone does
    /// not.
    pub async fn end_transaction<T: Send>(&mut self, result: QueryResult<T>) -> QueryResult<T> {
        let end = match result {
            Ok(Ok(_)) => "COMMIT",
            _ => "ROLLBACK",
        };
        let end_result = self.query_drop(end).await;
        self.is_in_transaction = end_result.is_err();
        match (result, end_result) {
            (Ok(Ok(_)), Err(error)) => Err(error),
            // If the rollback fails, the server rolls back when the connection is closed, which happens next.
            (result, _) => result,
        }
    }

    /// Whether a transaction is still open because ending it failed. The connection must not be used again.
    pub(super) fn is_in_transaction(&self) -> bool {
        self.is_in_transaction
    }

    /// Records that a statement leaves session variables behind, which later ones must assign again.
    pub fn keep_variables(&mut self) {
        self.has_variables = true;
    }

    /// Whether an earlier statement has left session variables behind.
    pub fn has_variables(&self) -> bool {
        self.has_variables
    }

    /// The most bytes of a statement with its parameters. The driver does not check it, and the server would close the
    /// connection.
    pub fn max_statement_bytes(&self) -> usize {
        self.max_packet_bytes.saturating_sub(STATEMENT_OVERHEAD_BYTES)
    }

    /// Checks that a statement whose parameters have so many bytes is not too large.
    pub fn check_size(&self, bytes: usize) -> Result<(), DatabaseError> {
        if bytes > self.max_statement_bytes() {
            Err(DatabaseError::TooLarge)
        } else {
            Ok(())
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
