//! Deletes events at the end of their retention period.

use std::time::Duration;

use microservice::database::{get_integer, Connection, Database, QueryResult, Statement};
use microservice::log::{self, Level};
use mysql_async::prelude::Queryable;
use mysql_async::{Error, Row};
use tokio::time::sleep;

use crate::store::EventTables;

/// The interval between checks for expired events.
const CHECK_INTERVAL: Duration = Duration::from_secs(60);
/// The most events that one statement deletes, so that it does not block others for long.
const BATCH_SIZE: u32 = 1_000;

/// Deletes a batch of the events that are older than so many days. The oldest have the lowest positions.
struct DeleteExpired {
    days: u32,
}

impl Statement for DeleteExpired {
    type Output = u64;

    /// Deleting expired events is idempotent.
    fn is_retryable(&self) -> bool {
        true
    }

    async fn run(&self, connection: &mut Connection) -> QueryResult<u64> {
        let last = format!(
            "SELECT MAX(position) FROM (SELECT position FROM events ORDER BY position LIMIT {BATCH_SIZE}) AS oldest"
        );
        let rows: Vec<Row> = connection.query(last).await?;
        let Some(last) = rows.first().and_then(|row| get_integer::<u64>(row, 0)) else {
            return Ok(Ok(0));
        };
        let delete_statement = "DELETE FROM events WHERE position <= ? AND received_at < NOW() - INTERVAL ? DAY";
        connection.exec_drop(delete_statement, (last, self.days)).await?;
        let deleted = connection.affected_rows();
        if deleted > 0 {
            delete_unused_counts(connection).await?;
        }
        Ok(Ok(deleted))
    }
}

/// Deletes the counts of types without events, of which senders may use any number. Waits for no transaction that
/// stores events, and so cannot deadlock with one: what is locked is deleted later.
async fn delete_unused_counts(connection: &mut Connection) -> Result<(), Error> {
    const DELETE: &str = "SET STATEMENT innodb_lock_wait_timeout = 0 FOR DELETE FROM events_counts WHERE total = 0";
    const ER_LOCK_WAIT_TIMEOUT: u16 = 1205;
    match connection.query_drop(DELETE).await {
        Err(Error::Server(error)) if error.code == ER_LOCK_WAIT_TIMEOUT => Ok(()),
        result => result,
    }
}

/// Deletes expired events, for as long as the process runs. All replicas may do so concurrently.
pub async fn delete_expired_events(database: &Database<EventTables>, days: u32) {
    if days == 0 {
        return;
    }
    loop {
        // Errors have been logged by the database module.
        match database.run(&DeleteExpired { days }).await {
            Ok(deleted) if deleted > 0 => {
                log::event(
                    Level::Info,
                    &format!("{deleted} events are older than {days} days and removed"),
                );
            }
            _ => sleep(CHECK_INTERVAL).await,
        }
    }
}
