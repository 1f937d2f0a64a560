//! What a user reads when something cannot be done: an error with its causes and what to do next, the exit status that
//! goes with it, and the catalogue of numbered errors behind docs/errors.md.

pub mod code;
mod error;
mod error_code;

pub use error::{DISK_FULL_HINT, EXIT_CODES, Error, ExitStatus, Result};
pub use error_code::Code;
