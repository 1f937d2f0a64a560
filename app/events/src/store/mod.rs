//! The events in MariaDB: tables and statements.

mod statements;
mod tables;

pub use tables::EventTables;
