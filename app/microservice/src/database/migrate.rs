//! Migrates the tables in a background task, one replica at a time.
//!
//! It migrates at the start, as soon as the database can be reached, so that a rollout becomes ready by itself; when
//! `/init` is called; and when a request finds the tables missing, such as after the volume of the database was
//! replaced. `/readyz` only reads the version and triggers the task: a probe must not wait for a migration.

use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::Row;
use tokio::time::timeout;

use super::error::{is_broken, log_migration_error};
use super::lock::get_lock;
use super::migrator::Reply;
use super::row::get_text;
use super::session::MIGRATION_TIMEOUTS;
use super::{Connection, Database, DatabaseError, QueryResult, RecordedVersion, Statement, Tables};
use crate::log::{self, Level};

/// How long to wait for the migration of another replica.
const LOCK_SECONDS: u32 = 60;
/// The pause after a failed attempt.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

impl<T: Tables> Database<T> {
    /// Runs the background task that migrates the tables, for as long as the service runs.
    pub async fn keep_tables_current(&self) {
        let Some(mut inbox) = self.migrator.take_inbox().await else {
            return;
        };
        let mut waiting: Vec<Reply> = Vec::new();
        loop {
            let result = self.migrate().await;
            *self.schema_error.lock().await = match &result {
                Err(schema_error @ (DatabaseError::SchemaRefused(reason) | DatabaseError::SchemaFailed(reason))) => {
                    log::event(Level::Error, reason);
                    Some(schema_error.clone())
                }
                _ => None,
            };
            for reply in waiting.drain(..) {
                // The request may have timed out.
                let _ = reply.send(result.clone());
            }
            let request = match result {
                Err(DatabaseError::Unavailable(_) | DatabaseError::Timeout) => {
                    timeout(RETRY_INTERVAL, inbox.recv()).await.unwrap_or(Some(None))
                }
                _ => inbox.recv().await,
            };
            waiting.extend(request.flatten());
            while let Ok(more) = inbox.try_recv() {
                waiting.extend(more);
            }
        }
    }

    /// Migrates the tables. Idempotent.
    async fn migrate(&self) -> Result<(), DatabaseError> {
        let mut lease = self.pool.acquire().await?;
        // The connection is not released to the pool, because its session has other timeouts.
        migrate(lease.connection(), &self.tables).await.unwrap_or_else(|error| {
            if is_broken(&error) {
                self.pool.close_idle();
            }
            Err(log_migration_error(&error))
        })
    }
}

async fn migrate<T: Tables>(connection: &mut Connection, tables: &T) -> QueryResult<()> {
    connection.query_drop(MIGRATION_TIMEOUTS).await?;
    if !get_lock(connection, T::SCHEMA, LOCK_SECONDS).await? {
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
    let version = match RecordedVersion::for_tables::<T>().run(connection).await? {
        Ok(version) => version,
        Err(error) => return Ok(Err(error)),
    };
    // The version may be newer: migrations stay compatible with older builds, since both serve during a rollout.
    let changes = match tables.migrate(connection, version).await? {
        Ok(changes) => changes,
        Err(error) => return Ok(Err(error)),
    };
    if let Some(refusal) = find_unsupported_engine(connection, T::NAMES).await? {
        return Ok(Err(refusal));
    }
    if version < Some(tables.version()) {
        let record = format!("INSERT IGNORE INTO {} (version) VALUES (?)", T::SCHEMA);
        connection.exec_drop(record, (tables.version(),)).await?;
    }
    if let Some(changes) = changes {
        log::event(
            Level::Info,
            &format!("the tables are now at version {} ({changes})", tables.version()),
        );
    }
    // The lock is released with the connection, which is not used again.
    Ok(Ok(()))
}

/// The error if a table has a storage engine without transactions, with which a failed statement could be stored in
/// part. A server can be configured to use another engine than the requested one, and an administrator can change it.
async fn find_unsupported_engine(
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
    let found = rows.first().and_then(|row| get_text(row, 0).zip(get_text(row, 1)));
    Ok(found.map(|(table, engine)| {
        DatabaseError::SchemaRefused(format!(
            "the table {table} has the engine {engine}, which has no transactions: ALTER TABLE {table} ENGINE = InnoDB, \
             then call /init"
        ))
    }))
}
