//! What a user reads when something cannot be done: an error with its causes and what to do next, the exit status that
//! goes with it, the catalogue of numbered errors behind docs/errors.md, and how numbers of bytes are written.

pub mod code;
mod error;
mod error_code;
pub mod size;

pub use error::{DISK_FULL_HINT, EXIT_CODES, Error, ExitStatus, Result};
pub use error_code::Code;
