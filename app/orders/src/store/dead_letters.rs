//! Dead letters: events that the receiver has refused again and again. They are set aside, so that others go on, and kept
//! until somebody sends them again or drops them.

use microservice::database::{integer, text, Connection, QueryResult, Statement};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, Row};

use crate::command::{DeadLetter, DeadLetters, DeadLettersDone};

/// How often an event was tried, and why it was not taken.
const ATTEMPTS: &str = "ALTER TABLE orders_outbox \
    ADD COLUMN IF NOT EXISTS attempts INT NOT NULL DEFAULT 0, \
    ADD COLUMN IF NOT EXISTS last_error VARCHAR(255) CHARACTER SET utf8mb4 NOT NULL DEFAULT ''";

const CREATE: &str = "CREATE TABLE IF NOT EXISTS orders_dead_letters LIKE orders_outbox";

/// All columns but the sequence: an event that is sent again gets a new one.
const COLUMNS: &str =
    "event_id, kind, happened_at, order_id, product_id, quantity, amount, shipping, tax, shipping_address";

/// The most dead letters that are listed, and that are sent again at once.
const MOST: u32 = 1_000;

/// Makes what they need.
pub async fn create(connection: &mut Conn) -> Result<(), Error> {
    connection.query_drop(ATTEMPTS).await?;
    connection.query_drop(CREATE).await
}

/// Moves events out of the outbox.
pub async fn set_aside(connection: &mut Connection, sequences: &[i64]) -> Result<(), Error> {
    connection.query_drop("START TRANSACTION").await?;
    for list in lists(sequences, most_numbers(connection)) {
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

/// The most sequence numbers in one statement, so that the server takes it.
pub fn most_numbers(connection: &Connection) -> usize {
    // What is around the list, and a number with its comma.
    const STATEMENT: usize = 512;
    const NUMBER: usize = 22;
    (connection.max_statement_bytes().saturating_sub(STATEMENT) / NUMBER).clamp(1, MOST as usize)
}

/// Numbers as lists in statements, each of at most so many.
pub fn lists(numbers: &[i64], most: usize) -> impl Iterator<Item = String> + Send + '_ {
    numbers.chunks(most).map(|some| {
        let some: Vec<String> = some.iter().map(i64::to_string).collect();
        some.join(", ")
    })
}

impl Statement for DeadLetters {
    type Output = DeadLettersDone;

    fn is_retryable(&self) -> bool {
        *self == DeadLetters::List
    }

    async fn run(&self, connection: &mut Connection) -> QueryResult<DeadLettersDone> {
        let done = match self {
            DeadLetters::List => DeadLettersDone::List(read(connection).await?),
            DeadLetters::SendAgain(id) => {
                connection.begin_transaction().await?;
                let sent = send_again(connection, *id).await.map(Ok);
                return connection
                    .end_transaction(sent)
                    .await
                    .map(|sent| sent.map(DeadLettersDone::Changed));
            }
            DeadLetters::Drop(id) => {
                let statement = "DELETE FROM orders_dead_letters WHERE sequence = ?";
                connection.exec_drop(statement, (*id,)).await?;
                DeadLettersDone::Changed(connection.affected_rows())
            }
        };
        Ok(Ok(done))
    }
}

async fn read(connection: &mut Conn) -> Result<Vec<DeadLetter>, Error> {
    let statement = format!(
        "SELECT sequence, event_id, kind, order_id, DATE_FORMAT(happened_at, '%Y-%m-%dT%H:%i:%s.%fZ'), attempts, last_error \
         FROM orders_dead_letters ORDER BY sequence LIMIT {MOST}"
    );
    let rows: Vec<Row> = connection.exec(statement, ()).await?;
    let letter = |row: &Row| {
        Some(DeadLetter {
            id: integer(row, 0)?,
            event_id: text(row, 1)?.to_owned(),
            kind: format!("order.{}", text(row, 2)?),
            order_id: integer(row, 3)?,
            time: text(row, 4)?.to_owned(),
            attempts: integer(row, 5)?,
            last_error: text(row, 6)?.to_owned(),
        })
    };
    Ok(rows.iter().filter_map(letter).collect())
}

/// In a transaction: two who do this at the same time send each of them once, since the rows are locked.
async fn send_again(connection: &mut Connection, id: Option<i64>) -> Result<u64, Error> {
    let which = match id {
        Some(id) => format!("WHERE sequence = {id}"),
        None => format!("ORDER BY sequence LIMIT {MOST}"),
    };
    let locked = format!("SELECT sequence FROM orders_dead_letters {which} FOR UPDATE");
    let rows: Vec<Row> = connection.query(locked).await?;
    let sequences: Vec<i64> = rows.iter().filter_map(|row| integer(row, 0)).collect();
    for list in lists(&sequences, most_numbers(connection)) {
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
