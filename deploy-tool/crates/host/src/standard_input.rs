//! Edge: the standard input, which may be a terminal or a pipe that nobody closes.

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};

static AWAITED: AtomicBool = AtomicBool::new(false);

/// Reads all of it. Until then this thread does nothing else: see [`is_awaited`].
///
/// # Errors
/// When it cannot be read, or is no UTF-8.
pub fn read() -> std::io::Result<String> {
    AWAITED.store(true, Ordering::SeqCst);
    let mut text = String::new();
    let result = std::io::stdin().read_to_string(&mut text);
    AWAITED.store(false, Ordering::SeqCst);
    result.map(|_| text)
}

/// Whether the process waits for it now, and so can do nothing about a signal itself.
pub fn is_awaited() -> bool {
    AWAITED.load(Ordering::SeqCst)
}
