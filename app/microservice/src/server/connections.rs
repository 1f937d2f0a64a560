//! The open connections, and which of them is closed to admit a new one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// The most open connections. Even an idle one costs the guest time, because the engine polls every socket.
pub const MAX_CONNECTIONS: usize = 1_024;

/// The open connections.
///
/// At the limit, a new connection evicts the one whose client has kept the server waiting for the longest. So a client
/// that sends a request, such as the kubelet's probe, is admitted, whatever the number of idle or slow ones.
/// Connections that transfer a body fast enough are evicted only if there are no others; those whose request is being
/// handled, never.
#[derive(Debug, Default)]
pub struct Connections {
    open: Mutex<Vec<Arc<Slot>>>,
    /// A logical clock: it advances whenever the server begins to wait for a client.
    clock: AtomicU64,
    /// Notified when a connection has closed or may be evicted.
    changed: Notify,
}

/// Added to the start of the wait for a client that transfers a body fast enough: it sorts after all others.
const FAST_TRANSFER: u64 = 1 << 63;

/// The state of one open connection.
#[derive(Debug, Default)]
pub struct Slot {
    /// The logical time since which the server waits for the client; 0 while its request is being handled.
    waiting_since: AtomicU64,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Connections {
    /// Admits a new connection, and evicts another one if necessary. Waits while the requests of all others are being
    /// handled.
    pub async fn acquire(self: &Arc<Connections>) -> ConnectionPermit {
        loop {
            let changed = self.changed.notified();
            match self.try_acquire() {
                Some(permit) => return permit,
                None => changed.await,
            }
        }
    }

    /// Closes the connection whose client has kept the server waiting for the longest. `None` if there is no such
    /// connection.
    pub fn evict_longest_waiting(&self) -> Option<()> {
        self.evict_from(&mut self.open())
    }

    fn evict_from(&self, open: &mut Vec<Arc<Slot>>) -> Option<()> {
        let (index, _) = open
            .iter()
            .map(|slot| slot.waiting_since.load(Ordering::Relaxed))
            .enumerate()
            .filter(|(_, since)| *since > 0)
            .min_by_key(|(_, since)| *since)?;
        let slot = open.swap_remove(index);
        if let Some(task) = slot.task().take() {
            task.abort();
        }
        Some(())
    }

    fn try_acquire(self: &Arc<Connections>) -> Option<ConnectionPermit> {
        let mut open = self.open();
        if open.len() >= MAX_CONNECTIONS {
            self.evict_from(&mut open)?;
        }
        let slot = Arc::new(Slot::default());
        open.push(Arc::clone(&slot));
        drop(open);
        let permit = ConnectionPermit {
            connections: Arc::clone(self),
            slot,
        };
        permit.mark_waiting();
        Some(permit)
    }

    /// Whether more than three quarters of [`MAX_CONNECTIONS`] are open, so that idle ones should be closed sooner.
    pub fn are_scarce(&self) -> bool {
        self.open().len() > MAX_CONNECTIONS / 4 * 3
    }

    fn open(&self) -> MutexGuard<'_, Vec<Arc<Slot>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Permits a connection to be open, until it is dropped.
#[derive(Debug)]
pub struct ConnectionPermit {
    connections: Arc<Connections>,
    slot: Arc<Slot>,
}

impl ConnectionPermit {
    /// The server waits for the client from now on: the connection may be evicted.
    pub fn mark_waiting(&self) {
        let now = self.connections.clock.fetch_add(1, Ordering::Relaxed) + 1;
        self.slot.waiting_since.store(now, Ordering::Relaxed);
        self.connections.changed.notify_waiters();
    }

    /// The request is being handled from now on: the connection must not be evicted.
    pub fn mark_busy(&self) {
        self.slot.waiting_since.store(0, Ordering::Relaxed);
    }

    /// A body is being transferred, fast enough or not. A fast transfer is evicted last, because its client does
    /// nothing wrong.
    pub fn mark_transferring(&self, is_fast: bool) {
        let since = self.slot.waiting_since.load(Ordering::Relaxed);
        let was_fast = since & FAST_TRANSFER != 0;
        if since == 0 || was_fast != is_fast {
            self.mark_waiting();
            if is_fast {
                self.slot.waiting_since.fetch_or(FAST_TRANSFER, Ordering::Relaxed);
            }
        }
    }

    /// The connection's slot.
    pub fn slot(&self) -> Arc<Slot> {
        Arc::clone(&self.slot)
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut open = self.connections.open();
        if let Some(index) = open.iter().position(|slot| Arc::ptr_eq(slot, &self.slot)) {
            open.swap_remove(index);
        }
        self.connections.changed.notify_waiters();
    }
}

impl Slot {
    /// Sets the task that is aborted when the connection is evicted.
    pub fn set_task(&self, task: JoinHandle<()>) {
        *self.task() = Some(task);
    }

    fn task(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_waiting_client_makes_room() {
        let connections = Arc::new(Connections::default());
        let permits: Vec<ConnectionPermit> = (0..MAX_CONNECTIONS).filter_map(|_| connections.try_acquire()).collect();
        assert!(connections.are_scarce());
        permits[0].mark_busy();
        let _new = connections.try_acquire().unwrap();
        let open: Vec<Arc<Slot>> = connections.open().clone();
        assert_eq!(open.len(), MAX_CONNECTIONS);
        let is_open = |permit: &ConnectionPermit| open.iter().any(|slot| Arc::ptr_eq(slot, &permit.slot));
        assert!(is_open(&permits[0]) && !is_open(&permits[1]) && is_open(&permits[2]));
        for permit in &permits {
            permit.mark_transferring(true);
        }
        drop(open);
        // The server now waits for the new client only.
        assert!(connections.try_acquire().is_some());
        assert!(connections.try_acquire().is_some(), "the one before makes room");
        permits[5].mark_transferring(false);
        let since = permits[5].slot.waiting_since.load(Ordering::Relaxed);
        permits[5].mark_transferring(false);
        assert_eq!(
            permits[5].slot.waiting_since.load(Ordering::Relaxed),
            since,
            "it waits since then"
        );
        drop(permits);
        assert!(!connections.are_scarce());
    }

    #[test]
    fn nobody_is_kept_out_by_clients_that_move_their_bodies() {
        let connections = Arc::new(Connections::default());
        let permits: Vec<ConnectionPermit> = (0..MAX_CONNECTIONS).filter_map(|_| connections.try_acquire()).collect();
        let is_open = |index: usize| {
            let open = connections.open();
            permits
                .get(index)
                .is_some_and(|permit| open.iter().any(|slot| Arc::ptr_eq(slot, &permit.slot)))
        };
        for permit in &permits {
            permit.mark_transferring(true);
        }
        // A slow transfer among fast ones is evicted first.
        permits[7].mark_transferring(false);
        let new: Vec<ConnectionPermit> = (0..3).filter_map(|_| connections.try_acquire()).collect();
        assert_eq!(new.len(), 3);
        assert!(!is_open(7));
        assert!(is_open(0), "each new one waits, and makes room for the next");
        new[2].mark_transferring(true);
        let _probe = connections.try_acquire().unwrap();
        assert!(!is_open(0) && is_open(1), "the first of those that move");
        // Connections whose request is being handled are never evicted.
        permits.iter().chain(&new).for_each(ConnectionPermit::mark_busy);
        drop(_probe);
        let _last = connections.try_acquire().unwrap();
        _last.mark_busy();
        assert!(connections.try_acquire().is_none());
    }
}
