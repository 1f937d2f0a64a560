//! Pure: what `scale` changes, once everything that speaks against it has been heard.

mod autoscaler;
mod change;
mod decide;
mod request;
pub mod set;
#[cfg(test)]
mod tests;

pub use autoscaler::{Autoscaler, Bounds};
pub use change::{Change, Edit, go_back};
pub use decide::{Decision, Found, Options, decide};
pub use request::Request;
