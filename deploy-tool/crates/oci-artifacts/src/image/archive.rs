//! Pure: the entries of a tar archive. An archive cannot fill the memory of its reader by names: they are as long as paths are.

use std::io::{Error, ErrorKind, Read, Result};

use tar::{Entries, Entry, EntryType, PaxExtensions};

/// The longest path, and all else that may be said of a file, in bytes.
const MOST_EXTENSION: u64 = 64 << 10;

/// An entry with what may stand in entries of their own before it, for it does not fit into a header.
pub struct EntryWithPath<'a, R: Read + 'a> {
    /// Its path.
    pub path: String,
    /// Where a link leads.
    pub link: Option<String>,
    /// The entry.
    pub entry: Entry<'a, R>,
}

/// Each entry with its path.
pub fn entries_with_paths<'a, R: Read + 'a>(
    entries: Entries<'a, R>,
) -> impl Iterator<Item = Result<(String, Entry<'a, R>)>> {
    entries_with_links(entries).map(|named| named.map(|EntryWithPath { path, entry, .. }| (path, entry)))
}

/// Each entry with its path, and of links where they lead.
pub fn entries_with_links<'a, R: Read + 'a>(
    entries: Entries<'a, R>,
) -> impl Iterator<Item = Result<EntryWithPath<'a, R>>> {
    let mut entries = entries.raw(true);
    std::iter::from_fn(move || next(&mut entries).transpose())
}

fn next<'a, R: Read + 'a>(entries: &mut Entries<'a, R>) -> Result<Option<EntryWithPath<'a, R>>> {
    let (mut path, mut link) = (None, None);
    for entry in entries.by_ref() {
        let mut entry = entry?;
        match entry.header().entry_type() {
            EntryType::GNULongName => path = Some(text(&extension(&mut entry)?)),
            EntryType::GNULongLink => link = Some(text(&extension(&mut entry)?)),
            EntryType::XHeader => {
                let records = pax(&extension(&mut entry)?)?;
                path = records.path.or(path);
                link = records.link.or(link);
            }
            EntryType::XGlobalHeader => drop(extension(&mut entry)?),
            _ => {
                let path = match path {
                    Some(path) => path,
                    None => entry.path()?.to_string_lossy().into_owned(),
                };
                let link = match link {
                    Some(link) => Some(link),
                    None => entry.link_name()?.map(|link| link.to_string_lossy().into_owned()),
                };
                return Ok(Some(EntryWithPath { path, link, entry }));
            }
        }
    }
    Ok(None)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned()
}

fn extension(entry: &mut impl Read) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    entry.take(MOST_EXTENSION + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_EXTENSION {
        Err(Error::new(
            ErrorKind::InvalidData,
            format!("a name in it has more than {} KiB", MOST_EXTENSION >> 10),
        ))
    } else {
        Ok(bytes)
    }
}

#[derive(Default)]
struct Records {
    path: Option<String>,
    link: Option<String>,
}

fn pax(bytes: &[u8]) -> Result<Records> {
    let mut records = Records::default();
    for record in PaxExtensions::new(bytes) {
        let record = record?;
        match record.key_bytes() {
            b"path" => records.path = Some(text(record.value_bytes())),
            b"linkpath" => records.link = Some(text(record.value_bytes())),
            b"size" => return Err(Error::new(ErrorKind::Unsupported, "a file in it has more than 8 GiB")),
            _ => {}
        }
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(archive: &[u8]) -> Result<Vec<(String, String)>> {
        let mut archive = tar::Archive::new(archive);
        entries_with_paths(archive.entries()?)
            .map(|entry| {
                let (name, mut entry) = entry?;
                let mut text = String::new();
                entry.read_to_string(&mut text)?;
                Ok((name, text))
            })
            .collect()
    }

    fn header(kind: EntryType, size: u64) -> tar::Header {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_path("x").unwrap();
        header.set_cksum();
        header
    }

    #[test]
    fn names_of_every_length_are_read() {
        let long = "folder/".repeat(60) + "file";
        let mut gnu = tar::Builder::new(Vec::new());
        for name in ["short", &long] {
            gnu.append_data(&mut header(EntryType::Regular, 3), name, "abc".as_bytes())
                .unwrap();
        }
        let mut pax = tar::Builder::new(Vec::new());
        for name in ["short", &long] {
            pax.append_pax_extensions([("path", name.as_bytes()), ("mtime", b"1")])
                .unwrap();
            pax.append(&header(EntryType::Regular, 3), "abc".as_bytes()).unwrap();
        }
        let expected = ["short", &long].map(|name| (name.to_owned(), "abc".to_owned()));
        for archive in [gnu, pax] {
            assert_eq!(read(&archive.into_inner().unwrap()).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_no_name_is_not_read() {
        let endless = vec![b'a'; 1 << 20];
        for kind in [
            EntryType::GNULongName,
            EntryType::GNULongLink,
            EntryType::XHeader,
            EntryType::XGlobalHeader,
        ] {
            let mut archive = tar::Builder::new(Vec::new());
            archive
                .append(&header(kind, endless.len() as u64), endless.as_slice())
                .unwrap();
            let error = read(&archive.into_inner().unwrap()).unwrap_err();
            assert!(error.to_string().contains("64 KiB"), "{kind:?}: {error}");
        }
        let mut archive = tar::Builder::new(Vec::new());
        archive
            .append_pax_extensions([("size", b"8589934592".as_slice())])
            .unwrap();
        let error = read(&archive.into_inner().unwrap()).unwrap_err();
        assert!(error.to_string().contains("8 GiB"), "{error}");
    }
}
