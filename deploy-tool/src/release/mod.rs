//! Pure: a release is a named set of objects in a namespace, which `up` applies together and which owns what it applied.

mod identity;
mod name;

pub use identity::Identity;
pub use name::Name;

/// The annotation of an object that names its release: `namespace/name`.
pub const RELEASE_ANNOTATION: &str = "deploy-tool.dev/release";
