//! Pure but for [`store`]: from a module and a definition to an OCI image, and back. The same inputs give the same bytes,
//! and so the same digest.
//!
//! An image is an index of two platforms. Nodes of x86-64 get the module with code compiled ahead of time; all others the
//! module alone. Never `wasi/wasm`: a node pulls by its own platform, and would find nothing.
//! <https://github.com/opencontainers/image-spec/blob/main/image-index.md>

pub(crate) mod archive;
pub mod artifact;
mod blob;
mod configuration;
mod definition;
mod docker_archive;
mod layer;
pub mod layer_listing;
pub mod layout;
mod pack;
pub mod specification;
pub mod store;
mod variant;

pub use blob::{Blob, BlobSource};
pub use definition::{Definition, DefinitionError, ExtraFile, SERVICES, read_files};
pub use layer::{LayerError, LayerFile, compress, layer};
pub use layout::{Layout, LayoutError};
pub use pack::{attach, pack, variants};
pub use variant::{Compiled, Contents, ENGINE_LABEL, MODULE_LABEL, VARIANT, VARIANT_ANNOTATION, Variant};

#[cfg(test)]
mod tests;
