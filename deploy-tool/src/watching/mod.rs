//! The files that a deployment is made of, and when their contents change.

pub mod changes;
mod snapshot;

pub use changes::Changes;
pub use snapshot::{Roots, Snapshot};
