//! The requests that wait for a connection, and how long they will have to.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::SemaphorePermit;

/// Estimates how long a request has to wait for a connection.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: AtomicUsize,
    /// For how long a permit is held, as a moving average in microseconds.
    average_hold: AtomicU64,
}

impl Queue {
    /// How long the next request has to wait for one of so many connections.
    pub(super) fn estimate_wait(&self, connections: usize) -> Duration {
        let waiting = self.waiting.load(Ordering::Relaxed) as u64;
        let hold = self.average_hold.load(Ordering::Relaxed);
        Duration::from_micros(waiting.saturating_mul(hold) / connections.max(1) as u64)
    }

    fn record_hold(&self, hold: Duration) {
        let hold = u64::try_from(hold.as_micros()).unwrap_or(u64::MAX);
        let average = self.average_hold.load(Ordering::Relaxed);
        let next = (average / 8).saturating_mul(7).saturating_add(hold / 8);
        self.average_hold.store(next, Ordering::Relaxed);
    }
}

/// Counts a waiting request until it is dropped.
pub(super) struct Waiting<'queue>(&'queue Queue);

impl<'queue> Waiting<'queue> {
    pub(super) fn new(queue: &'queue Queue) -> Self {
        queue.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting(queue)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A permit to use one connection. Records in the queue for how long it was held.
#[derive(Debug)]
pub(super) struct ConnectionPermit<'pool> {
    queue: &'pool Queue,
    acquired_at: Instant,
    _permit: SemaphorePermit<'pool>,
}

impl<'pool> ConnectionPermit<'pool> {
    pub(super) fn new(queue: &'pool Queue, permit: SemaphorePermit<'pool>) -> Self {
        ConnectionPermit {
            queue,
            acquired_at: Instant::now(),
            _permit: permit,
        }
    }
}

impl Drop for ConnectionPermit<'_> {
    fn drop(&mut self) {
        self.queue.record_hold(self.acquired_at.elapsed());
    }
}
