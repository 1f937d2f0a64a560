//! The orders in MariaDB: tables, statements, the outbox.

mod changes;
mod dead_letters;
mod outbox;
mod outbox_tables;
mod statements;
mod tables;

pub use outbox::{Backlog, Outbox, OutboxRow, MAX_PAGE_EVENTS};
pub use statements::Listing;
pub use tables::OrderTables;
