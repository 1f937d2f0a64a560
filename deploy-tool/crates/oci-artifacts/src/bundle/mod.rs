//! An image as an OCI runtime bundle: a folder that `crun run` and `runc run` start.
//!
//! <https://github.com/opencontainers/runtime-spec/blob/main/bundle.md>

mod choose;
mod in_root;
mod rootfs;
mod specification;
mod user;

pub use choose::{ChoiceError, choose, is_candidate};
pub use rootfs::{Unpacker, contains_module};
pub use specification::{Container, specification};
pub use user::{User, UserDatabase, user};

/// The file that describes the container.
pub const SPECIFICATION_FILE: &str = "config.json";
/// The folder of its files.
pub const ROOTFS: &str = "rootfs";
