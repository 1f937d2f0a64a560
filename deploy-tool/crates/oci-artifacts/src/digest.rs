//! SHA-256, written the two ways that this project needs.

use sha2::{Digest as _, Sha256};

/// The 64 hexadecimal digits of the SHA-256 of some bytes.
pub fn hex(bytes: &[u8]) -> String {
    encode(&Sha256::digest(bytes))
}

/// `sha256:` and the digits, as OCI writes it.
pub fn oci(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(bytes))
}

/// The same of everything that a reader gives, however much that is.
///
/// # Errors
/// When it cannot be read.
pub fn read(mut reader: impl std::io::Read) -> std::io::Result<String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(format!("sha256:{}", encode(&hasher.finalize()))),
            count => hasher.update(&buffer[..count]),
        }
    }
}

/// The digest of several named parts, each with its length, so that no two lists of parts look the same.
pub fn parts<'a>(parts: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut hasher = Sha256::new();
    for (name, bytes) in parts {
        for part in [name.as_bytes(), bytes] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
    }
    encode(&hasher.finalize())
}

fn encode(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answer() {
        assert_eq!(
            oci(b"abc"),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        let long = vec![7; 200_000];
        assert_eq!(read(long.as_slice()).unwrap(), oci(&long));
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let left = parts([("ab", b"c".as_slice())]);
        let right = parts([("a", b"bc".as_slice())]);
        assert_ne!(left, right);
    }
}
