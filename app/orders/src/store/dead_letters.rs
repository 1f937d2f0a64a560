//! Dead letters: events that have failed repeatedly. They are moved out of the outbox, so that they do not block
//! others, and kept until a client resends or drops them.

use microservice::database::{get_integer, get_text, Connection, DatabaseError, QueryResult, Statement};
use microservice::log::{self, Level};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, Row};

use crate::command::{DeadLetter, DeadLetterCommand, DeadLetterOutcome};

/// Adds the number of failed attempts and the last error.
const ADD_ATTEMPTS: &str = "ALTER TABLE orders_outbox \
    ADD COLUMN IF NOT EXISTS attempts INT NOT NULL DEFAULT 0, \
    ADD COLUMN IF NOT EXISTS last_error VARCHAR(255) CHARACTER SET utf8mb4 NOT NULL DEFAULT ''";

const CREATE: &str = "CREATE TABLE IF NOT EXISTS orders_dead_letters LIKE orders_outbox";

/// All columns but the sequence number: an event that is resent gets a new one.
const COLUMNS: &str =
    "event_id, kind, happened_at, order_id, product_id, quantity, amount, shipping, tax, shipping_address, \
    trace";

/// The most dead letters that are listed, and that are resent at once.
const MAX_LISTED: u32 = 1_000;

/// Creates the table, and the columns that the outbox needs for it.
pub async fn create(connection: &mut Conn) -> Result<(), Error> {
    connection.query_drop(ADD_ATTEMPTS).await?;
    connection.query_drop(CREATE).await
}

/// Moves events from the outbox to the dead letters.
pub async fn move_to_dead_letters(connection: &mut Connection, sequences: &[i64]) -> Result<(), Error> {
    connection.query_drop("START TRANSACTION").await?;
    for list in format_lists(sequences, max_list_length(connection)) {
        for statement in [
            format!(
                "INSERT INTO orders_dead_letters ({COLUMNS}, attempts, last_error) \
                 SELECT {COLUMNS}, attempts, last_error FROM orders_outbox WHERE sequence IN ({list}) ORDER BY sequence"
            ),
            format!("DELETE FROM orders_outbox WHERE sequence IN ({list})"),
        ] {
            connection.query_drop(statement).await?;
        }
    }
    connection.query_drop("COMMIT").await
}

/// The most sequence numbers in one statement, as `max_allowed_packet` allows.
pub fn max_list_length(connection: &Connection) -> usize {
    // The bytes of the rest of the statement, and of a number with its comma.
    const STATEMENT: usize = 512;
    const NUMBER: usize = 22;
    (connection.max_statement_bytes().saturating_sub(STATEMENT) / NUMBER).clamp(1, MAX_LISTED as usize)
}

/// Formats numbers as lists for statements, each with at most `max_length` numbers.
pub fn format_lists(numbers: &[i64], max_length: usize) -> impl Iterator<Item = String> + Send + '_ {
    numbers.chunks(max_length).map(|chunk| {
        let chunk: Vec<String> = chunk.iter().map(i64::to_string).collect();
        chunk.join(", ")
    })
}

impl Statement for DeadLetterCommand {
    type Output = DeadLetterOutcome;

    fn is_retryable(&self) -> bool {
        *self == DeadLetterCommand::List
    }

    async fn run(&self, connection: &mut Connection) -> QueryResult<DeadLetterOutcome> {
        let outcome = match self {
            DeadLetterCommand::List => return Ok(read_all(connection).await?.map(DeadLetterOutcome::List)),
            DeadLetterCommand::Resend(id) => {
                connection.begin_transaction().await?;
                let resent = resend(connection, *id).await.map(Ok);
                return connection
                    .end_transaction(resent)
                    .await
                    .map(|resent| resent.map(DeadLetterOutcome::Changed));
            }
            DeadLetterCommand::Drop(id) => {
                let statement = "DELETE FROM orders_dead_letters WHERE sequence = ?";
                connection.exec_drop(statement, (*id,)).await?;
                DeadLetterOutcome::Changed(connection.affected_rows())
            }
        };
        Ok(Ok(outcome))
    }
}

async fn read_all(connection: &mut Conn) -> QueryResult<Vec<DeadLetter>> {
    let statement = format!(
        "SELECT sequence, event_id, kind, order_id, DATE_FORMAT(happened_at, '%Y-%m-%dT%H:%i:%s.%fZ'), \
         GREATEST(attempts, 0), last_error \
         FROM orders_dead_letters ORDER BY sequence LIMIT {MAX_LISTED}"
    );
    let rows: Vec<Row> = connection.exec(statement, ()).await?;
    let letter = |row: &Row| {
        Some(DeadLetter {
            id: get_integer(row, 0)?,
            event_id: get_text(row, 1)?.to_owned(),
            kind: format!("order.{}", get_text(row, 2)?),
            order_id: get_integer(row, 3)?,
            time: get_text(row, 4)?.to_owned(),
            attempts: get_integer(row, 5)?,
            last_error: get_text(row, 6)?.to_owned(),
        })
    };
    let letters: Option<Vec<DeadLetter>> = rows.iter().map(letter).collect();
    Ok(letters.ok_or_else(|| {
        let message = "database: a row of orders_dead_letters cannot be read: see whether its columns were changed";
        log::event(Level::Error, message);
        DatabaseError::Internal
    }))
}

/// Must run in a transaction: the rows are locked, so that concurrent calls resend each event once.
async fn resend(connection: &mut Connection, id: Option<i64>) -> Result<u64, Error> {
    let condition = match id {
        Some(id) => format!("WHERE sequence = {id}"),
        None => format!("ORDER BY sequence LIMIT {MAX_LISTED}"),
    };
    let locked = format!("SELECT sequence FROM orders_dead_letters {condition} FOR UPDATE");
    let rows: Vec<Row> = connection.query(locked).await?;
    let sequences: Vec<i64> = rows.iter().filter_map(|row| get_integer(row, 0)).collect();
    for list in format_lists(&sequences, max_list_length(connection)) {
        for statement in [
            format!(
                "INSERT INTO orders_outbox ({COLUMNS}) \
                 SELECT {COLUMNS} FROM orders_dead_letters WHERE sequence IN ({list}) ORDER BY sequence"
            ),
            format!("DELETE FROM orders_dead_letters WHERE sequence IN ({list})"),
        ] {
            connection.query_drop(statement).await?;
        }
    }
    Ok(sequences.len() as u64)
}
