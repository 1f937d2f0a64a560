//! Pure: finds crates in a module by the paths of source files in panic messages: Cargo's folders have the name and version of a
//! crate. Code that is optimised away, or compiled with `-Zlocation-detail=none`, is not found.

use std::collections::BTreeSet;

/// Between the folder of a crate and its files.
const SOURCES: &[u8] = b"/src/";
/// No crate's name and version are longer.
const LONGEST: usize = 100;

/// A crate of a module.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamedCrate {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Finds them.
pub fn named(bytes: &[u8]) -> BTreeSet<NamedCrate> {
    source_offsets(bytes)
        .filter_map(|offset| named_before(&bytes[..offset]))
        .collect()
}

/// Whether a module names a file of a crate, such as `server/conn.rs` of hyper_wasi.
pub fn names_file(bytes: &[u8], name: &str, path: &str) -> bool {
    source_offsets(bytes).any(|offset| {
        bytes[offset + SOURCES.len()..].starts_with(path.as_bytes())
            && named_before(&bytes[..offset]).is_some_and(|found| found.name == name)
    })
}

fn source_offsets(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let windows = bytes.windows(SOURCES.len()).enumerate();
    windows
        .filter(|(_, window)| *window == SOURCES)
        .map(|(offset, _)| offset)
}

/// `…/hyper_wasi-0.15.2`
fn named_before(bytes: &[u8]) -> Option<NamedCrate> {
    let shown = &bytes[bytes.len().saturating_sub(LONGEST)..];
    let start = shown.iter().rposition(|byte| *byte == b'/')? + 1;
    let folder = std::str::from_utf8(&shown[start..]).ok()?;
    let is_word = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    // The version is behind the last hyphen that a digit follows, and names may have such hyphens too.
    let (name, version) = folder.char_indices().find_map(|(at, character)| {
        let (name, version) = (&folder[..at], folder.get(at + 1..)?);
        (character == '-' && is_word(name) && is_version(version)).then_some((name, version))
    })?;
    Some(NamedCrate {
        name: name.to_owned(),
        version: version.to_owned(),
    })
}

/// Three numbers, and what may follow them. <https://semver.org>
fn is_version(text: &str) -> bool {
    let (numbers, rest) = text.split_at(text.find(['-', '+']).unwrap_or(text.len()));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let of_rest = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
    numbers.split('.').count() == 3 && numbers.split('.').all(is_number) && rest.bytes().all(of_rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let crates = named(text.as_bytes());
        crates
            .iter()
            .map(|found| format!("{} {}", found.name, found.version))
            .collect()
    }

    #[test]
    fn crates_are_named_by_the_folders_of_their_files() {
        let module = "\0crates/hyper_wasi-0.15.2/src/server/conn.rs\u{1}src/main.rs\0\
            /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/mio_wasi-0.8.8/src/lib.rs\
            /vendor/wasi-0.11.1+wasi-snapshot-preview1/src/x.rs/rustc/abc/library/std/src/io.rs\
            /x/sha-1-0.10.1/src/a.rs";
        assert_eq!(
            found(module),
            [
                "hyper_wasi 0.15.2",
                "mio_wasi 0.8.8",
                "sha-1 0.10.1",
                "wasi 0.11.1+wasi-snapshot-preview1"
            ]
        );
        assert!(names_file(module.as_bytes(), "hyper_wasi", "server/"));
        assert!(!names_file(module.as_bytes(), "hyper_wasi", "client/"));
        assert!(!names_file(module.as_bytes(), "mio_wasi", "server/"));
        for nothing in [
            "",
            "/src/",
            "/src/a",
            "x/src/a",
            "/name/src/a",
            "/-1.0.0/src/a",
            "/a-1.0/src/",
            "/a-1.0.x/src/",
        ] {
            assert_eq!(found(nothing), [""; 0], "{nothing}");
        }
    }
}
