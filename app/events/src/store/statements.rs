//! The SQL statements on events.

use microservice::database::{get_integer, get_text, is_duplicate, Connection, DatabaseError, QueryResult, Statement};
use microservice::log::{self, Level};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Row};

use crate::command::{Command, Outcome, Page, MAX_PAGE_BYTES};
use crate::event::Event;

const INSERT: &str = "INSERT INTO events (source, id, type, event) VALUES (?, ?, ?, ?)";

/// Many events as one JSON parameter, in which each event is a text, so that it does not change. A duplicate keeps its
/// position, and does not count as an affected row.
const INSERT_MANY: &str = "INSERT INTO events (source, id, type, event) \
    SELECT source, id, type, event FROM JSON_TABLE(?, '$[*]' COLUMNS ( \
        source VARCHAR(255) CHARACTER SET utf8mb4 PATH '$[0]', \
        id VARCHAR(255) CHARACTER SET utf8mb4 PATH '$[1]', \
        type VARCHAR(255) CHARACTER SET utf8mb4 PATH '$[2]', \
        event MEDIUMTEXT CHARACTER SET utf8mb4 PATH '$[3]' \
    )) AS new_events ON DUPLICATE KEY UPDATE events.position = events.position";

/// `found` is the number of rows within the limit, including those beyond the size limit.
const LIST: &str = "SELECT events.position, events.event, page.found FROM (\
        SELECT position, COUNT(*) OVER () AS found, SUM(bytes) OVER (ORDER BY position DESC) - bytes AS bytes_before \
        FROM (SELECT position, OCTET_LENGTH(event) AS bytes FROM events WHERE position < ? \
            ORDER BY position DESC LIMIT ?) AS newest\
    ) AS page JOIN events ON events.position = page.position \
    WHERE page.bytes_before < ? ORDER BY events.position DESC";

/// Limited, because senders may use any number of types. Those of which all events have expired are left out.
const COUNT: &str = "SELECT type, total, SUM(total) OVER () FROM events_counts WHERE total > 0 \
    ORDER BY total DESC, type LIMIT 100";

impl Statement for Command {
    type Output = Outcome;

    /// Storing an event is idempotent.
    fn is_retryable(&self) -> bool {
        true
    }

    async fn run(&self, connection: &mut Connection) -> QueryResult<Outcome> {
        match self {
            Command::Store(events) => match events.as_slice() {
                [event] => store_event(connection, event).await,
                events => store_events(connection, events).await,
            },
            Command::List { limit, before } => list_events(connection, *limit, *before).await,
        }
    }
}

/// The unique key detects duplicates, even if two replicas store an event concurrently.
async fn store_event(connection: &mut Connection, event: &Event) -> QueryResult<Outcome> {
    if let Err(error) = connection.check_size(event.json.len() + event.id.len() + event.source.len()) {
        return Ok(Err(error));
    }
    let parameters = (&event.source, &event.id, &event.kind, &event.json);
    match connection.exec_drop(INSERT, parameters).await {
        Ok(()) => Ok(Ok(Outcome::Stored { new: 1 })),
        Err(error) if is_duplicate(&error) => Ok(Ok(Outcome::Stored { new: 0 })),
        Err(error) => Err(error),
    }
}

async fn store_events(connection: &mut Connection, events: &[Event]) -> QueryResult<Outcome> {
    let rows: Vec<[&str; 4]> = events
        .iter()
        .map(|event| [&event.source, &event.id, &event.kind, &event.json].map(String::as_str))
        .collect();
    // Texts always have a JSON form.
    let json = serde_json::to_string(&rows).unwrap_or_default();
    if let Err(error) = connection.check_size(json.len()) {
        return Ok(Err(error));
    }
    connection.exec_drop(INSERT_MANY, (json,)).await?;
    let new = usize::try_from(connection.affected_rows()).unwrap_or(events.len());
    Ok(Ok(Outcome::Stored { new }))
}

async fn list_events(connection: &mut Conn, limit: usize, before: Option<u64>) -> QueryResult<Outcome> {
    let before = before.unwrap_or(u64::MAX);
    // One more than the limit, to know whether there are older ones.
    let rows: Vec<Row> = connection.exec(LIST, (before, limit + 1, MAX_PAGE_BYTES)).await?;
    let counts: Vec<Row> = connection.exec(COUNT, ()).await?;
    Ok(page_from_rows(&rows, &counts, limit).map(Outcome::Page).ok_or_else(|| {
        let message = "database: the tables of events hold values that they cannot hold";
        log::event(Level::Error, message);
        DatabaseError::Internal
    }))
}

fn page_from_rows(rows: &[Row], counts: &[Row], limit: usize) -> Option<Page> {
    let found = rows.first().map_or(Some(0), |row| get_integer::<usize>(row, 2))?;
    let page_rows = rows.get(..limit).unwrap_or(rows);
    let next = match page_rows.last() {
        Some(last) if found > page_rows.len() => Some(get_integer(last, 0)?),
        _ => None,
    };
    let event = |row| get_text(row, 1).map(str::to_owned);
    let count = |row| Some((get_text(row, 0)?.to_owned(), get_integer(row, 1)?));
    Some(Page {
        events: page_rows.iter().map(event).collect::<Option<_>>()?,
        next,
        counts: counts.iter().map(count).collect::<Option<_>>()?,
        total: counts.first().map_or(Some(0), |row| get_integer(row, 2))?,
    })
}
