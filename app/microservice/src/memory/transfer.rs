//! Decides which slow transfers of bodies are aborted when other requests are refused memory.
//!
//! The peer's address is not considered: all clients behind a NodePort, a proxy or a NAT have the same one. Only the
//! speed of the transfer counts.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A transfer at this rate is never aborted.
const FAST_BYTES_PER_SECOND: u64 = 64 * 1024;
/// The rate counts from this duration on.
const GRACE_PERIOD: Duration = Duration::from_secs(2);
/// Slow transfers are aborted for this long after a request was refused.
const RECENT_REFUSAL: Duration = Duration::from_secs(5);

/// When a budget last refused memory.
#[derive(Debug, Default)]
pub struct Refusals {
    last: Mutex<Option<Instant>>,
}

impl Refusals {
    /// Records a refusal.
    pub fn record(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn are_recent(&self) -> bool {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|last| last.elapsed() < RECENT_REFUSAL)
    }
}

/// The transfer of a body that holds memory of a budget.
#[derive(Clone, Debug)]
pub struct Transfer(pub(super) Arc<Refusals>);

impl Transfer {
    /// Whether the transfer must be aborted, after so many bytes in this time.
    pub fn must_abort(&self, duration: Duration, transferred: usize) -> bool {
        duration >= GRACE_PERIOD && !is_fast_transfer(duration, transferred) && self.0.are_recent()
    }
}

/// Whether a transfer of so many bytes in this time is fast enough.
pub fn is_fast_transfer(duration: Duration, bytes: usize) -> bool {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    (bytes as u64).saturating_mul(1_000) / millis.max(1) >= FAST_BYTES_PER_SECOND
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_peers_give_way_to_who_was_refused() {
        let refusals = Arc::new(Refusals::default());
        let transfer = Transfer(Arc::clone(&refusals));
        let (young, old) = (Duration::from_secs(1), Duration::from_secs(10));
        assert!(!transfer.must_abort(old, 0), "as long as nobody is refused");
        refusals.record();
        assert!(!transfer.must_abort(young, 0));
        assert!(transfer.must_abort(old, 600_000));
        assert!(!transfer.must_abort(old, 700_000));
    }
}
