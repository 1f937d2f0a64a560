//! The outbox: a table that holds each change until it has been sent to the receiver.

use microservice::database::{get_integer, get_text, Connection, Database, DatabaseError, QUERY_TIMEOUT};
use microservice::log::{self, Level};
use microservice::trace::Trace;
use mysql_async::prelude::Queryable;
use mysql_async::{Error, Row};
use tokio::time::timeout;

use super::dead_letters::{format_lists, max_list_length, move_to_dead_letters};
use super::OrderTables;
use crate::event::{Event, Kind};

/// The values of the order are not validated, because other programs may have written them. Events of unknown kinds are
/// skipped.
const SELECT_EVENTS: &str =
    "SELECT sequence, event_id, kind, DATE_FORMAT(happened_at, '%Y-%m-%dT%H:%i:%s.%fZ'), order_id, \
    JSON_OBJECT('order_id', order_id, 'product_id', product_id, 'quantity', quantity, \
        'amount', amount, 'shipping', shipping, 'tax', tax, 'shipping_address', shipping_address), \
    GREATEST(attempts, 0), trace FROM orders_outbox WHERE kind IN ('created', 'updated', 'deleted') AND";
/// The most events that are read and sent at once: with the longest addresses and trace contexts, a batch stays below
/// the 1 MiB and the 500 events that the events service accepts.
pub const MAX_PAGE_EVENTS: usize = 256;

/// The number of events: counted up to a limit, so that it is fast, and estimated from the sequence numbers above.
const BACKLOG: &str = "SET STATEMENT max_statement_time = 1 FOR SELECT \
    (SELECT COUNT(*) FROM (SELECT 1 FROM orders_outbox LIMIT 10001) AS counted), \
    (SELECT MAX(sequence) - MIN(sequence) + 1 FROM orders_outbox), \
    (SELECT TIMESTAMPDIFF(SECOND, happened_at, CURRENT_TIMESTAMP(6)) FROM orders_outbox ORDER BY sequence LIMIT 1), \
    (SELECT COUNT(*) FROM (SELECT kind FROM orders_outbox ORDER BY sequence LIMIT 10000) AS oldest \
        WHERE kind NOT IN ('created', 'updated', 'deleted')), \
    (SELECT COUNT(*) FROM (SELECT 1 FROM orders_dead_letters LIMIT 10000) AS letters)";

/// A row of the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    /// The sequence number.
    pub sequence: i64,
    /// The event, unless it is unreadable.
    pub event: Option<Event>,
}

/// The outbox, locked by this replica.
#[derive(Debug)]
pub struct Outbox {
    connection: Connection,
}

/// The size of the outbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// The number of events; an estimate above 10,000.
    pub events: u64,
    /// The age of the oldest one in seconds.
    pub seconds: u64,
    /// The number of events of unknown kinds among the 10,000 oldest.
    pub unreadable: u64,
    /// The number of dead letters, up to 10,000.
    pub dead_letters: u64,
}

impl Outbox {
    /// Acquires the lock of the outbox, unless another replica holds it. It is released with the connection.
    ///
    /// Fails if events cannot be deleted, such as on a read-only server: they would be sent again and again.
    pub async fn lock(database: &Database<OrderTables>) -> Result<Option<Outbox>, DatabaseError> {
        // Deletes no row, so it does not wait for uncommitted rows of other transactions.
        const DELETE_NOTHING: &str = "DELETE FROM orders_outbox WHERE FALSE";
        let Some(mut connection) = database.acquire_lock("orders_outbox").await? else {
            return Ok(None);
        };
        let reason = match timeout(QUERY_TIMEOUT, connection.query_drop(DELETE_NOTHING)).await {
            Ok(Ok(())) => return Ok(Some(Outbox { connection })),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the database does not answer".to_owned(),
        };
        log::event(
            Level::Warn,
            &format!("events wait, since none could be removed from the outbox when it is delivered: {reason}"),
        );
        Ok(None)
    }

    /// The next page of rows after a sequence number, the oldest first.
    pub async fn read_page(&mut self, after: i64) -> Result<Vec<OutboxRow>, Error> {
        let condition = format!("sequence > {after}");
        self.read_rows(&condition, MAX_PAGE_EVENTS).await
    }

    /// The rows in these ascending ranges of sequence numbers, the oldest first, and no more than a page of them.
    pub async fn read_ranges(&mut self, ranges: &[(i64, i64)]) -> Result<Vec<OutboxRow>, Error> {
        // A range takes as much of the statement as four numbers.
        let max_ranges = max_list_length(&self.connection).div_ceil(4);
        let mut rows = Vec::new();
        for ranges in ranges.chunks(max_ranges) {
            let limit = MAX_PAGE_EVENTS - rows.len();
            if limit == 0 {
                break;
            }
            let ranges = ranges
                .iter()
                .map(|(first, last)| format!("sequence BETWEEN {first} AND {last}"));
            let condition = format!("({})", ranges.collect::<Vec<_>>().join(" OR "));
            rows.extend(self.read_rows(&condition, limit).await?);
        }
        Ok(rows)
    }

    async fn read_rows(&mut self, condition: &str, limit: usize) -> Result<Vec<OutboxRow>, Error> {
        let statement = format!("{SELECT_EVENTS} {condition} ORDER BY sequence LIMIT {limit}");
        let rows: Vec<Row> = self.connection.query(statement).await?;
        let row = |row: &Row| {
            Some(OutboxRow {
                sequence: get_integer(row, 0)?,
                event: event_from_row(row),
            })
        };
        Ok(rows.iter().filter_map(row).collect())
    }

    /// Deletes events that have been sent.
    pub async fn remove(&mut self, sequences: &[i64]) -> Result<(), Error> {
        for list in format_lists(sequences, max_list_length(&self.connection)) {
            let statement = format!("DELETE FROM orders_outbox WHERE sequence IN ({list})");
            self.connection.query_drop(statement).await?;
        }
        Ok(())
    }

    /// Counts a failed attempt of these events.
    pub async fn count_attempt(&mut self, sequences: &[i64], reason: &str) -> Result<(), Error> {
        const MAX_REASON_CHARACTERS: usize = 255;
        let reason: String = reason.chars().take(MAX_REASON_CHARACTERS).collect();
        for list in format_lists(sequences, max_list_length(&self.connection)) {
            let statement =
                format!("UPDATE orders_outbox SET attempts = attempts + 1, last_error = ? WHERE sequence IN ({list})");
            self.connection.exec_drop(statement, (&reason,)).await?;
        }
        Ok(())
    }

    /// Moves events to the dead letters.
    pub async fn move_to_dead_letters(&mut self, sequences: &[i64]) -> Result<(), Error> {
        move_to_dead_letters(&mut self.connection, sequences).await
    }

    /// Counts the events and the dead letters.
    pub async fn count_backlog(&mut self) -> Result<Backlog, Error> {
        const MAX_COUNTED: u64 = 10_000;
        let rows: Vec<Row> = self.connection.query(BACKLOG).await?;
        let number = |column| rows.first().and_then(|row| get_integer(row, column)).unwrap_or(0);
        Ok(Backlog {
            events: match number(0) {
                counted @ ..=MAX_COUNTED => counted,
                _ => number(1),
            },
            seconds: number(2),
            unreadable: number(3),
            dead_letters: number(4),
        })
    }
}

fn event_from_row(row: &Row) -> Option<Event> {
    Some(Event {
        sequence: get_integer(row, 0)?,
        id: get_text(row, 1)?.to_owned(),
        kind: Kind::from_name(get_text(row, 2)?)?,
        time: get_text(row, 3)?.to_owned(),
        order_id: get_integer(row, 4)?,
        order: get_text(row, 5)?.to_owned(),
        attempts: get_integer(row, 6)?,
        trace: get_text(row, 7).map(Trace::from_text).unwrap_or_default(),
    })
}
