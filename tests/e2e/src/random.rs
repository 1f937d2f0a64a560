//! Pure: numbers that look random and are the same again for the same seed.

/// A xorshift generator, <https://www.jstatsoft.org/article/view/v008i14>.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Starts at a seed.
    pub fn new(seed: u64) -> Self {
        // Zero would stay zero, and small seeds would give small numbers first.
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below a limit that is not zero.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        // The upper half is the more random one; a small limit loses nothing.
        (self.0 >> 32) as usize % limit
    }

    /// One of several.
    pub fn choose<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        if of.is_empty() {
            None
        } else {
            of.get(self.below(of.len()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_again_and_every_number_comes() {
        let draw = |seed| -> Vec<usize> {
            let mut random = Random::new(seed);
            (0..200).map(|_| random.below(10)).collect()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        assert!((0..10).all(|number| draw(7).contains(&number)), "{:?}", draw(7));
    }
}
