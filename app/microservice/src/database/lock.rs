//! Named locks that one replica at a time can hold.

use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, Row};
use tokio::time::timeout;

use super::error::{is_broken, log_error};
use super::row::get_integer;
use super::{Connection, Database, DatabaseError, Tables, QUERY_TIMEOUT};

/// The server releases a lock when its connection has been idle for this long.
pub const LOCK_IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// Waits for a lock for so many seconds. Returns whether it was acquired.
///
/// The server releases a lock when its connection is closed, such as by the end of a replica. Lock names are global to
/// the server, so the name of the database is a part of it.
pub(super) async fn get_lock(connection: &mut Conn, name: &str, seconds: u32) -> Result<bool, Error> {
    let statement = format!("SELECT GET_LOCK(CONCAT('{name}.', MD5(DATABASE())), {seconds})");
    let rows: Vec<Row> = connection.query(statement).await?;
    Ok(rows.first().and_then(|row| get_integer(row, 0)) == Some(1))
}

/// Acquires a lock without waiting. The connection gets a short idle timeout, because after the loss of a node nothing
/// closes the connections of its replicas.
async fn get_lock_with_timeout(connection: &mut Conn, name: &str) -> Result<bool, Error> {
    let is_acquired = get_lock(connection, name, 0).await?;
    if is_acquired {
        let limit = format!("SET SESSION wait_timeout = {}", LOCK_IDLE_TIMEOUT.as_secs());
        connection.query_drop(limit).await?;
    }
    Ok(is_acquired)
}

impl<T: Tables> Database<T> {
    /// A connection that holds a lock, or `None` while another replica holds it. The connection is removed from the
    /// pool and counts in none of its limits. The lock is released with the connection, which the server closes when it
    /// has been idle for [`LOCK_IDLE_TIMEOUT`].
    pub async fn acquire_lock(&self, name: &str) -> Result<Option<Connection>, DatabaseError> {
        let work = async {
            let mut lease = self.pool.acquire_reserved().await?;
            match get_lock_with_timeout(lease.connection(), name).await {
                Ok(true) => return Ok(Some(lease.detach())),
                Ok(false) => lease.release(),
                Err(error) => {
                    if is_broken(&error) {
                        self.pool.close_idle();
                    }
                    return Err(log_error(&error));
                }
            }
            Ok(None)
        };
        timeout(QUERY_TIMEOUT, work)
            .await
            .unwrap_or(Err(DatabaseError::Timeout))
    }
}
