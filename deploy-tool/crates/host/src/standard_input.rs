//! Edge: the standard input, which may be a terminal or a pipe that nobody closes.

use std::io::Read;

use crate::interrupt;

/// Reads all of it. Until then this thread does nothing else, and a signal ends the process.
///
/// # Errors
/// When it cannot be read, or is no UTF-8.
pub fn read() -> std::io::Result<String> {
    let mut text = String::new();
    interrupt::while_waiting(|| std::io::stdin().read_to_string(&mut text))?;
    Ok(text)
}
