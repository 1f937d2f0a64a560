//! The chunked transfer coding: <https://www.rfc-editor.org/rfc/rfc9112#section-7.1>.

/// The most bytes of a chunk-size line: 16 digits and chunk extensions.
const MAX_LINE_BYTES: usize = 256;
/// The most bytes of chunk extensions and trailers in one body.
const MAX_EXTENSION_BYTES: usize = 16 * 1024;

/// Decodes the framing of a chunked body. It stores no data.
#[derive(Clone, Copy, Debug)]
pub struct ChunkDecoder {
    state: State,
    /// Bytes of data that the chunk still has.
    remaining: u64,
    /// Bytes of the line that is read.
    line_bytes: usize,
    /// Bytes of extensions and trailers so far.
    extension_bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Size,
    Extension,
    SizeEnd,
    Data,
    DataCr,
    DataLf,
    TrailerName,
    TrailerValue,
    TrailerEnd,
    End,
    Done,
}

/// What the decoded bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many bytes of framing; more bytes are needed.
    More(usize),
    /// So many bytes of framing, followed by so many bytes of data.
    Data(usize, usize),
    /// So many bytes of framing, and the end of the body.
    End(usize),
}

/// The bytes are not a valid chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidChunk;

impl Default for ChunkDecoder {
    fn default() -> Self {
        ChunkDecoder {
            state: State::Size,
            remaining: 0,
            line_bytes: 0,
            extension_bytes: 0,
        }
    }
}

impl ChunkDecoder {
    /// Decodes the next bytes. All bytes of the returned step are consumed.
    pub fn next(&mut self, bytes: &[u8]) -> Result<Step, InvalidChunk> {
        for (index, byte) in bytes.iter().enumerate() {
            if self.state == State::Data {
                let length = usize::try_from(self.remaining)
                    .unwrap_or(usize::MAX)
                    .min(bytes.len() - index);
                self.remaining -= length as u64;
                if self.remaining == 0 {
                    self.state = State::DataCr;
                }
                return Ok(Step::Data(index, length));
            }
            self.decode_byte(*byte)?;
            if self.state == State::Done {
                return Ok(Step::End(index + 1));
            }
        }
        Ok(Step::More(bytes.len()))
    }

    fn decode_byte(&mut self, byte: u8) -> Result<(), InvalidChunk> {
        self.line_bytes += 1;
        self.state = match (self.state, byte) {
            (State::Size, b'\r') if self.line_bytes > 1 => State::SizeEnd,
            (State::Size, b';') if self.line_bytes > 1 => State::Extension,
            (State::Size, digit) if self.line_bytes <= 16 => {
                let digit = char::from(digit).to_digit(16).ok_or(InvalidChunk)?;
                self.remaining = self.remaining << 4 | u64::from(digit);
                State::Size
            }
            (State::Extension, b'\r') => State::SizeEnd,
            (State::Extension, b'\t' | b' '..=b'~' | 0x80..) if self.line_bytes <= MAX_LINE_BYTES => {
                self.count_extension_byte()?;
                State::Extension
            }
            (State::SizeEnd, b'\n') => {
                self.line_bytes = 0;
                match self.remaining {
                    0 => State::TrailerName,
                    _ => State::Data,
                }
            }
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => {
                self.line_bytes = 0;
                State::Size
            }
            // The line that ends the body is empty; a trailer has a name, and is skipped.
            (State::TrailerName, b'\r') if self.line_bytes == 1 => State::End,
            (State::TrailerName, b':') if self.line_bytes > 1 => {
                self.count_extension_byte()?;
                State::TrailerValue
            }
            (State::TrailerName, byte) if is_token(byte) => {
                self.count_extension_byte()?;
                State::TrailerName
            }
            (State::TrailerValue, b'\r') => State::TrailerEnd,
            (State::TrailerValue, b'\t' | b' '..=b'~' | 0x80..) => {
                self.count_extension_byte()?;
                State::TrailerValue
            }
            (State::TrailerEnd, b'\n') => {
                self.line_bytes = 0;
                State::TrailerName
            }
            (State::End, b'\n') => State::Done,
            _ => return Err(InvalidChunk),
        };
        Ok(())
    }

    fn count_extension_byte(&mut self) -> Result<(), InvalidChunk> {
        self.extension_bytes += 1;
        match self.extension_bytes {
            ..=MAX_EXTENSION_BYTES => Ok(()),
            _ => Err(InvalidChunk),
        }
    }
}

/// <https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2>
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The data of a body that comes in pieces of this size, and the number of bytes behind it.
    fn decode(body: &[u8], piece: usize) -> Result<Option<(Vec<u8>, usize)>, InvalidChunk> {
        let (mut decoder, mut data, mut position) = (ChunkDecoder::default(), Vec::new(), 0);
        while position < body.len() {
            let bytes = &body[position..body.len().min(position + piece)];
            match decoder.next(bytes)? {
                Step::More(framing) => position += framing,
                Step::Data(framing, length) => {
                    data.extend_from_slice(&bytes[framing..framing + length]);
                    position += framing + length;
                }
                Step::End(framing) => return Ok(Some((data, body.len() - position - framing))),
            }
        }
        Ok(None)
    }

    #[test]
    fn reads_bodies_in_any_pieces() {
        for (body, data, rest) in [
            ("0\r\n\r\n", "", 0),
            ("3\r\nabc\r\n02;x=y\r\nde\r\n000\r\n\r\nGET", "abcde", 3),
            ("A\r\n0123456789\r\n0\r\na: b\r\nc: d\r\n\r\n", "0123456789", 0),
            ("2\r\n\r\n\r\n0;\r\n\r\n", "\r\n", 0),
        ] {
            for piece in 1..=body.len() {
                let expected = Ok(Some((data.as_bytes().to_vec(), rest)));
                assert_eq!(decode(body.as_bytes(), piece), expected, "{body:?} by {piece}");
            }
        }
    }

    #[test]
    fn refuses_what_is_no_size() {
        for body in [
            "\r\n\r\n",
            ";a=b\r\n\r\n",
            " \r\n\r\n",
            "0 \r\n\r\n",
            "-1\r\n",
            "+1\r\n",
            "0x1\r\n",
            "g\r\n",
            "1\nx",
            "1\r\nxy",
            "1\r\nx\n",
            "00000000000000000\r\n",
            "1;\n",
            "1;a\0\r\n",
            "0\r\n\n",
            "0\r\na\n",
            "0\r\na\r\n\r\n",
            "0\r\n: a\r\n\r\n",
            "0\r\n a: b\r\n\r\n",
            "0\r\na: b\r\n c\r\n\r\n",
            "0\r\na : b\r\n\r\n",
            "0\r\nGET / HTTP/1.1\r\n\r\n",
        ] {
            assert_eq!(decode(body.as_bytes(), body.len()), Err(InvalidChunk), "{body:?}");
        }
    }

    #[test]
    fn refuses_endless_extensions_and_trailers() {
        let line = format!("1;{}\r\n", "a".repeat(MAX_LINE_BYTES));
        let many = format!("1;{}\r\nx\r\n", "a".repeat(200)).repeat(MAX_EXTENSION_BYTES / 200 + 1);
        let trailers = format!("0\r\n{}", "a: b\r\n".repeat(MAX_EXTENSION_BYTES / 4 + 1));
        for body in [line, many, trailers] {
            assert_eq!(decode(body.as_bytes(), 1_000), Err(InvalidChunk));
        }
    }
}
