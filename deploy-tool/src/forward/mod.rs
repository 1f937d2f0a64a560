//! Pure: which Service is meant, by which of its ports, and which of its pods answers.

mod backends;
pub mod listen;
mod target;

pub use backends::{Backend, Backends, reason};
pub use target::{Ports, ServiceTarget, find_target, service};
