//! The text of a file, however it is encoded: kubectl goes by the byte order mark, too.
//!
//! <https://yaml.org/spec/1.2.2/#52-character-encodings>

use crate::YamlError;

/// Reads UTF-8, and UTF-16 that begins with a byte order mark, as PowerShell writes it.
///
/// # Errors
/// When the bytes are no such text.
pub fn text(bytes: &[u8]) -> Result<String, YamlError> {
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => utf8(rest),
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => utf8(bytes),
    }
}

fn utf8(bytes: &[u8]) -> Result<String, YamlError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let (before, _) = bytes.split_at(error.valid_up_to());
        let wrong = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
        unreadable(
            &String::from_utf8_lossy(before),
            &format!("the byte 0x{wrong:02X} is not valid UTF-8; save the file as UTF-8"),
        )
    })?;
    without_zeros(text.to_owned())
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, YamlError> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let text: Result<String, _> = char::decode_utf16(pairs.iter().copied().map(unit)).collect();
    match text {
        Ok(text) if rest.is_empty() => without_zeros(text),
        _ => Err(unreadable(
            "",
            "the file begins as UTF-16 and is not valid UTF-16; save it as UTF-8",
        )),
    }
}

/// UTF-16 without a mark, and files that are no text at all.
fn without_zeros(text: String) -> Result<String, YamlError> {
    match text.split_once('\0') {
        None => Ok(text),
        Some((before, _)) => Err(unreadable(
            before,
            "a zero byte: this is not text, or UTF-16 without a byte order mark; save the file as UTF-8",
        )),
    }
}

fn unreadable(before: &str, message: &str) -> YamlError {
    let last = before.rsplit('\n').next().unwrap_or_default();
    YamlError {
        line: before.matches('\n').count() as u64 + 1,
        column: last.chars().count() as u64 + 1,
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_that_kubectl_reads_is_read() {
        let sixteen = |unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
            let text = "\u{FEFF}a: é\r\n".encode_utf16();
            text.flat_map(unit).collect()
        };
        let cases = [
            ("a: é\r\n".as_bytes().to_vec(), "UTF-8"),
            ("\u{FEFF}a: é\r\n".as_bytes().to_vec(), "UTF-8 with a mark"),
            (sixteen(u16::to_le_bytes), "UTF-16, little end first"),
            (sixteen(u16::to_be_bytes), "UTF-16, big end first"),
        ];
        for (bytes, name) in cases {
            assert_eq!(text(&bytes).as_deref(), Ok("a: é\r\n"), "{name}");
        }
    }

    #[test]
    fn what_is_no_text_has_its_place_and_a_way_out() {
        let cases: [(&[u8], u64, u64); 5] = [
            (b"a: 1\nb: \xE9\n", 2, 4),
            (b"a: 1\n\xFF", 2, 1),
            (b"a\0:\0 \0b\0", 1, 2),
            (b"\xFF\xFEa\0:", 1, 1),
            (b"\xFF\xFE\x00\xD8a\0", 1, 1),
        ];
        for (bytes, line, column) in cases {
            let error = text(bytes).unwrap_err();
            assert_eq!((error.line, error.column), (line, column), "{error}");
            assert!(error.message.contains("UTF-8"), "{error}");
        }
    }
}
