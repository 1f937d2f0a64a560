//! Dead letters: events that the receiver has refused again and again. They are set aside, so that others go on, and kept
//! until somebody sends them again or drops them.

use microservice::database::{integer, text, Answer, Connection, Statement};
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
pub async fn set_aside(connection: &mut Conn, sequences: &[i64]) -> Result<(), Error> {
    let list = list(sequences);
    connection.query_drop("START TRANSACTION").await?;
    for statement in [
        format!(
            "INSERT INTO orders_dead_letters ({COLUMNS}, attempts, last_error) \
             SELECT {COLUMNS}, attempts, last_error FROM orders_outbox WHERE sequence IN ({list}) ORDER BY sequence"
        ),
        format!("DELETE FROM orders_outbox WHERE sequence IN ({list})"),
    ] {
        connection.query_drop(statement).await?;
    }
    connection.query_drop("COMMIT").await
}

/// Numbers as a list in a statement.
pub fn list(numbers: &[i64]) -> String {
    let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
    numbers.join(", ")
}

impl Statement for DeadLetters {
    type Answer = DeadLettersDone;

    fn writes(&self) -> bool {
        *self != DeadLetters::List
    }

    async fn run(&self, connection: &mut Connection) -> Answer<DeadLettersDone> {
        let done = match self {
            DeadLetters::List => DeadLettersDone::List(read(connection).await?),
            DeadLetters::SendAgain(id) => DeadLettersDone::Changed(send_again(connection, *id).await?),
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

/// Two who do this at the same time send each of them once: the rows are locked.
async fn send_again(connection: &mut Conn, id: Option<i64>) -> Result<u64, Error> {
    let which = match id {
        Some(id) => format!("WHERE sequence = {id}"),
        None => format!("ORDER BY sequence LIMIT {MOST}"),
    };
    connection.query_drop("START TRANSACTION").await?;
    let locked = format!("SELECT sequence FROM orders_dead_letters {which} FOR UPDATE");
    let rows: Vec<Row> = connection.query(locked).await?;
    let sequences: Vec<i64> = rows.iter().filter_map(|row| integer(row, 0)).collect();
    if !sequences.is_empty() {
        let list = list(&sequences);
        for statement in [
            format!(
                "INSERT INTO orders_outbox ({COLUMNS}) \
                 SELECT {COLUMNS} FROM orders_dead_letters WHERE sequence IN ({list}) ORDER BY sequence"
            ),
            format!("DELETE FROM orders_dead_letters WHERE sequence IN ({list})"),
        ] {
            if let Err(error) = connection.query_drop(statement).await {
                connection.query_drop("ROLLBACK").await?;
                return Err(error);
            }
        }
    }
    connection.query_drop("COMMIT").await?;
    Ok(sequences.len() as u64)
}
