//! The events in MariaDB: their tables and the SQL.

mod statements;
mod tables;

pub use tables::EventTables;
