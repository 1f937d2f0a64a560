//! Pure: what `scale` changes, after all checks.

mod autoscaler;
mod change;
mod decide;
mod request;
pub mod set;
#[cfg(test)]
mod tests;

pub use autoscaler::{Autoscaler, Bounds};
pub use change::{Change, Edit, undo_commands};
pub use decide::{Decision, Options, ScalingState, decide};
pub use request::Request;
