//! Removes events when they have been kept for long enough.

use std::time::Duration;

use microservice::database::{integer, Connection, Database, QueryResult, Statement};
use microservice::log::{self, Level};
use mysql_async::prelude::Queryable;
use mysql_async::Row;
use tokio::time::sleep;

use crate::store::EventTables;

/// The pause between looks for events that are old.
const PAUSE: Duration = Duration::from_secs(60);
/// The most events that are removed at once, so that nobody waits for that.
const AT_ONCE: u32 = 1_000;

/// Removes some of the events that are older than so many days, if any: the oldest have the lowest positions.
struct RemoveOld {
    days: u32,
}

impl Statement for RemoveOld {
    type Output = u64;

    /// Removing what is old a second time removes nothing else.
    fn is_retryable(&self) -> bool {
        true
    }

    async fn run(&self, connection: &mut Connection) -> QueryResult<u64> {
        let last = format!(
            "SELECT MAX(position) FROM (SELECT position FROM events ORDER BY position LIMIT {AT_ONCE}) AS oldest"
        );
        let rows: Vec<Row> = connection.query(last).await?;
        let Some(last) = rows.first().and_then(|row| integer::<u64>(row, 0)) else {
            return Ok(Ok(0));
        };
        let remove = "DELETE FROM events WHERE position <= ? AND received_at < NOW() - INTERVAL ? DAY";
        connection.exec_drop(remove, (last, self.days)).await?;
        Ok(Ok(connection.affected_rows()))
    }
}

/// Removes what is old, for as long as the process runs. All replicas do; what one has removed the next does not find.
pub async fn remove_forever(database: &Database<EventTables>, days: u32) {
    if days == 0 {
        return;
    }
    loop {
        // A database that is away is told elsewhere.
        match database.run(&RemoveOld { days }).await {
            Ok(removed) if removed > 0 => {
                log::event(
                    Level::Info,
                    &format!("{removed} events are older than {days} days and removed"),
                );
            }
            _ => sleep(PAUSE).await,
        }
    }
}
