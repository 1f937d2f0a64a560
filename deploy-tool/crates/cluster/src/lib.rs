//! Edge: the API server of an explicit context.
//!
//! [`context`], [`permission`] and [`retry_rule`] decide and do no I/O.

pub mod access;
pub mod client;
mod condition;
pub mod context;
mod http2;
mod idempotent_retry;
pub mod kubeconfig;
pub mod list;
mod path_segment;
pub mod permission;
pub mod pods;
mod proxy;
mod request_log;
pub mod retry_rule;
pub mod watch;

pub use client::{Cluster, FIRST_REQUEST_TIMEOUT, PARALLEL_REQUESTS, REQUEST_TIMEOUT};
pub use condition::await_condition;
pub use path_segment::path_segment;
