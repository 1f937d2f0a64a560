//! Edge: when SIGINT and SIGTERM end the process at once, in place of a run that stops in order: at the second one, and while
//! nothing else is done than waiting.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use diagnostics::{Error, ExitStatus, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// Whether the next signal ends the process.
static AT_ONCE: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// From now on the second signal ends the process, whatever it does.
///
/// # Errors
/// When the system does not allow it.
pub fn exit_at_second_signal() -> Result<()> {
    let register = |number| {
        // In this order, so that the first signal does not end the process by the flag that it sets.
        flag::register_conditional_shutdown(number, ExitStatus::Interrupted as i32, AT_ONCE.clone())?;
        flag::register(number, AT_ONCE.clone())
    };
    for number in [SIGINT, SIGTERM] {
        register(number).map_err(|error| Error::prerequisite("cannot listen for signals").cause(error))?;
    }
    Ok(())
}

/// Runs a blocking wait. During it, the first signal ends the process.
pub fn wait_interruptibly<T>(wait: impl FnOnce() -> T) -> T {
    let before = AT_ONCE.swap(true, Ordering::SeqCst);
    let result = wait();
    AT_ONCE.store(before, Ordering::SeqCst);
    result
}
