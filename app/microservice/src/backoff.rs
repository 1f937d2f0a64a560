//! Exponential backoff after failures.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A period after a failure in which nothing is tried; each consecutive failure doubles it, up to a maximum.
#[derive(Debug)]
pub struct Backoff {
    first: Duration,
    max: Duration,
    /// The length and the end of the last period since the last success.
    state: Mutex<Option<(Duration, Instant)>>,
}

impl Backoff {
    /// A backoff that is not active.
    pub fn new(first: Duration, max: Duration) -> Backoff {
        Backoff {
            first,
            max,
            state: Mutex::default(),
        }
    }

    /// Whether nothing should be tried now.
    pub fn is_active(&self) -> bool {
        self.state().is_some_and(|(_, end)| Instant::now() < end)
    }

    /// Starts the next period, after a failure. Returns its length.
    pub fn start(&self) -> Duration {
        let mut state = self.state();
        let length = match *state {
            None => self.first,
            Some((length, _)) => self.max.min(length * 2),
        };
        *state = Some((length, Instant::now() + length));
        length
    }

    /// Ends the backoff, after a success.
    pub fn reset(&self) {
        *self.state() = None;
    }

    fn state(&self) -> MutexGuard<'_, Option<(Duration, Instant)>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
