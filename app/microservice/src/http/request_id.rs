//! Request ids: those of clients, or generated ones.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use hyper::header::HeaderValue;

/// Chooses request ids.
#[derive(Debug, Default)]
pub struct RequestIds {
    /// Random, so that replicas do not generate the same ids.
    seed: RandomState,
    count: AtomicU64,
}

impl RequestIds {
    const MAX_CHARACTERS: usize = 128;

    /// The id that the client requested, if it is short and safe to log and to send back; otherwise a generated one of
    /// 16 hexadecimal digits.
    pub fn choose(&self, requested: Option<&HeaderValue>) -> String {
        requested
            .and_then(|value| value.to_str().ok())
            .filter(|id| is_safe(id))
            .map_or_else(|| self.generate(), str::to_owned)
    }

    fn generate(&self) -> String {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let bytes = self.seed.hash_one(number).to_be_bytes();
        let digits = bytes.into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
        digits
            .filter_map(|digit| char::from_digit(u32::from(digit), 16))
            .collect()
    }
}

fn is_safe(id: &str) -> bool {
    (1..=RequestIds::MAX_CHARACTERS).contains(&id.len())
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
        for requested in ["a", "0af7651916cd43dd8448eb211c80319c", "a-b_c.d:e/f+g="] {
            assert_eq!(ids.choose(Some(&HeaderValue::from_static(requested))), requested);
        }
        let long = "a".repeat(129);
        for requested in ["", "a b", "a\"b", long.as_str()] {
            let id = ids.choose(HeaderValue::from_str(requested).ok().as_ref());
            assert_eq!(id.len(), 16, "{requested}");
        }
        assert_ne!(ids.choose(None), ids.choose(None));
    }
}
