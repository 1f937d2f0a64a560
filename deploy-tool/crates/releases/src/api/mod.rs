//! Edge: applies, deletes, lists and records what the pure parts have decided.

pub mod apply;
pub mod custom;
pub mod delete;
pub mod discover;
pub mod establish;
pub mod foreign;
pub mod leaving;
pub mod live;
pub mod plan;
pub mod preflight;
pub mod revisions;
pub mod saved;
mod written;
