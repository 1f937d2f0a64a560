//! The tables of the events.

use microservice::database::{get_text, is_denied, DatabaseError, QueryResult, Tables};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, Row};

/// The version that introduces the trigger for deleted events.
const VERSION: u32 = 2;

const COLUMNS: &str = "SELECT column_name FROM information_schema.columns \
    WHERE table_schema = DATABASE() AND table_name = 'events' ORDER BY ordinal_position";

/// The number of events of each type. A table, because counting a million rows takes the database half a second.
const CREATE_COUNTS: &str = "CREATE TABLE IF NOT EXISTS events_counts (\
    type VARBINARY(1020) NOT NULL PRIMARY KEY, \
    total BIGINT UNSIGNED NOT NULL) ENGINE = InnoDB ROW_FORMAT = DYNAMIC";

/// Binary columns, because text collations ignore case and trailing spaces. Keys of this length need the row format
/// DYNAMIC.
const CREATE: &str = "CREATE TABLE IF NOT EXISTS events_prepared (\
    position BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, \
    source VARBINARY(1020) NOT NULL, \
    id VARBINARY(1020) NOT NULL, \
    type VARBINARY(1020) NOT NULL, \
    event MEDIUMTEXT CHARACTER SET utf8mb4 NOT NULL, \
    received_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), \
    UNIQUE KEY source_and_id (source, id)) ENGINE = InnoDB ROW_FORMAT = DYNAMIC";

const NAMES: [&str; 6] = ["position", "source", "id", "type", "event", "received_at"];

/// Counts an event in the transaction that stores it, so that counts are exact, and storing takes one round trip.
const CREATE_INSERT_TRIGGER: &str = "CREATE TRIGGER IF NOT EXISTS events_counted AFTER INSERT ON events FOR EACH ROW \
    INSERT INTO events_counts (type, total) VALUES (NEW.type, 1) ON DUPLICATE KEY UPDATE total = total + 1";

/// The same for a deleted event.
const CREATE_DELETE_TRIGGER: &str =
    "CREATE TRIGGER IF NOT EXISTS events_uncounted AFTER DELETE ON events FOR EACH ROW \
    UPDATE events_counts SET total = total - 1 WHERE type = OLD.type AND total > 0";

/// A user without the TRIGGER privilege does not see them.
const TRIGGERS: &str = "SELECT trigger_name FROM information_schema.triggers \
    WHERE trigger_schema = DATABASE() AND event_object_table = 'events'";

/// The tables of the events.
#[derive(Debug)]
pub struct EventTables;

impl Tables for EventTables {
    const SCHEMA: &'static str = "events_schema";
    const NAMES: &'static [&'static str] = &["events", "events_counts"];

    fn version(&self) -> u32 {
        VERSION
    }

    async fn migrate(&self, connection: &mut Conn, version: Option<u32>) -> QueryResult<Option<String>> {
        let rows: Vec<Row> = connection.query(COLUMNS).await?;
        let columns: Vec<&str> = rows.iter().filter_map(|row| get_text(row, 0)).collect();
        if columns.is_empty() {
            return Ok(create_tables(connection).await?.map(|()| Some("Create".to_owned())));
        }
        // The version may be newer: migrations stay compatible with older builds.
        if version < Some(VERSION) && columns != NAMES {
            return Ok(Err(DatabaseError::SchemaRefused(
                "the database has a table named events that this service did not make; rename it or use another database"
                    .to_owned(),
            )));
        }
        repair_counts(connection, version).await
    }
}

/// Renames the table at the end, so that no replica can store an event before its trigger exists.
async fn create_tables(connection: &mut Conn) -> QueryResult<()> {
    connection.query_drop(CREATE_COUNTS).await?;
    connection.query_drop(CREATE).await?;
    let insert_trigger = CREATE_INSERT_TRIGGER.replace("ON events FOR", "ON events_prepared FOR");
    if let Err(error) = create_trigger(connection, &insert_trigger).await? {
        return Ok(Err(error));
    }
    // Counts of events of a dropped table.
    connection.query_drop("DELETE FROM events_counts").await?;
    connection.query_drop("RENAME TABLE events_prepared TO events").await?;
    create_trigger(connection, CREATE_DELETE_TRIGGER).await
}

/// Recreates what counts the events where it is missing: an administrator may have dropped it, or restored a backup
/// without triggers; an older version has no trigger for deleted events.
async fn repair_counts(connection: &mut Conn, version: Option<u32>) -> QueryResult<Option<String>> {
    let mut changes = Vec::new();
    let rows: Vec<Row> = connection.query(TRIGGERS).await?;
    let has_trigger = |name| rows.iter().any(|row| get_text(row, 0) == Some(name));
    let mut is_counted = has_trigger("events_counted") && (has_trigger("events_uncounted") || version < Some(VERSION));
    for (name, statement) in [
        ("events_counted", CREATE_INSERT_TRIGGER),
        ("events_uncounted", CREATE_DELETE_TRIGGER),
    ] {
        if has_trigger(name) {
            continue;
        }
        match create_trigger(connection, statement).await? {
            Ok(()) => changes.push("CreateTrigger"),
            Err(failure) if version < Some(VERSION) => return Ok(Err(failure)),
            // A user without the privilege TRIGGER does not see the triggers that are there.
            Err(_) => is_counted = true,
        }
    }
    if !is_counted {
        connection.query_drop("DROP TABLE IF EXISTS events_counts").await?;
    }
    if !is_counted || !has_counts_table(connection).await? {
        rebuild_counts(connection).await?;
        changes.push("CountAgain");
    }
    Ok(Ok((!changes.is_empty()).then(|| changes.join(", "))))
}

async fn has_counts_table(connection: &mut Conn) -> Result<bool, Error> {
    const COUNTS: &str = "SELECT table_name FROM information_schema.tables \
        WHERE table_schema = DATABASE() AND table_name = 'events_counts'";
    let rows: Vec<Row> = connection.query(COUNTS).await?;
    Ok(!rows.is_empty())
}

/// Recreates the table of counts after it was dropped. It is filled before it gets its name: until
/// then the trigger fails, so that no event is stored without being counted.
async fn rebuild_counts(connection: &mut Conn) -> Result<(), Error> {
    for statement in [
        &CREATE_COUNTS.replace("events_counts", "events_counts_prepared"),
        "DELETE FROM events_counts_prepared",
        "INSERT INTO events_counts_prepared (type, total) SELECT type, COUNT(*) FROM events GROUP BY type",
        "RENAME TABLE events_counts_prepared TO events_counts",
    ] {
        connection.query_drop(statement).await?;
    }
    Ok(())
}

async fn create_trigger(connection: &mut Conn, statement: &str) -> QueryResult<()> {
    match connection.query_drop(statement).await {
        Err(error) if is_denied(&error) => Ok(Err(DatabaseError::SchemaRefused(
            "the database does not let this service make triggers, by which it counts: grant TRIGGER on its tables, \
             with a binary log also set log_bin_trust_function_creators = 1"
                .to_owned(),
        ))),
        result => result.map(Ok),
    }
}
