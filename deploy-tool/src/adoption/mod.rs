//! An existing crate that is to run as Wasm: whether it can, what it lacks, and how that is added.

pub mod add;
pub mod manifests;
pub mod place;
pub mod survey;
pub mod swap;
pub mod verdict;

pub use survey::{Survey, survey};
pub use verdict::Verdict;
