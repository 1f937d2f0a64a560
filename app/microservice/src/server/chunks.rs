//! Bodies that come in chunks: <https://www.rfc-editor.org/rfc/rfc9112#section-7.1>.

/// The most bytes of a line that tells a chunk's size: 16 digits and an extension, which nobody uses.
const MAX_LINE: usize = 256;
/// The most bytes of extensions and trailers in one body.
const MAX_EXTRAS: usize = 16 * 1024;

/// Reads the form of a chunked body; it keeps no bytes.
#[derive(Clone, Copy, Debug)]
pub struct Chunks {
    state: State,
    /// Bytes of data that the chunk still has.
    left: u64,
    /// Bytes of the line that is read.
    line: usize,
    /// Bytes of extensions and trailers so far.
    extras: usize,
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

/// What the bytes at the front are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many bytes of form, after which more must come.
    More(usize),
    /// So many bytes of form, then so many of data.
    Data(usize, usize),
    /// So many bytes of form, with which the body ends.
    End(usize),
}

/// The bytes are no chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

impl Default for Chunks {
    fn default() -> Self {
        Chunks {
            state: State::Size,
            left: 0,
            line: 0,
            extras: 0,
        }
    }
}

impl Chunks {
    /// Reads on. Whatever is told is consumed.
    pub fn next(&mut self, bytes: &[u8]) -> Result<Step, Broken> {
        for (index, byte) in bytes.iter().enumerate() {
            if self.state == State::Data {
                let length = usize::try_from(self.left)
                    .unwrap_or(usize::MAX)
                    .min(bytes.len() - index);
                self.left -= length as u64;
                if self.left == 0 {
                    self.state = State::DataCr;
                }
                return Ok(Step::Data(index, length));
            }
            self.read(*byte)?;
            if self.state == State::Done {
                return Ok(Step::End(index + 1));
            }
        }
        Ok(Step::More(bytes.len()))
    }

    fn read(&mut self, byte: u8) -> Result<(), Broken> {
        self.line += 1;
        self.state = match (self.state, byte) {
            (State::Size, b'\r') if self.line > 1 => State::SizeEnd,
            (State::Size, b';') if self.line > 1 => State::Extension,
            (State::Size, digit) if self.line <= 16 => {
                let digit = char::from(digit).to_digit(16).ok_or(Broken)?;
                self.left = self.left << 4 | u64::from(digit);
                State::Size
            }
            (State::Extension, b'\r') => State::SizeEnd,
            (State::Extension, b'\t' | b' '..=b'~' | 0x80..) if self.line <= MAX_LINE => {
                self.count_extra()?;
                State::Extension
            }
            (State::SizeEnd, b'\n') => {
                self.line = 0;
                match self.left {
                    0 => State::TrailerName,
                    _ => State::Data,
                }
            }
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => {
                self.line = 0;
                State::Size
            }
            // The line that ends the body has nothing else; a trailer has a name, and is left out as a whole.
            (State::TrailerName, b'\r') if self.line == 1 => State::End,
            (State::TrailerName, b':') if self.line > 1 => {
                self.count_extra()?;
                State::TrailerValue
            }
            (State::TrailerName, byte) if is_token(byte) => {
                self.count_extra()?;
                State::TrailerName
            }
            (State::TrailerValue, b'\r') => State::TrailerEnd,
            (State::TrailerValue, b'\t' | b' '..=b'~' | 0x80..) => {
                self.count_extra()?;
                State::TrailerValue
            }
            (State::TrailerEnd, b'\n') => {
                self.line = 0;
                State::TrailerName
            }
            (State::End, b'\n') => State::Done,
            _ => return Err(Broken),
        };
        Ok(())
    }

    fn count_extra(&mut self) -> Result<(), Broken> {
        self.extras += 1;
        match self.extras {
            ..=MAX_EXTRAS => Ok(()),
            _ => Err(Broken),
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

    /// The data of a body that comes in pieces of this size, and what is left behind it.
    fn read(body: &[u8], piece: usize) -> Result<Option<(Vec<u8>, usize)>, Broken> {
        let (mut chunks, mut data, mut at) = (Chunks::default(), Vec::new(), 0);
        while at < body.len() {
            let bytes = &body[at..body.len().min(at + piece)];
            match chunks.next(bytes)? {
                Step::More(form) => at += form,
                Step::Data(form, length) => {
                    data.extend_from_slice(&bytes[form..form + length]);
                    at += form + length;
                }
                Step::End(form) => return Ok(Some((data, body.len() - at - form))),
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
                assert_eq!(read(body.as_bytes(), piece), expected, "{body:?} by {piece}");
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
            assert_eq!(read(body.as_bytes(), body.len()), Err(Broken), "{body:?}");
        }
    }

    #[test]
    fn refuses_endless_extensions_and_trailers() {
        let line = format!("1;{}\r\n", "a".repeat(MAX_LINE));
        let many = format!("1;{}\r\nx\r\n", "a".repeat(200)).repeat(MAX_EXTRAS / 200 + 1);
        let trailers = format!("0\r\n{}", "a: b\r\n".repeat(MAX_EXTRAS / 4 + 1));
        for body in [line, many, trailers] {
            assert_eq!(read(body.as_bytes(), 1_000), Err(Broken));
        }
    }
}
