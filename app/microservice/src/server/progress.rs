//! The progress of a body that is sent or received. It decides whether the transfer is aborted when memory is
//! exhausted, and whether its connection may be evicted.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::connections::ConnectionPermit;
use crate::memory::{is_fast_transfer, MemoryPermit, Transfer};

/// The progress of a body.
#[derive(Debug)]
pub struct Progress<'connection> {
    connection: &'connection ConnectionPermit,
    transfer: Option<Transfer>,
    must_abort: AtomicBool,
}

impl<'connection> Progress<'connection> {
    /// The progress of a transfer that begins now.
    pub fn new(connection: &'connection ConnectionPermit) -> Progress<'connection> {
        Progress {
            connection,
            transfer: None,
            must_abort: AtomicBool::new(false),
        }
    }

    /// The body holds this memory from now on, which others may be short of.
    pub fn track_memory(&mut self, permit: &MemoryPermit) {
        if self.transfer.is_none() {
            self.transfer = permit.transfer();
        }
    }

    /// Records how many bytes have been transferred, and for how long the server has waited for the peer in all.
    /// Returns whether the transfer must be aborted. The average rate counts, because operating systems transfer a
    /// large part of a body at once, and then nothing for a while.
    pub fn update(&self, waited: Duration, transferred: usize) -> bool {
        self.connection.mark_transferring(is_fast_transfer(waited, transferred));
        let transfer = self.transfer.as_ref();
        let must_abort = transfer.is_some_and(|transfer| transfer.must_abort(waited, transferred));
        self.must_abort.store(must_abort, Ordering::Relaxed);
        must_abort
    }

    /// The result of the last [`Progress::update`].
    pub fn must_abort(&self) -> bool {
        self.must_abort.load(Ordering::Relaxed)
    }
}
