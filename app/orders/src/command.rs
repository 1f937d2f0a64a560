//! The commands of the store, and their outcomes.

use microservice::memory::{Buffer, Exhausted};
use microservice::trace::Trace;
use serde::Serialize;

use crate::order::Order;

/// A command on the orders.
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

/// A command, and the trace context of its request, which the events of its changes get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracedCommand {
    /// The command.
    pub command: Command,
    /// The trace context, if any.
    pub trace: Trace,
}

/// The outcome of a [`Command`].
#[derive(Debug)]
pub enum Outcome {
    /// The change is stored.
    Done,
    /// The order read.
    Order(Order),
    /// Orders by ascending id.
    Page(Page),
    /// There is no order with that id.
    NotFound,
    /// Orders with these ids exist already; nothing was stored.
    Duplicate(Vec<i32>),
}

/// A page of the list of orders, as it is sent: orders are streamed from the database into the buffer.
#[derive(Debug)]
pub struct Page {
    /// A JSON array.
    pub json: Buffer,
    /// The id of the last order, if there are more.
    pub next_after: Option<i32>,
}

/// Writes a page.
#[derive(Debug)]
pub struct PageWriter {
    json: Buffer,
    limit: usize,
    count: usize,
    last: i32,
    /// A scratch buffer for one order.
    order: String,
}

impl PageWriter {
    /// The usual size of an order in JSON.
    pub const ESTIMATED_ORDER_BYTES: usize = 192;

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

    /// Appends an order. An order above the limit is not appended; it only shows that there is a next page.
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

    /// The finished page.
    pub fn finish(mut self) -> Result<Page, Exhausted> {
        self.json.push(if self.count == 0 { b"[]" } else { b"]" })?;
        Ok(Page {
            json: self.json,
            next_after: (self.count > self.limit).then_some(self.last),
        })
    }
}

/// An event that was given up after several attempts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeadLetter {
    /// The id for resending or dropping it.
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
    /// The number of attempts.
    pub attempts: u32,
    /// Why the last attempt failed.
    pub last_error: String,
}

/// A command on dead letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadLetterCommand {
    /// Read the oldest ones.
    List,
    /// Move them back into the outbox: the one with this id, or the oldest ones.
    Resend(Option<i64>),
    /// Delete one.
    Drop(i64),
}

/// The outcome of a [`DeadLetterCommand`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeadLetterOutcome {
    /// The dead letters read.
    List(Vec<DeadLetter>),
    /// The number of those that were moved or deleted.
    Changed(u64),
}
