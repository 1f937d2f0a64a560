//! From a workspace to a Wasm module compiled ahead of time, each step kept by what went into it.

pub mod artifact_cache;
pub mod background;
mod build_context;
pub mod builder;
mod cargo_config;
pub mod compile;
mod crate_tree;
mod features;
pub mod inputs;
pub mod native_form;
mod path_crates;
pub mod profile;
mod replaced_sources;
mod settings;
pub mod source_folder;
pub mod sources;
mod string_literals;
mod target_cfg;
pub mod traps;
pub mod vendor;
pub mod workspace;

pub use settings::{BUILDER_IMAGE, NATIVE_TARGET, RECIPE_LABEL, TARGET};
