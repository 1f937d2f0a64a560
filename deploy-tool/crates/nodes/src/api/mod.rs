//! Edge: requests to the API server about nodes.

pub mod doctor;
pub mod eviction;
pub mod node;
