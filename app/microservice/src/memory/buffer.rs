//! Answers that are made piece by piece.

use std::sync::Arc;

use hyper::body::Bytes;

use super::budget::{Budget, Exhausted, MemoryPermit};
use super::{Memory, FREE, MEDIUM};

/// The size of a piece.
const PIECE: usize = 32 * 1024;

/// An answer that is made piece by piece, each of which is counted before it is there.
#[derive(Debug)]
pub struct Buffer {
    memory: Memory,
    pub(super) share: MemoryPermit,
    pieces: Vec<Bytes>,
    last: Vec<u8>,
    length: usize,
}

impl Buffer {
    /// An empty buffer with the memory that was taken for it.
    pub(super) fn new(memory: Memory, share: MemoryPermit) -> Buffer {
        Buffer {
            memory,
            share,
            pieces: Vec::new(),
            last: Vec::new(),
            length: 0,
        }
    }

    /// Appends bytes.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Exhausted> {
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.last.len() == self.last.capacity() {
                self.next_piece(rest.len())?;
            }
            let room = self.last.capacity() - self.last.len();
            let (now, later) = rest.split_at(rest.len().min(room));
            self.last.extend_from_slice(now);
            self.length += now.len();
            rest = later;
        }
        Ok(())
    }

    fn next_piece(&mut self, wanted: usize) -> Result<(), Exhausted> {
        if !self.last.is_empty() {
            let full = std::mem::take(&mut self.last);
            self.pieces.push(full.into());
        }
        // What has been taken for it already, or small at first: most answers are.
        let taken = self.share.bytes.saturating_sub(self.length);
        let size = wanted.max(self.length).max(taken).clamp(512, PIECE);
        self.count(self.length + size)?;
        self.last = Vec::with_capacity(size);
        Ok(())
    }

    /// Takes the memory for so many bytes, from the budget of answers of that size.
    fn count(&mut self, bytes: usize) -> Result<(), Exhausted> {
        if bytes <= FREE {
            return Ok(());
        }
        if bytes > MEDIUM && self.is_of(&self.memory.medium) {
            let mut share = MemoryPermit::default();
            share.grow(&self.memory.large, bytes)?;
            self.share = share;
        }
        match self.is_of(&self.memory.large) {
            true => self.share.grow(&self.memory.large, bytes),
            false => self.share.grow(&self.memory.medium, bytes),
        }
    }

    fn is_of(&self, budget: &Arc<Budget>) -> bool {
        let mine = self.share.budget.as_ref().unwrap_or(&self.memory.medium);
        Arc::ptr_eq(mine, budget)
    }

    /// An empty buffer with the memory that was taken for this one.
    pub fn take(&mut self) -> Buffer {
        Buffer::new(self.memory.clone(), std::mem::take(&mut self.share))
    }

    /// The number of bytes.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The pieces, and the memory they take until it is dropped.
    pub fn into_pieces(mut self) -> (Vec<Bytes>, MemoryPermit) {
        if !self.last.is_empty() {
            self.pieces.push(self.last.into());
        }
        // What was taken for a longer one.
        self.share.shrink(self.length.next_multiple_of(PIECE));
        (self.pieces, self.share)
    }
}
