//! Which connections are open, and which of them makes room for a new one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// The most connections that are open at once. Each costs the guest time even when idle: its engine polls all of them in
/// turn.
pub const MAX_CONNECTIONS: usize = 1_024;

/// The open connections.
///
/// When all places are taken, the client that has been waited for the longest loses its place to a new one. So whoever
/// asks for something, such as the kubelet's probe, gets in, whatever number of others say nothing or never finish. Those
/// that move a body promptly are the last to make room: they are cut off only where there are no others.
#[derive(Debug, Default)]
pub struct Connections {
    open: Mutex<Vec<Arc<Place>>>,
    /// Counts up with each beginning of a wait, in the place of a clock.
    turn: AtomicU64,
    /// Told when a place may have become free.
    freed: Notify,
}

/// Added to the turn of a client that moves a body promptly: it is later than that of any other.
const PROMPT: u64 = 1 << 63;

/// One connection's place.
#[derive(Debug, Default)]
pub struct Place {
    /// The turn since which its client is waited for; 0 while its request is worked on.
    waiting_since: AtomicU64,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Connections {
    /// Takes a place for a new connection. Waits while the requests of all others are worked on.
    pub async fn enter(self: &Arc<Connections>) -> Guest {
        loop {
            let freed = self.freed.notified();
            match self.try_enter() {
                Some(guest) => return guest,
                None => freed.await,
            }
        }
    }

    /// Ends the connection whose client has been waited for the longest, if there is one.
    pub fn make_room(&self) -> Option<()> {
        self.end_one(&mut self.open())
    }

    fn end_one(&self, open: &mut Vec<Arc<Place>>) -> Option<()> {
        let (index, _) = open
            .iter()
            .map(|place| place.waiting_since.load(Ordering::Relaxed))
            .enumerate()
            .filter(|(_, since)| *since > 0)
            .min_by_key(|(_, since)| *since)?;
        let place = open.swap_remove(index);
        if let Some(task) = place.task().take() {
            task.abort();
        }
        Some(())
    }

    fn try_enter(self: &Arc<Connections>) -> Option<Guest> {
        let mut open = self.open();
        if open.len() >= MAX_CONNECTIONS {
            self.end_one(&mut open)?;
        }
        let place = Arc::new(Place::default());
        open.push(Arc::clone(&place));
        drop(open);
        let guest = Guest {
            connections: Arc::clone(self),
            place,
        };
        guest.waits();
        Some(guest)
    }

    /// Whether so many are open that those which ask for nothing should not stay for long.
    pub fn are_scarce(&self) -> bool {
        self.open().len() > MAX_CONNECTIONS / 4 * 3
    }

    fn open(&self) -> MutexGuard<'_, Vec<Arc<Place>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who has a place until this is dropped.
#[derive(Debug)]
pub struct Guest {
    connections: Arc<Connections>,
    place: Arc<Place>,
}

impl Guest {
    /// The client is waited for from now on.
    pub fn waits(&self) {
        let turn = self.connections.turn.fetch_add(1, Ordering::Relaxed) + 1;
        self.place.waiting_since.store(turn, Ordering::Relaxed);
        self.connections.freed.notify_waiters();
    }

    /// The client waits for us: its place is safe.
    pub fn is_served(&self) {
        self.place.waiting_since.store(0, Ordering::Relaxed);
    }

    /// A body is on its way. Whose peer moves it promptly makes room last: it would be cut off though it does nothing wrong.
    pub fn moves(&self, is_prompt: bool) {
        let since = self.place.waiting_since.load(Ordering::Relaxed);
        let was_prompt = since & PROMPT != 0;
        if since == 0 || was_prompt != is_prompt {
            self.waits();
            if is_prompt {
                self.place.waiting_since.fetch_or(PROMPT, Ordering::Relaxed);
            }
        }
    }

    /// What to end when the place is lost.
    pub fn place(&self) -> Arc<Place> {
        Arc::clone(&self.place)
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut open = self.connections.open();
        if let Some(index) = open.iter().position(|place| Arc::ptr_eq(place, &self.place)) {
            open.swap_remove(index);
        }
        self.connections.freed.notify_waiters();
    }
}

impl Place {
    /// Sets what to end when the place is lost.
    pub fn belongs_to(&self, task: JoinHandle<()>) {
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
        let guests: Vec<Guest> = (0..MAX_CONNECTIONS).filter_map(|_| connections.try_enter()).collect();
        assert!(connections.are_scarce());
        guests[0].is_served();
        let _new = connections.try_enter().unwrap();
        let open: Vec<Arc<Place>> = connections.open().clone();
        assert_eq!(open.len(), MAX_CONNECTIONS);
        let is_open = |guest: &Guest| open.iter().any(|place| Arc::ptr_eq(place, &guest.place));
        assert!(is_open(&guests[0]) && !is_open(&guests[1]) && is_open(&guests[2]));
        for guest in &guests {
            guest.moves(true);
        }
        drop(open);
        // The new one alone is waited for now.
        assert!(connections.try_enter().is_some());
        assert!(connections.try_enter().is_some(), "the one before makes room");
        guests[5].moves(false);
        let since = guests[5].place.waiting_since.load(Ordering::Relaxed);
        guests[5].moves(false);
        assert_eq!(
            guests[5].place.waiting_since.load(Ordering::Relaxed),
            since,
            "it waits since then"
        );
        drop(guests);
        assert!(!connections.are_scarce());
    }

    #[test]
    fn nobody_is_kept_out_by_clients_that_move_their_bodies() {
        let connections = Arc::new(Connections::default());
        let guests: Vec<Guest> = (0..MAX_CONNECTIONS).filter_map(|_| connections.try_enter()).collect();
        let is_open = |index: usize| {
            let open = connections.open();
            guests
                .get(index)
                .is_some_and(|guest| open.iter().any(|place| Arc::ptr_eq(place, &guest.place)))
        };
        for guest in &guests {
            guest.moves(true);
        }
        // In the midst of them, one that waits gives way first.
        guests[7].moves(false);
        let new: Vec<Guest> = (0..3).filter_map(|_| connections.try_enter()).collect();
        assert_eq!(new.len(), 3);
        assert!(!is_open(7));
        assert!(is_open(0), "each new one waits, and makes room for the next");
        new[2].moves(true);
        let _probe = connections.try_enter().unwrap();
        assert!(!is_open(0) && is_open(1), "the first of those that move");
        // What is worked on is never given up.
        guests.iter().chain(&new).for_each(Guest::is_served);
        drop(_probe);
        let _last = connections.try_enter().unwrap();
        _last.is_served();
        assert!(connections.try_enter().is_none());
    }
}
