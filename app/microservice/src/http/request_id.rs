//! Request ids: the client's own where it is harmless, otherwise a new one.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use hyper::header::HeaderValue;

/// Hands out request ids.
#[derive(Debug, Default)]
pub struct RequestIds {
    /// Seeded by the system's randomness, so that replicas do not hand out the same ids.
    seed: RandomState,
    count: AtomicU64,
}

impl RequestIds {
    const LONGEST: usize = 128;

    /// The id for a request: the one it brought, when that is short and safe to log and to send
    /// back, otherwise a new one of 16 hexadecimal digits.
    pub fn choose(&self, given: Option<&HeaderValue>) -> String {
        given
            .and_then(|value| value.to_str().ok())
            .filter(|id| is_harmless(id))
            .map_or_else(|| self.make(), str::to_owned)
    }

    fn make(&self) -> String {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let bytes = self.seed.hash_one(number).to_be_bytes();
        let digits = bytes.into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
        digits
            .filter_map(|digit| char::from_digit(u32::from(digit), 16))
            .collect()
    }
}

fn is_harmless(id: &str) -> bool {
    (1..=RequestIds::LONGEST).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_harmless_ids_only() {
        let ids = RequestIds::default();
        for given in ["a", "0af7651916cd43dd8448eb211c80319c", "a-b_c.d:e/f+g="] {
            assert_eq!(ids.choose(Some(&HeaderValue::from_static(given))), given);
        }
        let long = "a".repeat(129);
        for given in ["", "a b", "a\"b", long.as_str()] {
            let id = ids.choose(HeaderValue::from_str(given).ok().as_ref());
            assert_eq!(id.len(), 16, "{given}");
        }
        assert_ne!(ids.choose(None), ids.choose(None));
    }
}
