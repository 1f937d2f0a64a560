//! What the service asks of its store, and what the store may answer.

use crate::http::{Code, Problem};
use crate::order::Order;

/// One thing to do with the orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Store new orders, all or none.
    Create(Vec<Order>),
    /// Read orders by ascending id.
    List {
        /// The most orders to read.
        limit: usize,
        /// Only orders with a greater id.
        after: Option<i32>,
    },
    /// Read one order.
    Find(i32),
    /// Replace the order of the same id.
    Update(Order),
    /// Remove one order.
    Delete(i32),
}

impl Command {
    /// Whether doing it a second time could do harm.
    pub fn writes(&self) -> bool {
        !matches!(self, Command::List { .. } | Command::Find(_))
    }
}

/// What came of a [`Command`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The change is stored.
    Done,
    /// The orders read.
    Orders(Vec<Order>),
    /// There is no order of that id.
    Missing,
    /// Orders with these ids exist already; nothing was stored.
    Exists(Vec<i32>),
}

/// Why the store could not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The database cannot be used just now; trying again later may help.
    Unavailable(&'static str),
    /// The database did not answer in time. A change may or may not be stored.
    Timeout,
    /// The tables are not there yet, or are those of an older version.
    SchemaBehind,
    /// There are tables that must not be migrated, for this reason.
    SchemaRefused(String),
    /// The service asked for something the database refuses: a fault in the service.
    Internal,
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Problem {
        match failure {
            Failure::Unavailable(reason) => Problem::new(Code::DatabaseUnavailable, reason),
            Failure::Timeout => Problem::new(
                Code::Timeout,
                "the database did not answer in time; look before you repeat a change",
            ),
            Failure::SchemaBehind => Problem::new(
                Code::DatabaseUnavailable,
                "the tables are being prepared; try again soon",
            ),
            Failure::SchemaRefused(reason) => Problem::new(Code::DatabaseUnavailable, reason),
            Failure::Internal => Problem::new(
                Code::Internal,
                "something is wrong in the service; the log has the details under this request id",
            ),
        }
    }
}
