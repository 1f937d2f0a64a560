//! New passwords from the operating system's random numbers.

use diagnostics::{Error, Result};

const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// 62^32 is more than 2^190.
const LENGTH: usize = 32;

/// A password of letters and digits only, so that it needs no quoting anywhere.
///
/// # Errors
/// When the operating system gives no random numbers.
pub fn new() -> Result<String> {
    let mut password = String::with_capacity(LENGTH);
    let mut bytes = [0; LENGTH];
    while password.len() < LENGTH {
        getrandom::fill(&mut bytes).map_err(|error| Error::prerequisite("cannot make a password").cause(error))?;
        password.extend(
            bytes
                .iter()
                .filter_map(|byte| letter(*byte))
                .take(LENGTH - password.len()),
        );
    }
    Ok(password)
}

/// The letter of a random byte. Bytes beyond the last whole round are left out: otherwise the first letters would come
/// up more often.
fn letter(byte: u8) -> Option<char> {
    let rounds = 256 / LETTERS.len() * LETTERS.len();
    let index = usize::from(byte);
    (index < rounds).then(|| char::from(LETTERS[index % LETTERS.len()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_is_as_likely_as_the_others() {
        let mut counts = std::collections::HashMap::new();
        for letter in (0..=255).filter_map(letter) {
            *counts.entry(letter).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 62);
        assert!(counts.values().all(|count| *count == 4));
    }

    #[test]
    fn passwords_are_long_and_different() {
        let (first, second) = (new().unwrap(), new().unwrap());
        assert_eq!(first.len(), 32);
        assert!(first.chars().all(|character| character.is_ascii_alphanumeric()));
        assert_ne!(first, second);
    }
}
