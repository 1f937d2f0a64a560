//! The SQL of the orders, and the mapping between rows and orders.
//!
//! Every command is one statement, so it is done as a whole or not at all without a transaction, in one round trip once
//! it is prepared. Only a large number of new orders is stored piece by piece, in a transaction: what the driver and the
//! server hold for a statement is several times its size.

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, Params, Row, Value};

use std::sync::{Mutex, PoisonError};

use microservice::database::{integer, is_duplicate, text, Connection, DatabaseError, QueryResult, Statement};
use microservice::log::{self, Level};
use microservice::memory::Buffer;

use crate::command::{Command, Outcome, PageWriter};
use crate::order::{Money, Order};

const INSERT: &str = "INSERT INTO orders \
    (order_id, product_id, quantity, amount, shipping, tax, shipping_address) \
    VALUES (?, ?, ?, ?, ?, ?, ?)";

/// Many orders as one JSON parameter: one statement whatever their number, where a list of VALUES
/// would be another statement for each length and end at 65,535 parameters.
const INSERT_MANY: &str = "INSERT INTO orders \
    (order_id, product_id, quantity, amount, shipping, tax, shipping_address) \
    SELECT order_id, product_id, quantity, amount, shipping, tax, shipping_address \
    FROM JSON_TABLE(?, '$[*]' COLUMNS ( \
        order_id INT PATH '$.order_id', \
        product_id INT PATH '$.product_id', \
        quantity INT PATH '$.quantity', \
        amount DECIMAL(12,2) PATH '$.amount', \
        shipping DECIMAL(12,2) PATH '$.shipping', \
        tax DECIMAL(12,2) PATH '$.tax', \
        shipping_address VARCHAR(256) CHARACTER SET utf8mb4 PATH '$.shipping_address' \
    )) AS new_orders";

/// About the most bytes of that parameter.
const PIECE: usize = 128 * 1024;

const WHICH_EXIST: &str = "SELECT order_id FROM orders JOIN JSON_TABLE(?, '$[*]' COLUMNS ( \
        wanted INT PATH '$' \
    )) AS ids ON order_id = wanted ORDER BY order_id";

// Orders are read as one text each: a column costs more than what is in it, since its description comes
// with every answer and each of its values takes memory of its own.
// Nothing comes of a row with a value that is NULL: left out, another one would be taken for it.
const LIST: &str = "SELECT \
    CONCAT(order_id, ' ', product_id, ' ', quantity, ' ', amount, ' ', shipping, ' ', tax, ' ', shipping_address) \
    FROM orders WHERE order_id > ? ORDER BY order_id LIMIT ?";

const FIND: &str = "SELECT \
    CONCAT(order_id, ' ', product_id, ' ', quantity, ' ', amount, ' ', shipping, ' ', tax, ' ', shipping_address) \
    FROM orders WHERE order_id = ?";

const EXISTS: &str = "SELECT 1 FROM orders WHERE order_id = ?";

const UPDATE: &str = "UPDATE orders SET product_id = ?, quantity = ?, amount = ?, shipping = ?, \
    tax = ?, shipping_address = ? WHERE order_id = ?";

const DELETE: &str = "DELETE FROM orders WHERE order_id = ?";

impl Statement for Command {
    type Output = Outcome;

    fn is_retryable(&self) -> bool {
        matches!(self, Command::Find(_))
    }

    async fn run(&self, connection: &mut Connection) -> QueryResult<Outcome> {
        match self {
            Command::Create(orders) => create(connection, orders).await,
            Command::Find(id) => {
                let rows: Vec<Row> = connection.exec(FIND, (*id,)).await?;
                Ok(match rows.first() {
                    None => Ok(Outcome::Missing),
                    Some(row) => order_of(row).map(Outcome::Order),
                })
            }
            Command::Update(order) => match connection.check_size(order.shipping_address.len()) {
                Ok(()) => update(connection, order).await.map(Ok),
                Err(failure) => Ok(Err(failure)),
            },
            Command::Delete(id) => {
                connection.exec_drop(DELETE, (*id,)).await?;
                Ok(Ok(match connection.affected_rows() {
                    0 => Outcome::Missing,
                    _ => Outcome::Done,
                }))
            }
        }
    }
}

/// Reads a page of orders into memory that has been taken for it.
#[derive(Debug)]
pub struct Listing {
    limit: usize,
    after: Option<i32>,
    buffer: Mutex<Buffer>,
}

impl Listing {
    /// The orders after an id, at most so many.
    pub fn new(limit: usize, after: Option<i32>, buffer: Buffer) -> Listing {
        Listing {
            limit,
            after,
            buffer: Mutex::new(buffer),
        }
    }

    /// The buffer, empty: an attempt that failed may have written to it.
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
        // The id below all ids, for tables whose rows came from elsewhere.
        let after = self.after.map_or(i64::from(i32::MIN) - 1, i64::from);
        let mut page = PageWriter::new(self.take_buffer(), self.limit);
        // One more than asked for, to learn whether there is a next page.
        let mut rows = connection.exec_iter(LIST, (after, self.limit + 1)).await?;
        while let Some(row) = rows.next().await? {
            let written = order_of(&row).and_then(|order| page.push(&order).map_err(DatabaseError::from));
            if let Err(failure) = written {
                rows.drop_result().await?;
                return Ok(Err(failure));
            }
        }
        Ok(page.finish().map(Outcome::Page).map_err(DatabaseError::from))
    }
}

async fn create(connection: &mut Connection, orders: &[Order]) -> QueryResult<Outcome> {
    let result = match orders {
        [order] => match connection.check_size(order.shipping_address.len()) {
            Ok(()) => connection.exec_drop(INSERT, insert_parameters(order)).await.map(Ok),
            Err(failure) => Ok(Err(failure)),
        },
        orders => insert_many(connection, orders).await,
    };
    match result {
        Ok(Ok(())) => Ok(Ok(Outcome::Done)),
        Ok(Err(failure)) => Ok(Err(failure)),
        Err(error) if is_duplicate(&error) => which_exist(connection, orders).await.map(Ok),
        Err(error) => Err(error),
    }
}

async fn insert_many(connection: &mut Connection, orders: &[Order]) -> QueryResult<()> {
    // Half of it, since the last order of a piece comes on top.
    let most = PIECE.min(connection.max_statement_bytes() / 2);
    let mut rest = orders.iter();
    let mut piece = next_piece(&mut rest, most);
    if let (Ok(()), 0) = (connection.check_size(piece.len()), rest.len()) {
        return connection.exec_drop(INSERT_MANY, (piece,)).await.map(Ok);
    }
    connection.begin_transaction().await?;
    loop {
        let stored = match connection.check_size(piece.len()) {
            Ok(()) => connection.exec_drop(INSERT_MANY, (piece,)).await.map(Ok),
            Err(failure) => Ok(Err(failure)),
        };
        if rest.len() == 0 || !matches!(stored, Ok(Ok(()))) {
            return connection.end_transaction(stored).await;
        }
        piece = next_piece(&mut rest, most);
    }
}

/// The next orders as a JSON array, at least one and no more after so many bytes.
fn next_piece(rest: &mut std::slice::Iter<'_, Order>, most: usize) -> String {
    let mut json = String::with_capacity(most.min(PIECE) + 2 * 1024);
    json.push('[');
    while json.len() < most || json.len() == 1 {
        let Some(order) = rest.next() else { break };
        if json.len() > 1 {
            json.push(',');
        }
        order.write_json(&mut json);
    }
    json.push(']');
    json
}

/// It may be another key that must be unique, of a table that somebody has changed.
async fn which_exist(connection: &mut Connection, orders: &[Order]) -> Result<Outcome, Error> {
    // An id has at most ten digits, and a comma.
    let most = PIECE.min(connection.max_statement_bytes()) / 11;
    let mut existing = Vec::new();
    for some in orders.chunks(most.max(1)) {
        let ids: Vec<i32> = some.iter().map(|order| order.order_id).collect();
        let json = serde_json::Value::from(ids).to_string();
        let rows: Vec<Row> = connection.exec(WHICH_EXIST, (json,)).await?;
        existing.extend(rows.iter().filter_map(|row| integer::<i32>(row, 0)));
    }
    existing.sort_unstable();
    Ok(Outcome::Exists(existing))
}

async fn update(connection: &mut Conn, order: &Order) -> Result<Outcome, Error> {
    let mut parameters = insert_parameters(order);
    parameters.rotate_left(1);
    connection.exec_drop(UPDATE, Params::from(parameters)).await?;
    if connection.affected_rows() > 0 {
        return Ok(Outcome::Done);
    }
    // The server counts rows that changed. An order that had these very values is there all the same.
    let rows: Vec<Row> = connection.exec(EXISTS, (order.order_id,)).await?;
    Ok(match rows.is_empty() {
        true => Outcome::Missing,
        false => Outcome::Done,
    })
}

fn insert_parameters(order: &Order) -> Vec<Value> {
    vec![
        order.order_id.into(),
        order.product_id.into(),
        order.quantity.into(),
        money(order.amount),
        money(order.shipping),
        money(order.tax),
        order.shipping_address.as_str().into(),
    ]
}

/// Money travels as decimal text both ways, which the server converts exactly.
fn money(money: Money) -> Value {
    let mut text = String::new();
    money.write_to(&mut text);
    text.into()
}

fn order_of(row: &Row) -> Result<Order, DatabaseError> {
    text(row, 0).and_then(parse_order).ok_or_else(|| {
        let id = text(row, 0).and_then(|order| order.split(' ').next());
        log::event(
            Level::Error,
            &format!("database: the row of order {id:?} holds values no order may have"),
        );
        DatabaseError::Internal
    })
}

/// Reads the one text of an order; the address comes last, since it alone may hold spaces.
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
