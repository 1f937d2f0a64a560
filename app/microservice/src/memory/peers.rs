//! A limit for each peer on the memory of large responses.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Exhausted;

/// The bytes of large responses that have not been sent yet, by peer.
#[derive(Debug, Default)]
pub(super) struct Peers {
    held_bytes: Mutex<HashMap<IpAddr, usize>>,
}

impl Peers {
    /// Acquires bytes for a peer, up to a maximum; a single response is always allowed.
    pub(super) fn acquire(
        peers: &Arc<Peers>,
        peer: IpAddr,
        bytes: usize,
        max_bytes: usize,
    ) -> Result<PeerPermit, Exhausted> {
        let mut all = peers.held_bytes();
        let held_bytes = all.entry(peer).or_default();
        if *held_bytes > 0 && *held_bytes + bytes > max_bytes {
            return Err(Exhausted);
        }
        *held_bytes += bytes;
        Ok(PeerPermit {
            peers: Some((Arc::clone(peers), peer)),
            bytes,
        })
    }

    pub(super) fn held_bytes(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.held_bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes that a peer holds, until this is dropped.
#[derive(Debug, Default)]
pub struct PeerPermit {
    peers: Option<(Arc<Peers>, IpAddr)>,
    bytes: usize,
}

impl Drop for PeerPermit {
    fn drop(&mut self) {
        if let Some((peers, peer)) = &self.peers {
            let mut held_bytes = peers.held_bytes();
            if let Some(bytes) = held_bytes.get_mut(peer) {
                *bytes = bytes.saturating_sub(self.bytes);
                if *bytes == 0 {
                    held_bytes.remove(peer);
                }
            }
        }
    }
}
