//! Bodies that a peer sends or reads bit by bit: which of them gives way when others find no memory.
//!
//! Addresses tell nothing: behind a node's port, a proxy or a network's router all clients have the same. So a peer is
//! judged by its own speed alone, and the slowest gives way first.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Whoever moves so many bytes a second never gives way.
const PROMPT_RATE: u64 = 64 * 1024;
/// The age from which a transfer's rate counts.
const GRACE: Duration = Duration::from_secs(2);

/// The transfers that hold memory of a budget.
#[derive(Debug, Default)]
pub struct Transfers {
    open: Mutex<Vec<Arc<Progress>>>,
}

#[derive(Debug)]
struct Progress {
    peer: Option<IpAddr>,
    began: Instant,
    moved: AtomicUsize,
    must_end: AtomicBool,
}

impl Transfers {
    /// Begins one.
    pub fn begin(self: &Arc<Transfers>, peer: Option<IpAddr>) -> Transfer {
        let progress = Arc::new(Progress {
            peer,
            began: Instant::now(),
            moved: AtomicUsize::new(0),
            must_end: AtomicBool::new(false),
        });
        self.open().push(Arc::clone(&progress));
        Transfer {
            transfers: Arc::clone(self),
            progress,
        }
    }

    /// Has the slowest transfer end, of this peer alone where one is named, unless all are prompt.
    pub fn make_room(&self, peer: Option<IpAddr>) {
        let now = Instant::now();
        let open = self.open();
        let slow = open
            .iter()
            .filter(|progress| peer.is_none() || progress.peer == peer)
            .filter(|progress| !progress.must_end.load(Ordering::Relaxed))
            .map(|progress| (progress, progress.age(now), progress.moved.load(Ordering::Relaxed)))
            .filter(|(_, age, moved)| *age >= GRACE && !is_prompt(*age, *moved));
        if let Some((slowest, ..)) = slow.min_by_key(|(_, age, moved)| rate(*age, *moved)) {
            slowest.must_end.store(true, Ordering::Relaxed);
        }
    }

    fn open(&self) -> MutexGuard<'_, Vec<Arc<Progress>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress {
    fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.began)
    }
}

/// Whether so many bytes in this time are those of a prompt peer.
pub fn is_prompt(time: Duration, bytes: usize) -> bool {
    rate(time, bytes) >= PROMPT_RATE
}

/// Bytes a second.
fn rate(time: Duration, bytes: usize) -> u64 {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    (bytes as u64).saturating_mul(1_000) / millis.max(1)
}

/// A body on its way, until this is dropped.
#[derive(Debug)]
pub struct Transfer {
    transfers: Arc<Transfers>,
    progress: Arc<Progress>,
}

impl Transfer {
    /// Notes how many bytes have been moved in all.
    pub fn note(&self, moved: usize) {
        self.progress.moved.store(moved, Ordering::Relaxed);
    }

    /// Whether it has to give way.
    pub fn must_end(&self) -> bool {
        self.progress.must_end.load(Ordering::Relaxed)
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        self.transfers
            .open()
            .retain(|progress| !Arc::ptr_eq(progress, &self.progress));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aged(transfers: &Arc<Transfers>, last: u8, seconds: u64, moved: usize) -> Transfer {
        let transfer = transfers.begin(Some(IpAddr::from([10, 0, 0, last])));
        transfer.note(moved);
        let mut open = transfers.open();
        let began = Instant::now().checked_sub(Duration::from_secs(seconds)).unwrap();
        let progress = Arc::new(Progress {
            peer: transfer.progress.peer,
            began,
            moved: AtomicUsize::new(moved),
            must_end: AtomicBool::new(false),
        });
        *open.last_mut().unwrap() = Arc::clone(&progress);
        drop(open);
        // Its first progress is no longer in the list.
        Transfer {
            transfers: Arc::clone(&transfer.transfers),
            progress,
        }
    }

    #[test]
    fn the_slowest_gives_way_and_no_prompt_one() {
        let transfers = Arc::new(Transfers::default());
        let young = transfers.begin(None);
        let slow = aged(&transfers, 1, 10, 100_000);
        let slower = aged(&transfers, 2, 100, 100_000);
        let prompt = aged(&transfers, 1, 10, 10 * 64 * 1024 + 10_000);
        let ended = || [&young, &slow, &slower, &prompt].map(Transfer::must_end);
        transfers.make_room(Some(IpAddr::from([10, 0, 0, 9])));
        assert_eq!(ended(), [false; 4]);
        transfers.make_room(Some(IpAddr::from([10, 0, 0, 1])));
        assert_eq!(ended(), [false, true, false, false]);
        transfers.make_room(None);
        assert_eq!(ended(), [false, true, true, false]);
        transfers.make_room(None);
        assert_eq!(ended(), [false, true, true, false]);
        drop((young, slow, slower, prompt));
        assert!(transfers.open().is_empty());
    }
}
