//! The SQL statements on orders, and the conversion of rows.
//!
//! Every command is one statement, so it is atomic without a transaction, and takes one round trip once it is prepared.
//! Only a large number of new orders is stored in batches in a transaction, because the driver and the server need
//! several times the size of a statement in memory.

use mysql_async::prelude::Queryable;
use mysql_async::{Error, Params, Row, Value};

use std::sync::{Mutex, PoisonError};

use microservice::database::{get_integer, get_text, is_duplicate, Connection, DatabaseError, QueryResult, Statement};
use microservice::log::{self, Level};
use microservice::memory::Buffer;

use super::changes::choose_changes;
use crate::command::{Command, Outcome, PageWriter, TracedCommand};
use crate::order::{Money, Order};

/// The approximate maximum of the JSON parameter of many orders.
const MAX_BATCH_BYTES: usize = 128 * 1024;

const SELECT_EXISTING: &str = "SELECT order_id FROM orders JOIN JSON_TABLE(?, '$[*]' COLUMNS ( \
        wanted INT PATH '$' \
    )) AS ids ON order_id = wanted ORDER BY order_id";

// An order is read as one text: each column adds a definition to every result, and an allocation to every row. CONCAT
// returns NULL if a value is NULL, so that values are never mixed up.
const SELECT_PAGE: &str = "SELECT \
    CONCAT(order_id, ' ', product_id, ' ', quantity, ' ', amount, ' ', shipping, ' ', tax, ' ', shipping_address) \
    FROM orders WHERE order_id > ? ORDER BY order_id LIMIT ?";

const SELECT_ORDER: &str = "SELECT \
    CONCAT(order_id, ' ', product_id, ' ', quantity, ' ', amount, ' ', shipping, ' ', tax, ' ', shipping_address) \
    FROM orders WHERE order_id = ?";

const SELECT_ID: &str = "SELECT 1 FROM orders WHERE order_id = ?";

impl Statement for TracedCommand {
    type Output = Outcome;

    fn is_retryable(&self) -> bool {
        matches!(self.command, Command::Find(_))
    }

    async fn run(&self, connection: &mut Connection) -> QueryResult<Outcome> {
        let trace = self.trace.as_text();
        match &self.command {
            Command::Create(orders) => create_orders(connection, orders, trace).await,
            Command::Find(id) => {
                let rows: Vec<Row> = connection.exec(SELECT_ORDER, (*id,)).await?;
                Ok(match rows.first() {
                    None => Ok(Outcome::NotFound),
                    Some(row) => order_from_row(row).map(Outcome::Order),
                })
            }
            Command::Update(order) => match connection.check_size(order.shipping_address.len() + trace.len()) {
                Ok(()) => update_order(connection, order, trace).await.map(Ok),
                Err(error) => Ok(Err(error)),
            },
            Command::Delete(id) => {
                let (changes, trace) = choose_changes(connection, trace);
                let parameters: Vec<Value> = [Value::from(*id)].into_iter().chain(trace.map(Value::from)).collect();
                connection.exec_drop(changes.delete, parameters).await?;
                Ok(Ok(match connection.affected_rows() {
                    0 => Outcome::NotFound,
                    _ => Outcome::Done,
                }))
            }
        }
    }
}

/// Reads a page of orders into a buffer.
#[derive(Debug)]
pub struct Listing {
    limit: usize,
    after: Option<i32>,
    buffer: Mutex<Buffer>,
}

impl Listing {
    /// Reads at most so many orders after an id.
    pub fn new(limit: usize, after: Option<i32>, buffer: Buffer) -> Listing {
        Listing {
            limit,
            after,
            buffer: Mutex::new(buffer),
        }
    }

    /// An empty buffer with the same permit: a failed attempt may have written to the old one.
    fn take_buffer(&self) -> Buffer {
        let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        buffer.take()
    }
}

impl Statement for Listing {
    type Output = Outcome;

    fn is_retryable(&self) -> bool {
        true
    }

    async fn run(&self, connection: &mut Connection) -> QueryResult<Outcome> {
        // Below all ids: rows of other programs may have negative ones.
        let after = self.after.map_or(i64::from(i32::MIN) - 1, i64::from);
        let mut page = PageWriter::new(self.take_buffer(), self.limit);
        // One more than the limit, to know whether there is a next page.
        let mut rows = connection.exec_iter(SELECT_PAGE, (after, self.limit + 1)).await?;
        while let Some(row) = rows.next().await? {
            let written = order_from_row(&row).and_then(|order| page.push(&order).map_err(DatabaseError::from));
            if let Err(error) = written {
                rows.drop_result().await?;
                return Ok(Err(error));
            }
        }
        Ok(page.finish().map(Outcome::Page).map_err(DatabaseError::from))
    }
}

async fn create_orders(connection: &mut Connection, orders: &[Order], trace: &str) -> QueryResult<Outcome> {
    let result = match orders {
        [order] => match connection.check_size(order.shipping_address.len() + trace.len()) {
            Ok(()) => {
                let (changes, trace) = choose_changes(connection, trace);
                let parameters = insert_parameters(order, trace);
                connection.exec_drop(changes.insert, parameters).await.map(Ok)
            }
            Err(error) => Ok(Err(error)),
        },
        orders => insert_many(connection, orders, trace).await,
    };
    match result {
        Ok(Ok(())) => Ok(Ok(Outcome::Done)),
        Ok(Err(error)) => Ok(Err(error)),
        Err(error) if is_duplicate(&error) => find_existing(connection, orders).await.map(Ok),
        Err(error) => Err(error),
    }
}

async fn insert_many(connection: &mut Connection, orders: &[Order], trace: &str) -> QueryResult<()> {
    // Half of it, because the last order of a batch may exceed the limit.
    let max_bytes = MAX_BATCH_BYTES.min(connection.max_statement_bytes() / 2);
    let mut remaining = orders.iter();
    let mut batch = next_batch(&mut remaining, max_bytes);
    if let (Ok(()), 0) = (connection.check_size(batch.len() + trace.len()), remaining.len()) {
        return insert_batch(connection, batch, trace).await.map(Ok);
    }
    connection.begin_transaction().await?;
    loop {
        let stored = match connection.check_size(batch.len() + trace.len()) {
            Ok(()) => insert_batch(connection, batch, trace).await.map(Ok),
            Err(error) => Ok(Err(error)),
        };
        if remaining.len() == 0 || !matches!(stored, Ok(Ok(()))) {
            return connection.end_transaction(stored).await;
        }
        batch = next_batch(&mut remaining, max_bytes);
    }
}

async fn insert_batch(connection: &mut Connection, batch: String, trace: &str) -> Result<(), Error> {
    let (changes, trace) = choose_changes(connection, trace);
    let parameters: Vec<Value> = trace.map(Value::from).into_iter().chain([batch.into()]).collect();
    connection.exec_drop(changes.insert_many, parameters).await
}

/// The next orders as a JSON array: at least one, and none after this size is reached.
fn next_batch(remaining: &mut std::slice::Iter<'_, Order>, max_bytes: usize) -> String {
    let mut json = String::with_capacity(max_bytes.min(MAX_BATCH_BYTES) + 2 * 1024);
    json.push('[');
    while json.len() < max_bytes || json.len() == 1 {
        let Some(order) = remaining.next() else { break };
        if json.len() > 1 {
            json.push(',');
        }
        order.write_json(&mut json);
    }
    json.push(']');
    json
}

/// Finds the ids that exist. There may be none, if an administrator has added another unique key.
async fn find_existing(connection: &mut Connection, orders: &[Order]) -> Result<Outcome, Error> {
    // An id has at most ten digits and a comma.
    let max_bytes = MAX_BATCH_BYTES.min(connection.max_statement_bytes()) / 11;
    let mut existing = Vec::new();
    for chunk in orders.chunks(max_bytes.max(1)) {
        let ids: Vec<i32> = chunk.iter().map(|order| order.order_id).collect();
        let json = serde_json::Value::from(ids).to_string();
        let rows: Vec<Row> = connection.exec(SELECT_EXISTING, (json,)).await?;
        existing.extend(rows.iter().filter_map(|row| get_integer::<i32>(row, 0)));
    }
    existing.sort_unstable();
    Ok(Outcome::Duplicate(existing))
}

async fn update_order(connection: &mut Connection, order: &Order, trace: &str) -> Result<Outcome, Error> {
    let (changes, trace) = choose_changes(connection, trace);
    let mut parameters = insert_parameters(order, trace);
    parameters.rotate_left(1);
    connection.exec_drop(changes.update, Params::from(parameters)).await?;
    if connection.affected_rows() > 0 {
        return Ok(Outcome::Done);
    }
    // The server counts changed rows. The order may exist with the same values.
    let rows: Vec<Row> = connection.exec(SELECT_ID, (order.order_id,)).await?;
    Ok(if rows.is_empty() {
        Outcome::NotFound
    } else {
        Outcome::Done
    })
}

fn insert_parameters(order: &Order, trace: Option<&str>) -> Vec<Value> {
    let order = [
        order.order_id.into(),
        order.product_id.into(),
        order.quantity.into(),
        money_parameter(order.amount),
        money_parameter(order.shipping),
        money_parameter(order.tax),
        order.shipping_address.as_str().into(),
    ];
    order.into_iter().chain(trace.map(Value::from)).collect()
}

/// Money is sent and received as a decimal text, which the server converts exactly.
fn money_parameter(money: Money) -> Value {
    let mut text = String::new();
    money.write_to(&mut text);
    text.into()
}

fn order_from_row(row: &Row) -> Result<Order, DatabaseError> {
    get_text(row, 0).and_then(parse_order).ok_or_else(|| {
        let id = get_text(row, 0).and_then(|order| order.split(' ').next());
        log::event(
            Level::Error,
            &format!("database: the row of order {id:?} holds values no order may have"),
        );
        DatabaseError::Internal
    })
}

/// Parses the text of an order. The address comes last, because it may contain spaces.
fn parse_order(text: &str) -> Option<Order> {
    let mut fields = text.splitn(7, ' ');
    Some(Order {
        order_id: fields.next()?.parse().ok()?,
        product_id: fields.next()?.parse().ok()?,
        quantity: fields.next()?.parse().ok()?,
        amount: Money::parse(fields.next()?).ok()?,
        shipping: Money::parse(fields.next()?).ok()?,
        tax: Money::parse(fields.next()?).ok()?,
        shipping_address: fields.next()?.to_owned(),
    })
}
