//! Locks by which replicas take turns.

use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, Row};
use tokio::time::timeout;

use super::error::{classify, is_broken};
use super::row::integer;
use super::{Connection, Database, DatabaseError, Tables, QUERY_TIMEOUT};

/// How long the holder of a lock may leave its connection unused.
pub const UNUSED: Duration = Duration::from_secs(60);

/// Takes the lock of a name, or tells that another connection has had it for all these seconds.
///
/// The server frees it with its connection, so a replica that dies holds up nobody. Lock names are
/// global to the server, hence the database in it.
pub(super) async fn take_lock(connection: &mut Conn, name: &str, seconds: u32) -> Result<bool, Error> {
    let statement = format!("SELECT GET_LOCK(CONCAT('{name}.', MD5(DATABASE())), {seconds})");
    let rows: Vec<Row> = connection.query(statement).await?;
    Ok(rows.first().and_then(|row| integer(row, 0)) == Some(1))
}

/// Takes the lock of a name at once or not at all, and keeps it only as long as it is used: when the
/// node of its holder is lost, nobody closes the connection.
async fn hold_lock(connection: &mut Conn, name: &str) -> Result<bool, Error> {
    let taken = take_lock(connection, name, 0).await?;
    if taken {
        let limit = format!("SET SESSION wait_timeout = {}", UNUSED.as_secs());
        connection.query_drop(limit).await?;
    }
    Ok(taken)
}

impl<T: Tables> Database<T> {
    /// A connection that holds the lock of a name, or nothing while another replica does. It is
    /// taken out of the pool and counts in none of its limits. The lock ends with the connection,
    /// which the server closes when it is not used for [`UNUSED`].
    pub async fn lock(&self, name: &str) -> Result<Option<Connection>, DatabaseError> {
        let work = async {
            let mut lease = self.pool.acquire_reserved().await?;
            match hold_lock(lease.connection(), name).await {
                Ok(true) => return Ok(Some(lease.detach())),
                Ok(false) => lease.release(),
                Err(error) => {
                    if is_broken(&error) {
                        self.pool.close_idle();
                    }
                    return Err(classify(&error));
                }
            }
            Ok(None)
        };
        timeout(QUERY_TIMEOUT, work)
            .await
            .unwrap_or(Err(DatabaseError::Timeout))
    }
}
