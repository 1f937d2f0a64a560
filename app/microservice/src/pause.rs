//! Pauses after failures, each twice as long as the one before.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A time after a failure in which nothing is tried.
#[derive(Debug)]
pub struct Pause {
    first: Duration,
    longest: Duration,
    state: Mutex<Option<(Duration, Instant)>>,
}

impl Pause {
    /// Pauses of these lengths.
    pub fn new(first: Duration, longest: Duration) -> Pause {
        Pause {
            first,
            longest,
            state: Mutex::default(),
        }
    }

    /// Whether nothing should be tried now.
    pub fn is_on(&self) -> bool {
        self.state().is_some_and(|(_, end)| Instant::now() < end)
    }

    /// Something failed. Returns how long the pause is.
    pub fn begin(&self) -> Duration {
        let mut state = self.state();
        let length = match *state {
            None => self.first,
            Some((length, _)) => self.longest.min(length * 2),
        };
        *state = Some((length, Instant::now() + length));
        length
    }

    /// Something worked.
    pub fn end(&self) {
        *self.state() = None;
    }

    fn state(&self) -> MutexGuard<'_, Option<(Duration, Instant)>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
