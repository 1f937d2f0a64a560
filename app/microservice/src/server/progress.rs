//! How far a body has come: what decides whose peer gives way, for memory and for a place among the connections.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::connections::Guest;
use crate::memory::{is_prompt, MemoryPermit, Transfer};

/// A body on its way.
#[derive(Debug)]
pub struct Progress<'guest> {
    guest: &'guest Guest,
    transfer: Option<Transfer>,
    must_end: AtomicBool,
}

impl<'guest> Progress<'guest> {
    /// Nothing has been moved yet.
    pub fn new(guest: &'guest Guest) -> Progress<'guest> {
        Progress {
            guest,
            transfer: None,
            must_end: AtomicBool::new(false),
        }
    }

    /// Takes part in making room, with this memory, from now on.
    pub fn takes_memory(&mut self, permit: &MemoryPermit) {
        if self.transfer.is_none() {
            self.transfer = permit.transfer();
        }
    }

    /// Notes how many bytes have been moved, and for how long the peer has been waited for in all. Returns whether it has to
    /// give way. What counts is the whole time: systems take and give a large part of a body at once, and then nothing.
    pub fn look(&self, waited: Duration, moved: usize) -> bool {
        self.guest.moves(is_prompt(waited, moved));
        let transfer = self.transfer.as_ref();
        let must_end = transfer.is_some_and(|transfer| transfer.must_end(waited, moved));
        self.must_end.store(must_end, Ordering::Relaxed);
        must_end
    }

    /// Whether the peer had to give way at the last look.
    pub fn must_end(&self) -> bool {
        self.must_end.load(Ordering::Relaxed)
    }
}
