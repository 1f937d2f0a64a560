//! Nodes that run WebAssembly: whether they do, what makes them, and kind clusters of them.
//!
//! [`doctor`], [`node`], [`kind_config`], [`node_conditions`] and [`node_images`] decide and do no I/O; [`api`], [`kind`]
//! and [`local_registry`] do.

pub mod api;
pub mod doctor;
pub mod kind;
pub mod kind_config;
pub mod local_registry;
pub mod node;
pub mod node_conditions;
pub mod node_images;
mod settings;

pub use settings::NODE_ENGINE_LABEL;
