//! Edge: a part of a blob, read while it is sent.

use std::io::SeekFrom;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::Stream;
use futures::stream::try_unfold;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use crate::image::{Blob, BlobSource};

/// Size of a read from a file.
const BUFFER: usize = 256 << 10;

/// A part of a blob.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// Of which blob.
    pub blob: Arc<Blob>,
    /// Where it begins.
    pub start: u64,
    /// How many bytes.
    pub length: u64,
    /// Counts the sent bytes of the blob.
    pub sent: Arc<AtomicU64>,
}

impl Chunk {
    /// Its bytes as they are needed, so that no size of a blob takes more memory; counts them.
    pub fn stream(&self, moved: Arc<AtomicU64>) -> impl Stream<Item = std::io::Result<Vec<u8>>> + Send + 'static {
        let Self {
            blob,
            start,
            length,
            sent,
        } = self.clone();
        sent.store(start, Ordering::Relaxed);
        try_unfold((None, start, length), move |(file, offset, left)| {
            let (blob, sent, moved) = (blob.clone(), sent.clone(), moved.clone());
            async move {
                if left == 0 {
                    return Ok(None);
                }
                let mut buffer = vec![0; BUFFER.min(usize::try_from(left).unwrap_or(BUFFER))];
                let file = read(&blob.source, file, offset, &mut buffer).await?;
                let count = buffer.len() as u64;
                sent.store(offset + count, Ordering::Relaxed);
                moved.fetch_add(count, Ordering::Relaxed);
                Ok(Some((buffer, (file, offset + count, left - count))))
            }
        })
    }
}

/// Fills a buffer with a blob's bytes. The file stays open and stands behind them.
async fn read(source: &BlobSource, file: Option<File>, start: u64, buffer: &mut [u8]) -> std::io::Result<Option<File>> {
    match source {
        BlobSource::Bytes(bytes) => {
            let start = usize::try_from(start).unwrap_or(usize::MAX);
            let part = bytes.get(start..start.saturating_add(buffer.len()));
            buffer.copy_from_slice(part.ok_or(std::io::ErrorKind::UnexpectedEof)?);
            Ok(None)
        }
        BlobSource::File { path, offset } => {
            let mut file = match file {
                Some(file) => file,
                None => {
                    let mut file = File::open(path).await?;
                    file.seek(SeekFrom::Start(offset + start)).await?;
                    file
                }
            };
            file.read_exact(buffer).await?;
            Ok(Some(file))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Digest;

    #[tokio::test]
    async fn a_piece_is_that_part_of_its_file() {
        use futures::TryStreamExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("blob");
        let bytes: Vec<u8> = (0..BUFFER * 2 + 100).map(|number| (number % 251) as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        for source in [
            BlobSource::File { path, offset: 3 },
            BlobSource::Bytes(bytes[3..].to_vec()),
        ] {
            let sent = Arc::new(AtomicU64::new(0));
            let blob = Blob {
                media_type: String::new(),
                digest: Digest::default(),
                size: bytes.len() as u64 - 3,
                source,
            };
            let chunk = Chunk {
                blob: Arc::new(blob),
                start: 7,
                length: BUFFER as u64 + 50,
                sent: sent.clone(),
            };
            let read: Vec<Vec<u8>> = chunk.stream(Arc::default()).try_collect().await.unwrap();
            assert_eq!(read.concat(), bytes[10..BUFFER + 60]);
            assert_eq!(sent.load(Ordering::Relaxed), 7 + BUFFER as u64 + 50);
        }
    }
}
