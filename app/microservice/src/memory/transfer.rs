//! Bodies that a peer sends or reads bit by bit: which of them give way when others find no memory.
//!
//! Addresses tell nothing: behind a node's port, a proxy or a network's router all clients have the same. So a peer is
//! judged by its own speed alone.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Whoever moves so many bytes a second never gives way.
const PROMPT_RATE: u64 = 64 * 1024;
/// The time from which a peer's rate counts.
const GRACE: Duration = Duration::from_secs(2);
/// For how long slow peers give way after somebody was refused.
const OF_LATE: Duration = Duration::from_secs(5);

/// When somebody was last refused memory of a budget.
#[derive(Debug, Default)]
pub struct Refusals {
    last: Mutex<Option<Instant>>,
}

impl Refusals {
    /// Notes one.
    pub fn note(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn are_recent(&self) -> bool {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|last| last.elapsed() < OF_LATE)
    }
}

/// A body on its way, with memory of a budget.
#[derive(Clone, Debug)]
pub struct Transfer(pub(super) Arc<Refusals>);

impl Transfer {
    /// Whether a peer that has moved so many bytes in this time has to give way.
    pub fn must_end(&self, time: Duration, moved: usize) -> bool {
        time >= GRACE && !is_prompt(time, moved) && self.0.are_recent()
    }
}

/// Whether so many bytes in this time are those of a prompt peer.
pub fn is_prompt(time: Duration, bytes: usize) -> bool {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    (bytes as u64).saturating_mul(1_000) / millis.max(1) >= PROMPT_RATE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_peers_give_way_to_who_was_refused() {
        let refusals = Arc::new(Refusals::default());
        let transfer = Transfer(Arc::clone(&refusals));
        let (young, old) = (Duration::from_secs(1), Duration::from_secs(10));
        assert!(!transfer.must_end(old, 0), "as long as nobody is refused");
        refusals.note();
        assert!(!transfer.must_end(young, 0));
        assert!(transfer.must_end(old, 600_000));
        assert!(!transfer.must_end(old, 700_000));
    }
}
