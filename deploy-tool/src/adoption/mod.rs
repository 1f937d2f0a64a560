//! Checks whether an existing crate runs as Wasm, and adds the missing dependencies and files.

pub mod add;
pub mod cargo_manifest;
pub mod manifests;
pub mod package;
pub mod survey;
pub mod swap;
pub mod verdict;

pub use survey::{Survey, survey};
pub use verdict::Verdict;
