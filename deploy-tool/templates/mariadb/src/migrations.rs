//! Keeps the tables current: each file of migrations/ is applied once, in order, by one replica at a time.
//!
//! MariaDB commits each CREATE and ALTER by itself, so a migration may be cut off before it is recorded, and tables that are
//! gone are made again by all files: write statements that can be repeated (`IF NOT EXISTS`). The version before goes on while a
//! new one is rolled out, and comes back with `deploy-tool rollback`: add columns and tables, and take away only what no version
//! uses any more.

use std::sync::Arc;
use std::time::Duration;

use mysql_async::prelude::{FromValue, Queryable};
use mysql_async::{Conn, Error, Row};
use tokio::time::timeout;

use crate::database::{classify, Database, DatabaseError};

/// All files of migrations/, by the numbers of their names.
const MIGRATIONS: &[(u32, &str)] = &[(1, include_str!("../migrations/0001_notes.sql"))];

/// The tables that they make. While one is gone, since somebody dropped it or a backup lacked it, all files are missing.
const TABLES: &[&str] = &["notes"];

/// How long to wait for another replica, for everything together, and after a failure.
const LOCK_SECONDS: u32 = 60;
const LIMIT: Duration = Duration::from_secs(3600);
const PAUSE: Duration = Duration::from_secs(1);

const PRESENT: &str =
    "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()";
const RECORDED: &str = "SELECT number FROM migrations";
const RECORD: &str = "INSERT IGNORE INTO migrations (number) VALUES (?)";

/// Applies what is missing, whenever something is, for as long as the service runs.
pub async fn keep_current(database: Arc<Database>) {
    loop {
        match migrate(&database).await {
            Ok(()) => database.tables_missing.notified().await,
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Whether everything is applied.
pub async fn check(database: &Database) -> Result<(), DatabaseError> {
    let missing = database
        .probe(|connection| Box::pin(missing(connection)))
        .await;
    match missing {
        Ok(missing) if missing.is_empty() => Ok(()),
        // A probe changes nothing: it has it changed.
        result => {
            database.tables_missing.notify_one();
            result.and(Err(DatabaseError::Unavailable(
                "the tables are being prepared",
            )))
        }
    }
}

/// The files to apply.
async fn missing(connection: &mut Conn) -> Result<Vec<&'static (u32, &'static str)>, Error> {
    let present: Vec<String> = column(connection.query(PRESENT).await?);
    let is_present = |table: &&str| present.iter().any(|name| name.eq_ignore_ascii_case(table));
    if !TABLES.iter().all(is_present) {
        return Ok(MIGRATIONS.iter().collect());
    }
    let recorded: Vec<u32> = column(connection.query(RECORDED).await?);
    let is_missing = |(number, _): &&(u32, &str)| !recorded.contains(number);
    Ok(MIGRATIONS.iter().filter(is_missing).collect())
}

/// The first column of each row, where it has that type. The driver's own conversions would panic elsewhere.
fn column<T: FromValue>(rows: Vec<Row>) -> Vec<T> {
    rows.iter().filter_map(first_column).collect()
}

fn first_column<T: FromValue>(row: &Row) -> Option<T> {
    row.get_opt(0)?.ok()
}

async fn migrate(database: &Database) -> Result<(), DatabaseError> {
    // A connection of its own: the server frees the lock with it, also when this process is lost.
    let mut connection = database.connect().await?;
    match timeout(LIMIT, apply(&mut connection)).await {
        Ok(Ok(true)) => Ok(()),
        Ok(Err(error)) => Err(classify(&error)),
        Ok(Ok(false)) | Err(_) => Err(DatabaseError::Unavailable("the tables are being prepared")),
    }
}

/// Applies what is missing, unless another replica takes too long.
async fn apply(connection: &mut Conn) -> Result<bool, Error> {
    // Only requests are held to a limit.
    connection
        .query_drop("SET SESSION max_statement_time = 0, innodb_lock_wait_timeout = 600, lock_wait_timeout = 600")
        .await?;
    let take = format!("SELECT GET_LOCK(CONCAT('migrations.', DATABASE()), {LOCK_SECONDS})");
    let taken: Option<Row> = connection.query_first(take).await?;
    if taken.as_ref().and_then(first_column) != Some(1) {
        return Ok(false);
    }
    connection
        .query_drop(
            "CREATE TABLE IF NOT EXISTS migrations (number INT UNSIGNED NOT NULL PRIMARY KEY, \
             applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP) ENGINE = InnoDB",
        )
        .await?;
    for (number, statements) in missing(connection).await? {
        connection.query_drop(*statements).await?;
        connection.exec_drop(RECORD, (number,)).await?;
        eprintln!("migration {number} applied");
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_listed_in_order() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        let listed = MIGRATIONS
            .iter()
            .map(|(number, text)| (*number, (*text).to_owned()));
        let found = files.iter().map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            let number = name.split('_').next().unwrap().parse().unwrap();
            (number, std::fs::read_to_string(path).unwrap())
        });
        assert!(listed.eq(found), "{files:?}");
    }

    #[test]
    fn every_table_is_listed() {
        for (_, text) in MIGRATIONS {
            for statement in text.split("CREATE TABLE IF NOT EXISTS ").skip(1) {
                let name = statement.split([' ', '(', '\n']).next().unwrap();
                assert!(TABLES.contains(&name.trim_matches('`')), "{name}");
            }
        }
    }
}
