//! What the service asks of its store, and what the store may answer.

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
