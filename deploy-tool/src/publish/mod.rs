//! How images come to the nodes: loaded into those of a kind cluster, or pushed to a registry that the nodes pull from.

pub mod nodes;
pub mod pull_secret;
pub mod registry;

pub use nodes::{layout, reload_into_kind, to_kind};
pub use pull_secret::PullSecret;
pub use registry::Destination;
