//! A limit on the memory that all requests use together, whatever 1,024 clients send at once.
//!
//! The linear memory of a guest never shrinks, and a pod above its memory limit is killed with all of its requests. So
//! memory beyond [`FREE_BYTES`] needs a permit before it is allocated: bodies while they are received and handled,
//! responses while they are built and sent. Requests for which there is no memory are refused with 503.

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
pub use peers::PeerPermit;
use peers::Peers;
pub use transfer::{is_fast_transfer, Transfer};

/// A head, a body or a response of up to this size needs no permit, so that small requests are served whatever others
/// use. With all connections in use, that is 12 MiB.
pub const FREE_BYTES: usize = 4 * 1024;

/// For bodies that are received or handled. What is parsed from a body needs no more memory than the body, which is
/// dropped after parsing. Parsing has no await points, so that at most one body exists in both forms.
const BODY_BUDGET_BYTES: usize = 24 * 1024 * 1024;

/// For responses of at most [`MAX_MEDIUM_BYTES`] bytes that are built or sent. Separate from large ones, so that
/// clients that request large responses and read them slowly do not affect others.
const MEDIUM_RESPONSE_BUDGET_BYTES: usize = 8 * 1024 * 1024;
/// The largest medium response.
const MAX_MEDIUM_BYTES: usize = 256 * 1024;
/// For larger responses. One of the largest lists fits: 10,000 rows of the longest texts are 12 MB.
const LARGE_RESPONSE_BUDGET_BYTES: usize = 16 * 1024 * 1024;

/// The most of [`LARGE_RESPONSE_BUDGET_BYTES`] that one peer may hold, unless it is for a single response.
const MAX_LARGE_BYTES_PER_PEER: usize = 12 * 1024 * 1024;

/// For heads.
const HEAD_BUDGET_BYTES: usize = 4 * 1024 * 1024;

/// The time to wait for the memory of a buffer.
const BUFFER_TIMEOUT: Duration = Duration::from_secs(5);
/// The most requests that wait for a buffer. The connection of a waiting request cannot be evicted: with half of all
/// connections waiting, others are still admitted.
const MAX_WAITING_BUFFERS: usize = 512;
/// The interval at which a waiting request tries to acquire memory again.
const RETRY_INTERVAL: Duration = Duration::from_millis(500);

/// Separate budgets, so that slow senders and slow readers do not block each other.
#[derive(Clone, Debug)]
pub struct Memory {
    heads: Arc<Budget>,
    bodies: Arc<Budget>,
    medium: Arc<Budget>,
    large: Arc<Budget>,
    peers: Arc<Peers>,
    waiting_permits: Arc<Semaphore>,
}

impl Default for Memory {
    fn default() -> Self {
        Memory {
            heads: Budget::new(HEAD_BUDGET_BYTES),
            bodies: Budget::new(BODY_BUDGET_BYTES),
            medium: Budget::new(MEDIUM_RESPONSE_BUDGET_BYTES),
            large: Budget::new(LARGE_RESPONSE_BUDGET_BYTES),
            peers: Arc::default(),
            waiting_permits: Arc::new(Semaphore::new(MAX_WAITING_BUFFERS)),
        }
    }
}

impl Memory {
    /// Grows the permit for the heads of a connection to this size.
    pub fn reserve_head(&self, bytes: usize, permit: &mut MemoryPermit) -> Result<(), Exhausted> {
        match bytes {
            ..=FREE_BYTES => Ok(()),
            _ => permit.grow(&self.heads, bytes),
        }
    }

    /// Grows the permit for a body to this size. Does not wait, because two growing bodies that wait for each other
    /// would be a deadlock.
    pub fn reserve_body(&self, bytes: usize, permit: &mut MemoryPermit) -> Result<(), Exhausted> {
        match bytes {
            ..=FREE_BYTES => Ok(()),
            _ => permit.grow(&self.bodies, bytes),
        }
    }

    /// Acquires a permit for a response of this size.
    pub fn reserve_response(&self, bytes: usize) -> Result<MemoryPermit, Exhausted> {
        let mut permit = MemoryPermit::default();
        match bytes {
            ..=FREE_BYTES => {}
            _ if bytes <= MAX_MEDIUM_BYTES => permit.grow(&self.medium, bytes)?,
            _ => permit.grow(&self.large, bytes)?,
        }
        Ok(permit)
    }

    /// A buffer for a response that is built piece by piece. Waits for memory for about this size.
    pub async fn buffer(&self, bytes: usize) -> Result<Buffer, Exhausted> {
        let mut permit = MemoryPermit::default();
        let budget = match bytes {
            ..=FREE_BYTES => return Ok(Buffer::new(self.clone(), permit)),
            _ if bytes <= MAX_MEDIUM_BYTES => &self.medium,
            _ => &self.large,
        };
        let bytes = bytes.min(budget.max_bytes);
        if permit.grow(budget, bytes).is_ok() {
            return Ok(Buffer::new(self.clone(), permit));
        }
        let _waiting = self.waiting_permits.try_acquire().map_err(|_| Exhausted)?;
        let acquire_memory = async {
            loop {
                let released = budget.released.notified();
                if permit.grow(budget, bytes).is_ok() {
                    return;
                }
                // Tries again without a notification as well: each refusal lets slow transfers be aborted for some
                // seconds.
                let _ = timeout(RETRY_INTERVAL, released).await;
            }
        };
        timeout(BUFFER_TIMEOUT, acquire_memory).await.map_err(|_| Exhausted)?;
        Ok(Buffer::new(self.clone(), permit))
    }

    /// Acquires a permit for a large response to this peer. A single response is allowed whatever its size.
    pub fn reserve_for_peer(&self, peer: Option<IpAddr>, bytes: usize) -> Result<PeerPermit, Exhausted> {
        let Some(peer) = peer.filter(|_| bytes > MAX_MEDIUM_BYTES) else {
            return Ok(PeerPermit::default());
        };
        let permit = Peers::acquire(&self.peers, peer, bytes, MAX_LARGE_BYTES_PER_PEER);
        permit.inspect_err(|_| self.large.refusals.record())
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
        assert_eq!(memory.reserve_body(FREE_BYTES, &mut one), Ok(()));
        assert_eq!(one.bytes, 0);
        for bytes in [FREE_BYTES + 1, FREE_BYTES * 2, BODY_BUDGET_BYTES - FREE_BYTES] {
            assert_eq!(memory.reserve_body(bytes, &mut one), Ok(()));
        }
        assert_eq!(memory.reserve_body(FREE_BYTES + 1, &mut other), Err(Exhausted));
        one.shrink(BODY_BUDGET_BYTES / 2);
        assert_eq!(memory.reserve_body(FREE_BYTES + 1, &mut other), Ok(()));
        drop((one, other));
        assert_eq!(memory.bodies.used_bytes(), 0);
    }

    #[test]
    fn large_answers_take_nothing_from_others() {
        let memory = Memory::default();
        let all = memory.reserve_response(LARGE_RESPONSE_BUDGET_BYTES).unwrap();
        assert_eq!(memory.reserve_response(MAX_MEDIUM_BYTES + 1).err(), Some(Exhausted));
        assert!(memory.reserve_response(MAX_MEDIUM_BYTES).is_ok());
        drop(all);
        assert!(memory.reserve_response(MAX_MEDIUM_BYTES + 1).is_ok());
    }

    #[test]
    fn one_peer_cannot_have_all_large_answers() {
        let memory = Memory::default();
        let peer = |last| Some(IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)));
        let first = memory.reserve_for_peer(peer(1), LARGE_RESPONSE_BUDGET_BYTES).unwrap();
        assert!(memory.reserve_for_peer(peer(1), MAX_MEDIUM_BYTES + 1).is_err());
        assert!(memory.reserve_for_peer(peer(1), MAX_MEDIUM_BYTES).is_ok());
        assert!(memory.reserve_for_peer(peer(2), MAX_MEDIUM_BYTES + 1).is_ok());
        drop(first);
        assert!(memory.reserve_for_peer(peer(1), MAX_MEDIUM_BYTES + 1).is_ok());
        assert!(memory.peers.held_bytes().is_empty());
    }

    #[test]
    fn a_buffer_is_counted_as_it_grows() {
        block_on(async {
            let memory = Memory::default();
            let mut buffer = memory.buffer(0).await.unwrap();
            let text: Vec<u8> = (0..=255).cycle().take(MAX_MEDIUM_BYTES + 5_000).collect();
            for part in text.chunks(777) {
                buffer.push(part).unwrap();
                assert!(buffer.permit.bytes >= buffer.len() || buffer.len() <= FREE_BYTES);
            }
            assert_eq!(memory.medium.used_bytes(), 0);
            let mut rest = memory
                .buffer(LARGE_RESPONSE_BUDGET_BYTES - buffer.permit.bytes)
                .await
                .unwrap();
            while buffer.push(&[0; 999]).is_ok() {}
            rest.push(b"x").unwrap();
            drop(rest);
            let (pieces, permit) = buffer.into_pieces();
            assert!(pieces.concat().starts_with(&text));
            assert!(memory.large.used_bytes() > MAX_MEDIUM_BYTES);
            drop(permit);
            assert_eq!(memory.large.used_bytes(), 0);
        });
    }

    #[test]
    fn small_answers_are_made_whatever_others_hold() {
        block_on(async {
            let memory = Memory::default();
            let _all = memory.reserve_response(LARGE_RESPONSE_BUDGET_BYTES).unwrap();
            let _others: Vec<MemoryPermit> = (0..MEDIUM_RESPONSE_BUDGET_BYTES / MAX_MEDIUM_BYTES)
                .map(|_| memory.reserve_response(MAX_MEDIUM_BYTES).unwrap())
                .collect();
            let mut buffer = memory.buffer(FREE_BYTES).await.unwrap();
            assert_eq!(buffer.push(&[0; FREE_BYTES]), Ok(()));
            assert_eq!(buffer.push(&[0]), Err(Exhausted));
            assert_eq!(buffer.into_pieces().0.concat(), [0; FREE_BYTES]);
        });
    }

    #[test]
    fn no_more_wait_than_leave_places_for_others() {
        block_on(async {
            let memory = Memory::default();
            let all = memory.reserve_response(LARGE_RESPONSE_BUDGET_BYTES).unwrap();
            let mut waiting = tokio::task::JoinSet::new();
            for _ in 0..MAX_WAITING_BUFFERS {
                let memory = memory.clone();
                waiting.spawn(async move { memory.buffer(MAX_MEDIUM_BYTES + 1).await.is_ok() });
            }
            while memory.waiting_permits.available_permits() > 0 {
                tokio::task::yield_now().await;
            }
            assert!(memory.buffer(MAX_MEDIUM_BYTES + 1).await.is_err(), "at once");
            assert!(memory.buffer(MAX_MEDIUM_BYTES).await.is_ok(), "there is room for it");
            drop(all);
            while let Some(got_its_turn) = waiting.join_next().await {
                assert!(got_its_turn.unwrap());
            }
            assert!(memory.buffer(MAX_MEDIUM_BYTES + 1).await.is_ok());
        });
    }

    #[test]
    fn a_buffer_waits_for_its_turn() {
        block_on(async {
            let memory = Memory::default();
            let all = memory.reserve_response(LARGE_RESPONSE_BUDGET_BYTES).unwrap();
            let (buffer, ()) = tokio::join!(memory.buffer(MAX_MEDIUM_BYTES + 1), async {
                tokio::task::yield_now().await;
                drop(all);
            });
            assert!(buffer.is_ok());
        });
    }
}
