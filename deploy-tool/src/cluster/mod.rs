//! Edge: the API server of an explicit context.

pub mod apply;
pub mod client;
pub mod delete;
pub mod discover;
pub mod list;
pub mod pods;
pub mod scale;
pub mod watch;

pub use client::Cluster;
