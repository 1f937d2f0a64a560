//! Edge: what is asked of the cluster about its nodes, and written to it.

pub mod doctor;
pub mod node;
