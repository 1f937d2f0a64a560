//! How far a body has come: what decides whose peer gives way, for memory and for a place among the connections.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::connections::Guest;
use crate::memory::{MemoryPermit, Transfer};

/// Whoever moves so many bytes from one look at a stream to the next is no slow peer.
const PROMPT: usize = 32 * 1024;

/// A body on its way.
#[derive(Debug)]
pub struct Progress<'guest> {
    guest: &'guest Guest,
    transfer: Option<Transfer>,
    /// What had been moved at the last look.
    last: AtomicUsize,
}

impl<'guest> Progress<'guest> {
    /// Nothing has been moved yet.
    pub fn new(guest: &'guest Guest) -> Progress<'guest> {
        Progress {
            guest,
            transfer: None,
            last: AtomicUsize::new(0),
        }
    }

    /// Takes part in making room, with this memory, from now on.
    pub fn takes_memory(&mut self, permit: &MemoryPermit, peer: Option<IpAddr>) {
        if self.transfer.is_none() {
            self.transfer = permit.begin_transfer(peer);
        }
    }

    /// Notes how many bytes have been moved, at a look that found us waiting. Returns whether the peer has to give way.
    pub fn look(&self, moved: usize) -> bool {
        let last = self.last.swap(moved, Ordering::Relaxed);
        self.guest.moves(moved.saturating_sub(last) >= PROMPT);
        if let Some(transfer) = &self.transfer {
            transfer.note(moved);
        }
        self.must_end()
    }

    /// Whether the peer has to give way.
    pub fn must_end(&self) -> bool {
        self.transfer.as_ref().is_some_and(Transfer::must_end)
    }
}
