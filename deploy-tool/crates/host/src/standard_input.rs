//! Edge: reads standard input, which may be a terminal or a pipe that is never closed.

use std::io::Read;

use crate::interrupt;

/// Reads all of it. Until then this thread does nothing else, and a signal ends the process.
///
/// # Errors
/// When it cannot be read.
pub fn read() -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    interrupt::wait_interruptibly(|| std::io::stdin().read_to_end(&mut bytes))?;
    Ok(bytes)
}
