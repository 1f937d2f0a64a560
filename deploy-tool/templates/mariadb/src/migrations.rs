//! Keeps the tables current: each file of migrations/ is applied once, in order, by one replica at a time.
//!
//! MariaDB commits each CREATE and ALTER by itself, so a migration may be cut off before it is recorded: write statements that
//! can be repeated (`IF NOT EXISTS`). The version before goes on while a new one is rolled out, and comes back with
//! `deploy-tool rollback`: add columns and tables, and take away only what no version uses any more.

use std::sync::Arc;
use std::time::Duration;

use mysql_async::prelude::{FromValue, Queryable};
use mysql_async::{Conn, Error, Row};
use tokio::time::timeout;

use crate::database::{meaning, Database, Failure};

/// All files of migrations/, by the numbers of their names.
const MIGRATIONS: &[(u32, &str)] = &[(1, include_str!("../migrations/0001_notes.sql"))];

/// How long to wait for another replica, for everything together, and after a failure.
const LOCK_SECONDS: u32 = 60;
const LIMIT: Duration = Duration::from_secs(3600);
const PAUSE: Duration = Duration::from_secs(1);

const RECORDED: &str = "SELECT number FROM migrations";

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
pub async fn check(database: &Database) -> Result<(), Failure> {
    let recorded = database
        .probe(|connection| connection.query(RECORDED))
        .await;
    match recorded.map(numbers) {
        Ok(recorded) if missing(&recorded).next().is_none() => Ok(()),
        // A probe changes nothing: it has it changed.
        result => {
            database.tables_missing.notify_one();
            result.and(Err(Failure::Unavailable("the tables are being prepared")))
        }
    }
}

/// The first column of each row, where it has that type. The driver's own conversions would panic elsewhere.
fn numbers(rows: Vec<Row>) -> Vec<u32> {
    rows.iter().filter_map(first_column).collect()
}

fn first_column<T: FromValue>(row: &Row) -> Option<T> {
    row.get_opt(0)?.ok()
}

fn missing(recorded: &[u32]) -> impl Iterator<Item = &'static (u32, &'static str)> + '_ {
    MIGRATIONS
        .iter()
        .filter(|(number, _)| !recorded.contains(number))
}

async fn migrate(database: &Database) -> Result<(), Failure> {
    // A connection of its own: the server frees the lock with it, also when this process is lost.
    let mut connection = database.connect().await?;
    match timeout(LIMIT, apply(&mut connection)).await {
        Ok(Ok(true)) => Ok(()),
        Ok(Err(error)) => Err(meaning(&error)),
        Ok(Ok(false)) | Err(_) => Err(Failure::Unavailable("the tables are being prepared")),
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
    let recorded = numbers(connection.query(RECORDED).await?);
    for (number, statements) in missing(&recorded) {
        connection.query_drop(*statements).await?;
        connection
            .exec_drop("INSERT INTO migrations (number) VALUES (?)", (number,))
            .await?;
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
}
