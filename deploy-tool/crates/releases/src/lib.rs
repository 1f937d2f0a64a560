//! Named sets of objects in a cluster: what is in the manifests, what applying them would do, and the history of what was
//! applied.
//!
//! [`manifest`] except its loader, [`plan`] and [`release`] decide and do no I/O; [`api`] does, and decides nothing.

pub mod api;
pub mod lock_holder;
pub mod manifest;
mod password;
pub mod plan;
pub mod release;
mod settings;

pub use settings::{ESTABLISH_TIMEOUT, FIELD_MANAGER};
