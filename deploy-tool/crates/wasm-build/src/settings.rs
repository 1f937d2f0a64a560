//! Fixed names.

/// The image that compiles the guest, made by scripts/images.
pub const BUILDER_IMAGE: &str = "localhost/wasm-builder:trixie";
/// Label of images made by scripts/images: a hash of how they were made.
pub const RECIPE_LABEL: &str = "deploy-tool.recipe";
/// Compiled for the guest's target.
pub const TARGET: &str = "wasm32-wasip1";
/// Compiled for where the module is compared with its native twin.
pub const NATIVE_TARGET: &str = "x86_64-unknown-linux-gnu";
