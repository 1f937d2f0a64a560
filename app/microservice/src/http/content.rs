//! The body of a response.

use hyper::body::Bytes;

use crate::memory::Buffer;

/// The body of a response.
#[derive(Debug)]
pub enum Content {
    /// A constant, which needs no memory permit.
    Fixed(&'static str),
    /// Bytes for which a memory permit is acquired before they are sent.
    Whole(Bytes),
    /// Bytes with a memory permit.
    Pieces(Buffer),
}

impl Content {
    /// The number of bytes.
    pub fn len(&self) -> usize {
        match self {
            Content::Fixed(text) => text.len(),
            Content::Whole(bytes) => bytes.len(),
            Content::Pieces(buffer) => buffer.len(),
        }
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All bytes.
    pub fn into_bytes(self) -> Bytes {
        match self {
            Content::Fixed(text) => Bytes::from_static(text.as_bytes()),
            Content::Whole(bytes) => bytes,
            Content::Pieces(buffer) => buffer.into_pieces().0.concat().into(),
        }
    }
}

impl Default for Content {
    fn default() -> Content {
        Content::Fixed("")
    }
}

impl From<&'static str> for Content {
    fn from(text: &'static str) -> Content {
        Content::Fixed(text)
    }
}

impl From<String> for Content {
    fn from(text: String) -> Content {
        Content::Whole(text.into())
    }
}

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Content {
        Content::Whole(bytes)
    }
}

impl From<Buffer> for Content {
    fn from(buffer: Buffer) -> Content {
        Content::Pieces(buffer)
    }
}
