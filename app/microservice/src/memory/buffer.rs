//! Response bodies that are built piece by piece.

use std::sync::Arc;

use hyper::body::Bytes;

use super::budget::{Budget, Exhausted, MemoryPermit};
use super::{Memory, FREE_BYTES, MAX_MEDIUM_BYTES};

/// The largest piece.
const MAX_PIECE_BYTES: usize = 32 * 1024;

/// A growing buffer. Memory for each piece is acquired before it is allocated.
#[derive(Debug)]
pub struct Buffer {
    memory: Memory,
    pub(super) permit: MemoryPermit,
    pieces: Vec<Bytes>,
    last: Vec<u8>,
    length: usize,
}

impl Buffer {
    /// An empty buffer with this permit.
    pub(super) fn new(memory: Memory, permit: MemoryPermit) -> Buffer {
        Buffer {
            memory,
            permit,
            pieces: Vec::new(),
            last: Vec::new(),
            length: 0,
        }
    }

    /// Appends bytes.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Exhausted> {
        let mut remaining = bytes;
        while !remaining.is_empty() {
            if self.last.len() == self.last.capacity() {
                self.add_piece(remaining.len())?;
            }
            let room = self.last.capacity() - self.last.len();
            let (now, later) = remaining.split_at(remaining.len().min(room));
            self.last.extend_from_slice(now);
            self.length += now.len();
            remaining = later;
        }
        Ok(())
    }

    fn add_piece(&mut self, wanted: usize) -> Result<(), Exhausted> {
        if !self.last.is_empty() {
            let full = std::mem::take(&mut self.last);
            self.pieces.push(full.into());
        }
        // As large as the permit allows already, or small at first, as most responses are.
        let taken = self.permit.bytes.saturating_sub(self.length);
        let size = wanted.max(self.length).max(taken).clamp(512, MAX_PIECE_BYTES);
        self.acquire(self.length + size)?;
        self.last = Vec::with_capacity(size);
        Ok(())
    }

    /// Grows the permit to this size, in the budget for responses of that size.
    fn acquire(&mut self, bytes: usize) -> Result<(), Exhausted> {
        if bytes <= FREE_BYTES {
            return Ok(());
        }
        if bytes > MAX_MEDIUM_BYTES && self.uses_budget(&self.memory.medium) {
            let mut permit = MemoryPermit::default();
            permit.grow(&self.memory.large, bytes)?;
            self.permit = permit;
        }
        if self.uses_budget(&self.memory.large) {
            self.permit.grow(&self.memory.large, bytes)
        } else {
            self.permit.grow(&self.memory.medium, bytes)
        }
    }

    fn uses_budget(&self, budget: &Arc<Budget>) -> bool {
        let own_budget = self.permit.budget.as_ref().unwrap_or(&self.memory.medium);
        Arc::ptr_eq(own_budget, budget)
    }

    /// Takes the permit of this buffer for a new, empty one.
    pub fn take(&mut self) -> Buffer {
        Buffer::new(self.memory.clone(), std::mem::take(&mut self.permit))
    }

    /// The number of bytes.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The pieces, and the permit for their memory.
    pub fn into_pieces(mut self) -> (Vec<Bytes>, MemoryPermit) {
        if !self.last.is_empty() {
            self.pieces.push(self.last.into());
        }
        // The permit may have been acquired for more.
        self.permit.shrink(self.length.next_multiple_of(MAX_PIECE_BYTES));
        (self.pieces, self.permit)
    }
}
