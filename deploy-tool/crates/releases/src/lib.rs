//! Releases: named sets of Kubernetes objects, their manifests, plans and history.
//!
//! [`manifest`] (except its loader), [`plan`] and [`release`] are pure; [`api`] does the I/O.

pub mod api;
pub mod lock_holder;
pub mod manifest;
mod password;
pub mod plan;
pub mod release;
mod settings;

pub use settings::{ESTABLISH_TIMEOUT, FIELD_MANAGER};
