//! This machine: other programs, Docker, git, the cache folder and its locks.

pub mod cache;
pub mod cleanup;
pub mod docker;
pub mod git;
pub mod interrupt;
pub mod lock;
pub mod process;
pub mod standard_input;
pub mod tool_image;
