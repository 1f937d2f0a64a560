//! Images of WebAssembly modules as OCI artifacts, from bytes to a registry and back.
//!
//! [`image`], [`bom`], [`inspect`], [`provenance`], [`signature`] and [`wasm`] decide and do no I/O, but for
//! [`image::store`]; [`registry`] says which of its files do.

pub mod bom;
pub mod digest;
pub mod image;
pub mod inspect;
pub mod provenance;
pub mod registry;
pub mod signature;
pub mod wasm;
