//! Making the tables current, one replica at a time.

use mysql_async::prelude::Queryable;
use mysql_async::Row;

use super::error::{classify_migration, is_broken};
use super::lock::take_lock;
use super::row::text;
use super::session::UNLIMITED;
use super::{Answer, Connection, Database, DatabaseError, RecordedVersion, Statement, Tables};
use crate::log::{self, Level};

/// How long to wait for another replica that makes the tables current.
const LOCK_SECONDS: u32 = 60;

impl<T: Tables> Database<T> {
    /// Makes the tables current. Doing it again does nothing.
    pub(super) async fn migrate(&self) -> Result<(), DatabaseError> {
        let mut lease = self.pool.acquire().await?;
        // The connection is not given back: its settings are not those of the others.
        migrate(lease.connection(), &self.tables).await.unwrap_or_else(|error| {
            if is_broken(&error) {
                self.pool.close_idle();
            }
            Err(classify_migration(&error))
        })
    }
}

async fn migrate<T: Tables>(connection: &mut Connection, tables: &T) -> Answer<()> {
    connection.query_drop(UNLIMITED).await?;
    if !take_lock(connection, T::SCHEMA, LOCK_SECONDS).await? {
        return Ok(Err(DatabaseError::Unavailable(
            "another replica is preparing the tables; try again soon",
        )));
    }
    let versions = format!(
        "CREATE TABLE IF NOT EXISTS {} (\
        version INT NOT NULL PRIMARY KEY, \
        applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP) ENGINE = InnoDB",
        T::SCHEMA
    );
    connection.query_drop(versions).await?;
    let version = match RecordedVersion(T::SCHEMA).run(connection).await? {
        Ok(version) => version,
        Err(error) => return Ok(Err(error)),
    };
    // A newer build that has been here keeps what older ones need: both serve during a rollout.
    let done = match tables.migrate(connection, version).await? {
        Ok(done) => done,
        Err(error) => return Ok(Err(error)),
    };
    if let Some(refusal) = without_transactions(connection, T::NAMES).await? {
        return Ok(Err(refusal));
    }
    if version < Some(tables.version()) {
        let record = format!("INSERT IGNORE INTO {} (version) VALUES (?)", T::SCHEMA);
        connection.exec_drop(record, (tables.version(),)).await?;
    }
    if let Some(done) = done {
        log::event(
            Level::Info,
            &format!("the tables are now at version {} ({done})", tables.version()),
        );
    }
    // The lock ends with the connection, which is not used again.
    Ok(Ok(()))
}

/// Why the tables cannot be used: a server may be told to make tables of another engine than was asked for, and an
/// administrator can change it. Without transactions, what is refused in part would be stored in part.
async fn without_transactions(
    connection: &mut Connection,
    names: &[&str],
) -> Result<Option<DatabaseError>, mysql_async::Error> {
    let statement = format!(
        "SELECT table_name, engine FROM information_schema.tables WHERE table_schema = DATABASE() \
         AND table_name IN ('{}') \
         AND engine NOT IN (SELECT engine FROM information_schema.engines WHERE transactions = 'YES') LIMIT 1",
        names.join("', '")
    );
    let rows: Vec<Row> = connection.query(statement).await?;
    let found = rows.first().and_then(|row| text(row, 0).zip(text(row, 1)));
    Ok(found.map(|(table, engine)| {
        DatabaseError::SchemaRefused(format!(
            "the table {table} has the engine {engine}, which has no transactions: ALTER TABLE {table} ENGINE = InnoDB, \
             then call /init"
        ))
    }))
}
