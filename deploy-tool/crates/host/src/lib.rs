//! This machine: other programs, Docker, git, files, the cache folder and its locks.

pub mod atomic_file;
pub mod cache;
pub mod cleanup;
pub mod docker;
pub mod git;
pub mod interrupt;
pub mod lock;
pub mod process;
pub mod script;
pub mod standard_input;
pub mod tool_image;
