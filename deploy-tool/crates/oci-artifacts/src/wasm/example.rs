//! A module for tests.

/// A module with one imported function of type () -> (), exported as `_start`, and a memory.
pub fn module(import: (&str, &str), exports: &[(&str, u8)], custom: &[&str]) -> Vec<u8> {
    let text = |text: &str| [&[text.len() as u8], text.as_bytes()].concat();
    let section = |id: u8, body: Vec<u8>| [vec![id, body.len() as u8], body].concat();
    let exported: Vec<u8> = exports
        .iter()
        .flat_map(|(name, kind)| [text(name), vec![*kind, 0]].concat())
        .collect();
    let mut bytes = b"\0asm\x01\0\0\0".to_vec();
    bytes.extend(section(1, vec![1, 0x60, 0, 0]));
    bytes.extend(section(
        2,
        [vec![1], text(import.0), text(import.1), vec![0, 0]].concat(),
    ));
    bytes.extend(section(5, vec![1, 0, 1]));
    bytes.extend(section(7, [vec![exports.len() as u8], exported].concat()));
    for name in custom {
        bytes.extend(section(0, [text(name), vec![1, 1, 1, 0]].concat()));
    }
    bytes
}
