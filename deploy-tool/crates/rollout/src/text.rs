//! Reading other people's sentences.

/// Whether a sentence has one of these parts, whatever the letters' case.
pub fn contains_any(sentence: &str, parts: &[&str]) -> bool {
    let text = sentence.to_ascii_lowercase();
    parts.iter().any(|part| text.contains(part))
}
