//! Bytes that may be in use at once, and who holds them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use tokio::sync::Notify;

use super::transfer::{Refusals, Transfer};
use crate::http::{Code, Problem};

/// Bytes that may be in use at once.
#[derive(Debug)]
pub(super) struct Budget {
    pub(super) limit: usize,
    used: AtomicUsize,
    pub(super) freed: Notify,
    /// Slow peers make room when there is none.
    pub(super) refusals: Arc<Refusals>,
}

impl Budget {
    pub(super) fn new(limit: usize) -> Arc<Budget> {
        Arc::new(Budget {
            limit,
            used: AtomicUsize::new(0),
            freed: Notify::new(),
            refusals: Arc::default(),
        })
    }

    fn take(&self, bytes: usize) -> Result<(), Exhausted> {
        let fits = |used: usize| used.checked_add(bytes).filter(|sum| *sum <= self.limit);
        match self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits) {
            Ok(_) => Ok(()),
            Err(_) => {
                self.refusals.note();
                Err(Exhausted)
            }
        }
    }

    #[cfg(test)]
    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn give_back(&self, bytes: usize) {
        if bytes > 0 {
            self.used.fetch_sub(bytes, Ordering::Relaxed);
            self.freed.notify_waiters();
        }
    }
}

/// Memory that is taken until this is dropped.
#[derive(Debug, Default)]
pub struct MemoryPermit {
    pub(super) budget: Option<Arc<Budget>>,
    pub(super) bytes: usize,
}

impl MemoryPermit {
    /// Takes what is missing to so many bytes.
    pub(super) fn grow(&mut self, budget: &Arc<Budget>, bytes: usize) -> Result<(), Exhausted> {
        if bytes > self.bytes {
            budget.take(bytes - self.bytes)?;
            self.bytes = bytes;
            self.budget = Some(Arc::clone(budget));
        }
        Ok(())
    }

    /// What moves the bytes that the memory was taken for, if any was.
    pub fn transfer(&self) -> Option<Transfer> {
        self.budget
            .as_ref()
            .map(|budget| Transfer(Arc::clone(&budget.refusals)))
    }

    /// Gives back what is more than so many bytes.
    pub fn shrink(&mut self, bytes: usize) {
        if bytes < self.bytes {
            if let Some(budget) = &self.budget {
                budget.give_back(self.bytes - bytes);
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

/// Other requests take all of a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted;

impl From<Exhausted> for Problem {
    fn from(_: Exhausted) -> Problem {
        Problem::new(Code::BUSY, "too much is asked for at once; try again soon")
    }
}
