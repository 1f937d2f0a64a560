//! A limit on bytes in use, and permits for them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use tokio::sync::Notify;

use super::transfer::{Refusals, Transfer};
use crate::http::{Code, Problem};

/// A limit on the bytes in use.
#[derive(Debug)]
pub(super) struct Budget {
    pub(super) max_bytes: usize,
    used_bytes: AtomicUsize,
    pub(super) released: Notify,
    /// Slow transfers are aborted after refusals.
    pub(super) refusals: Arc<Refusals>,
}

impl Budget {
    pub(super) fn new(max_bytes: usize) -> Arc<Budget> {
        Arc::new(Budget {
            max_bytes,
            used_bytes: AtomicUsize::new(0),
            released: Notify::new(),
            refusals: Arc::default(),
        })
    }

    fn acquire(&self, bytes: usize) -> Result<(), Exhausted> {
        let fits = |used_bytes: usize| used_bytes.checked_add(bytes).filter(|sum| *sum <= self.max_bytes);
        match self.used_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits) {
            Ok(_) => Ok(()),
            Err(_) => {
                self.refusals.record();
                Err(Exhausted)
            }
        }
    }

    #[cfg(test)]
    pub(super) fn used_bytes(&self) -> usize {
        self.used_bytes.load(Ordering::Relaxed)
    }

    fn release(&self, bytes: usize) {
        if bytes > 0 {
            self.used_bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.released.notify_waiters();
        }
    }
}

/// Permits the use of memory, until it is dropped.
#[derive(Debug, Default)]
pub struct MemoryPermit {
    pub(super) budget: Option<Arc<Budget>>,
    pub(super) bytes: usize,
}

impl MemoryPermit {
    /// Grows the permit to this size, unless it is larger already.
    pub(super) fn grow(&mut self, budget: &Arc<Budget>, bytes: usize) -> Result<(), Exhausted> {
        if bytes > self.bytes {
            budget.acquire(bytes - self.bytes)?;
            self.bytes = bytes;
            self.budget = Some(Arc::clone(budget));
        }
        Ok(())
    }

    /// The transfer of a body that this memory is for; `None` while the permit is empty.
    pub fn transfer(&self) -> Option<Transfer> {
        self.budget
            .as_ref()
            .map(|budget| Transfer(Arc::clone(&budget.refusals)))
    }

    /// Shrinks the permit to this size, unless it is smaller already.
    pub fn shrink(&mut self, bytes: usize) {
        if bytes < self.bytes {
            if let Some(budget) = &self.budget {
                budget.release(self.bytes - bytes);
            }
            self.bytes = bytes;
        }
    }
}

impl Drop for MemoryPermit {
    fn drop(&mut self) {
        self.shrink(0);
    }
}

/// The budget is used up by other requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted;

impl From<Exhausted> for Problem {
    fn from(_: Exhausted) -> Problem {
        Problem::new(Code::BUSY, "too much is asked for at once; try again soon")
    }
}
