//! What the service asks of its store, and what the store may answer.

use microservice::memory::{Buffer, Exhausted};
use serde::Serialize;

use crate::order::Order;

/// One thing to do with the orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Store new orders, all or none.
    Create(Vec<Order>),
    /// Read one order.
    Find(i32),
    /// Replace the order of the same id.
    Update(Order),
    /// Remove one order.
    Delete(i32),
}

/// What came of a [`Command`].
#[derive(Debug)]
pub enum Outcome {
    /// The change is stored.
    Done,
    /// The order read.
    Order(Order),
    /// Orders by ascending id.
    Page(Page),
    /// There is no order of that id.
    Missing,
    /// Orders with these ids exist already; nothing was stored.
    Exists(Vec<i32>),
}

/// A part of the list of orders, as it is sent: orders come one by one from the database and are not kept.
#[derive(Debug)]
pub struct Page {
    /// A JSON array.
    pub json: Buffer,
    /// The id of the last order, where there are more behind it.
    pub next_after: Option<i32>,
}

/// Writes a page.
#[derive(Debug)]
pub struct PageWriter {
    json: Buffer,
    limit: usize,
    count: usize,
    last: i32,
    /// Where one order is written before it is copied.
    order: String,
}

impl PageWriter {
    /// About how many bytes one order takes.
    pub const USUAL_ORDER: usize = 192;

    /// An empty page of at most so many orders.
    pub fn new(json: Buffer, limit: usize) -> PageWriter {
        PageWriter {
            json,
            limit,
            count: 0,
            last: 0,
            order: String::new(),
        }
    }

    /// Appends an order. One above the limit only tells that there are more.
    pub fn push(&mut self, order: &Order) -> Result<(), Exhausted> {
        self.count += 1;
        if self.count > self.limit {
            return Ok(());
        }
        self.order.clear();
        self.order.push(if self.count == 1 { '[' } else { ',' });
        order.write_json(&mut self.order);
        self.last = order.order_id;
        self.json.push(self.order.as_bytes())
    }

    /// The page.
    pub fn finish(mut self) -> Result<Page, Exhausted> {
        self.json.push(if self.count == 0 { b"[]" } else { b"]" })?;
        Ok(Page {
            json: self.json,
            next_after: (self.count > self.limit).then_some(self.last),
        })
    }
}

/// An event that was set aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeadLetter {
    /// By which it is sent again or dropped.
    pub id: i64,
    /// The event's own id.
    pub event_id: String,
    /// The event's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The order's id.
    pub order_id: i32,
    /// When it happened: RFC 3339, UTC.
    pub time: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it was not taken the last time.
    pub last_error: String,
}

/// What can be done with dead letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadLetters {
    /// Read the oldest.
    List,
    /// Put them back into the outbox: one, or the oldest.
    SendAgain(Option<i64>),
    /// Remove one for good.
    Drop(i64),
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeadLettersDone {
    /// The dead letters read.
    List(Vec<DeadLetter>),
    /// The number of those that were sent again or dropped.
    Changed(u64),
}
