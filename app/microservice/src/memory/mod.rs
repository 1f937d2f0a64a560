//! A bound on the memory that requests use together, whatever 1,024 clients send at once.
//!
//! The guest's memory only grows, and the pod that outgrows its limit is killed with every request in it. So every byte
//! that a request can cause beyond [`FREE`] is counted before it is there: bodies while they arrive and are worked on,
//! answers while they are made and until they have been read. What does not fit is refused for the moment.

mod budget;
mod buffer;
mod peers;
mod transfer;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use budget::Budget;
pub use budget::{Exhausted, MemoryPermit};
pub use buffer::Buffer;
pub use peers::PeerShare;
use peers::Peers;
pub use transfer::{is_prompt, Transfer};

/// Up to here a head, a body or an answer is free: with all connections in use that makes 12 MiB. So what is small is answered
/// whatever others hold.
pub const FREE: usize = 4 * 1024;

/// Bodies that arrive or are worked on. What comes of a body takes no more than the body itself, which is dropped once
/// it has been read; reading is never interrupted, so that only one of them is there twice.
const BODIES: usize = 24 * 1024 * 1024;

/// Answers of at most [`MEDIUM`] bytes that are made or have yet to be read. Apart from large ones, so that those who
/// ask for much and read slowly take nothing from the others.
const MEDIUM_ANSWERS: usize = 8 * 1024 * 1024;
/// The largest answer that counts as medium.
const MEDIUM: usize = 256 * 1024;
/// Answers above that. One of the largest lists fits: 10,000 rows of the longest texts are 12 MB.
const LARGE_ANSWERS: usize = 16 * 1024 * 1024;

/// The most of [`LARGE_ANSWERS`] that one peer may hold, unless it is a single answer.
const LARGE_ANSWERS_OF_A_PEER: usize = 12 * 1024 * 1024;

/// Heads beyond what is free.
const HEADS: usize = 4 * 1024 * 1024;

/// The time in which a list gets its turn.
const TURN: Duration = Duration::from_secs(5);
/// The most lists that wait for their turn. Each has a place among the connections that it keeps meanwhile: this is half of
/// them, so that others get in whatever number of clients asks for lists.
const MOST_WAITING: usize = 512;
/// The time after which room is asked for again.
const AGAIN: Duration = Duration::from_millis(500);

/// The budgets, apart from each other: slow senders and slow readers must not stop each other's work.
#[derive(Clone, Debug)]
pub struct Memory {
    heads: Arc<Budget>,
    bodies: Arc<Budget>,
    medium: Arc<Budget>,
    large: Arc<Budget>,
    peers: Arc<Peers>,
    turns: Arc<Semaphore>,
}

impl Default for Memory {
    fn default() -> Self {
        Memory {
            heads: Budget::new(HEADS),
            bodies: Budget::new(BODIES),
            medium: Budget::new(MEDIUM_ANSWERS),
            large: Budget::new(LARGE_ANSWERS),
            peers: Arc::default(),
            turns: Arc::new(Semaphore::new(MOST_WAITING)),
        }
    }
}

impl Memory {
    /// Lets the share of a connection's heads grow to one of so many bytes.
    pub fn for_head(&self, bytes: usize, share: &mut MemoryPermit) -> Result<(), Exhausted> {
        match bytes {
            ..=FREE => Ok(()),
            _ => share.grow(&self.heads, bytes),
        }
    }

    /// Lets the share of a body grow. It does not wait: two bodies, each waiting for what the other has, would do so for
    /// ever.
    pub fn for_body(&self, bytes: usize, share: &mut MemoryPermit) -> Result<(), Exhausted> {
        match bytes {
            ..=FREE => Ok(()),
            _ => share.grow(&self.bodies, bytes),
        }
    }

    /// Memory for an answer of this many bytes until its client has read it.
    pub fn for_answer(&self, bytes: usize) -> Result<MemoryPermit, Exhausted> {
        let mut share = MemoryPermit::default();
        match bytes {
            ..=FREE => {}
            _ if bytes <= MEDIUM => share.grow(&self.medium, bytes)?,
            _ => share.grow(&self.large, bytes)?,
        }
        Ok(share)
    }

    /// An answer that is made piece by piece. Waits for its turn until there is room for about so many bytes.
    pub async fn buffer(&self, bytes: usize) -> Result<Buffer, Exhausted> {
        let mut share = MemoryPermit::default();
        let budget = match bytes {
            ..=FREE => return Ok(Buffer::new(self.clone(), share)),
            _ if bytes <= MEDIUM => &self.medium,
            _ => &self.large,
        };
        let bytes = bytes.min(budget.limit);
        if share.grow(budget, bytes).is_ok() {
            return Ok(Buffer::new(self.clone(), share));
        }
        let _waiting = self.turns.try_acquire().map_err(|_| Exhausted)?;
        let turn = async {
            loop {
                let freed = budget.freed.notified();
                if share.grow(budget, bytes).is_ok() {
                    return;
                }
                // A peer that was not slow yet may be by then.
                let _ = timeout(AGAIN, freed).await;
            }
        };
        timeout(TURN, turn).await.map_err(|_| Exhausted)?;
        Ok(Buffer::new(self.clone(), share))
    }

    /// Counts an answer for the peer that it goes to. One answer it gets whatever its size.
    pub fn for_peer(&self, peer: Option<IpAddr>, bytes: usize) -> Result<PeerShare, Exhausted> {
        let Some(peer) = peer.filter(|_| bytes > MEDIUM) else {
            return Ok(PeerShare::default());
        };
        let share = Peers::take(&self.peers, peer, bytes, LARGE_ANSWERS_OF_A_PEER);
        share.inspect_err(|_| self.large.refusals.note())
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn block_on<F: std::future::Future>(future: F) -> F::Output {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.unwrap().block_on(future)
    }

    #[test]
    fn bodies_take_what_they_say_and_give_it_back() {
        let memory = Memory::default();
        let (mut one, mut other) = (MemoryPermit::default(), MemoryPermit::default());
        assert_eq!(memory.for_body(FREE, &mut one), Ok(()));
        assert_eq!(one.bytes, 0);
        for bytes in [FREE + 1, FREE * 2, BODIES - FREE] {
            assert_eq!(memory.for_body(bytes, &mut one), Ok(()));
        }
        assert_eq!(memory.for_body(FREE + 1, &mut other), Err(Exhausted));
        one.shrink(BODIES / 2);
        assert_eq!(memory.for_body(FREE + 1, &mut other), Ok(()));
        drop((one, other));
        assert_eq!(memory.bodies.used(), 0);
    }

    #[test]
    fn large_answers_take_nothing_from_others() {
        let memory = Memory::default();
        let all = memory.for_answer(LARGE_ANSWERS).unwrap();
        assert_eq!(memory.for_answer(MEDIUM + 1).err(), Some(Exhausted));
        assert!(memory.for_answer(MEDIUM).is_ok());
        drop(all);
        assert!(memory.for_answer(MEDIUM + 1).is_ok());
    }

    #[test]
    fn one_peer_cannot_have_all_large_answers() {
        let memory = Memory::default();
        let peer = |last| Some(IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)));
        let first = memory.for_peer(peer(1), LARGE_ANSWERS).unwrap();
        assert!(memory.for_peer(peer(1), MEDIUM + 1).is_err());
        assert!(memory.for_peer(peer(1), MEDIUM).is_ok());
        assert!(memory.for_peer(peer(2), MEDIUM + 1).is_ok());
        drop(first);
        assert!(memory.for_peer(peer(1), MEDIUM + 1).is_ok());
        assert!(memory.peers.held().is_empty());
    }

    #[test]
    fn a_buffer_is_counted_as_it_grows() {
        block_on(async {
            let memory = Memory::default();
            let mut buffer = memory.buffer(0).await.unwrap();
            let text: Vec<u8> = (0..=255).cycle().take(MEDIUM + 5_000).collect();
            for part in text.chunks(777) {
                buffer.push(part).unwrap();
                assert!(buffer.share.bytes >= buffer.len() || buffer.len() <= FREE);
            }
            assert_eq!(memory.medium.used(), 0);
            let mut rest = memory.buffer(LARGE_ANSWERS - buffer.share.bytes).await.unwrap();
            while buffer.push(&[0; 999]).is_ok() {}
            rest.push(b"x").unwrap();
            drop(rest);
            let (pieces, share) = buffer.into_pieces();
            assert!(pieces.concat().starts_with(&text));
            assert!(memory.large.used() > MEDIUM);
            drop(share);
            assert_eq!(memory.large.used(), 0);
        });
    }

    #[test]
    fn small_answers_are_made_whatever_others_hold() {
        block_on(async {
            let memory = Memory::default();
            let _all = memory.for_answer(LARGE_ANSWERS).unwrap();
            let _others: Vec<MemoryPermit> = (0..MEDIUM_ANSWERS / MEDIUM)
                .map(|_| memory.for_answer(MEDIUM).unwrap())
                .collect();
            let mut buffer = memory.buffer(FREE).await.unwrap();
            assert_eq!(buffer.push(&[0; FREE]), Ok(()));
            assert_eq!(buffer.push(&[0]), Err(Exhausted));
            assert_eq!(buffer.into_pieces().0.concat(), [0; FREE]);
        });
    }

    #[test]
    fn no_more_wait_than_leave_places_for_others() {
        block_on(async {
            let memory = Memory::default();
            let all = memory.for_answer(LARGE_ANSWERS).unwrap();
            let mut waiting = tokio::task::JoinSet::new();
            for _ in 0..MOST_WAITING {
                let memory = memory.clone();
                waiting.spawn(async move { memory.buffer(MEDIUM + 1).await.is_ok() });
            }
            while memory.turns.available_permits() > 0 {
                tokio::task::yield_now().await;
            }
            assert!(memory.buffer(MEDIUM + 1).await.is_err(), "at once");
            assert!(memory.buffer(MEDIUM).await.is_ok(), "there is room for it");
            drop(all);
            while let Some(got_its_turn) = waiting.join_next().await {
                assert!(got_its_turn.unwrap());
            }
            assert!(memory.buffer(MEDIUM + 1).await.is_ok());
        });
    }

    #[test]
    fn a_buffer_waits_for_its_turn() {
        block_on(async {
            let memory = Memory::default();
            let all = memory.for_answer(LARGE_ANSWERS).unwrap();
            let (buffer, ()) = tokio::join!(memory.buffer(MEDIUM + 1), async {
                tokio::task::yield_now().await;
                drop(all);
            });
            assert!(buffer.is_ok());
        });
    }
}
