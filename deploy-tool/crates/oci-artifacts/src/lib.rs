#![doc = include_str!("../README.md")]

pub mod bom;
pub mod bundle;
pub mod digest;
pub mod image;
pub mod inspect;
pub mod pattern;
pub mod provenance;
pub mod registry;
pub mod signature;
pub mod wasm;

pub use digest::Digest;
