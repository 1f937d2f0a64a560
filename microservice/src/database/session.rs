//! What a session needs, whatever the server's defaults are: it is set, and then looked at.

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, Row};

use super::row::text;

/// A change is committed when its statement has been answered; no value is ever cut to fit; texts are Unicode on the way;
/// nothing a server's administrator may have set for people at a terminal limits statements. The limit on the time ends
/// work whose client has gone; the comment is read by MariaDB alone.
const STATEMENTS: [&str; 3] = [
    "SET NAMES utf8mb4",
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE",
    "SET SESSION autocommit = 1, completion_type = 'NO_CHAIN', sql_mode = 'STRICT_ALL_TABLES', time_zone = '+00:00', \
     unique_checks = 1, foreign_key_checks = 1, sql_safe_updates = 0, sql_big_selects = 1, \
     sql_select_limit = 18446744073709551615, innodb_lock_wait_timeout = 5 /*M!, max_statement_time = 5 */",
];

/// For migrations: a large table takes its time, only requests are held to a limit.
pub const UNLIMITED: &str = "SET SESSION innodb_lock_wait_timeout = 600 /*M!, max_statement_time = 0 */";

/// What must have come of it. A server may be set to overrule its clients, and something between us and it as well.
const CHECK: &str = "SELECT @@SESSION.autocommit, @@SESSION.character_set_client, @@SESSION.character_set_connection, \
    @@SESSION.character_set_results, @@SESSION.sql_mode, @@SESSION.time_zone";
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

/// Why a session cannot be used, if so.
pub async fn check(connection: &mut Conn) -> Result<Option<String>, Error> {
    let rows: Vec<Row> = connection.query(CHECK).await?;
    let wrong = EXPECTED.iter().enumerate().find_map(|(column, (name, expected))| {
        let found = rows.first().and_then(|row| text(row, column)).unwrap_or_default();
        (found != *expected).then(|| format!("its session keeps {name} = '{found}', and must have '{expected}'"))
    });
    Ok(wrong)
}
