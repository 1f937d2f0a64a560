//! Edge: applies, deletes, lists and records what the pure parts have decided.

pub mod apply;
mod change_event;
pub mod claims;
pub mod crd_conditions;
pub mod crd_wait;
pub mod delete;
pub mod deletion_wait;
pub mod discover;
mod field_migration;
pub mod get_many;
pub mod plan;
pub mod preflight;
pub mod revisions;
pub mod saved;
mod send;
pub mod unmanaged;
