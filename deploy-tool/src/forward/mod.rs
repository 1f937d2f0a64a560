//! Pure: which Service is meant, by which of its ports, and which of its pods answers.

mod backends;
pub mod listen;
mod way;

pub use backends::{Backend, Backends, reason};
pub use way::{Ports, Way, service, way};
