//! Edge: reads and writes layouts in folders and archives. [`super::layout`] validates them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::archive;
use super::blob::{Blob, BlobSource};
use super::docker_archive;
use super::layer;
use super::layout::{self, Files, INDEX_FILE, Layout, LayoutError, MARKER};
use crate::Digest;
use diagnostics::code;
use diagnostics::{Error, Result};

/// More files than a layout has.
const MOST_FILES: usize = 10_000;

/// A layout on this host.
enum Store {
    Folder(PathBuf),
    /// A tar file, and where in it each file begins and how long it is.
    Archive(PathBuf, BTreeMap<String, (u64, u64)>),
}

impl Store {
    fn open(path: &Path) -> std::io::Result<Self> {
        if path.is_dir() {
            return Ok(Self::Folder(path.to_owned()));
        }
        let mut files = BTreeMap::new();
        for entry in archive::entries_with_paths(tar::Archive::new(File::open(path)?).entries_with_seek()?) {
            let (name, entry) = entry?;
            // Links and devices are no part of a layout, and what a folder is called does not matter.
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let name = name.trim_start_matches("./").to_owned();
            let twice = files.insert(name.clone(), (entry.raw_file_position(), entry.size()));
            if twice.is_some() || files.len() > MOST_FILES {
                let why = format!("`{name}` is there twice, or there are more than {MOST_FILES} files");
                return Err(io::Error::new(ErrorKind::InvalidData, why));
            }
        }
        Ok(Self::Archive(path.to_owned(), files))
    }

    fn file(&self, path: &str) -> std::io::Result<std::io::Take<File>> {
        match self {
            Self::Folder(folder) => Ok(File::open(folder.join(path))?.take(u64::MAX)),
            Self::Archive(archive, files) => {
                let &(offset, size) = files.get(path).ok_or(ErrorKind::NotFound)?;
                part(archive, offset, size)
            }
        }
    }
}

impl Files for Store {
    fn size(&self, path: &str) -> Option<u64> {
        match self {
            // A link could lead out of the folder.
            Self::Folder(folder) => std::fs::symlink_metadata(folder.join(path))
                .ok()
                .filter(std::fs::Metadata::is_file)
                .map(|found| found.len()),
            Self::Archive(_, files) => files.get(path).map(|(_, size)| *size),
        }
    }

    fn read(&self, path: &str) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut file = self.file(path)?.take(layout::MOST_BYTES);
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn digest(&self, path: &str) -> std::io::Result<Digest> {
        Digest::of_reader(self.file(path)?)
    }

    fn source(&self, path: &str) -> BlobSource {
        match self {
            Self::Folder(folder) => BlobSource::File {
                path: folder.join(path),
                offset: 0,
            },
            Self::Archive(archive, files) => BlobSource::File {
                path: archive.clone(),
                offset: files.get(path).map_or(0, |(offset, _)| *offset),
            },
        }
    }
}

/// A blob's bytes, from wherever they are.
///
/// # Errors
/// When the file cannot be read.
pub fn open(blob: &Blob) -> std::io::Result<Box<dyn Read + Send + '_>> {
    Ok(match &blob.source {
        BlobSource::Bytes(bytes) => Box::new(bytes.as_slice()),
        BlobSource::File { path, offset } => Box::new(part(path, *offset, blob.size)?),
    })
}

fn part(path: &Path, offset: u64, size: u64) -> std::io::Result<std::io::Take<File>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    Ok(file.take(size))
}

/// Reads a layout, of a folder or of an archive.
///
/// # Errors
/// When there is none, or it is no good one.
pub fn read(path: &Path) -> Result<Layout> {
    read_by(path, |store| Layout::read(store)?.require_complete())
}

/// The same of an index that may name more images than are there.
///
/// # Errors
/// When there is none, or it is no good one.
pub fn read_partial(path: &Path) -> Result<Layout> {
    read_by(path, Layout::read)
}

/// A layout whose configurations and layers are read by who gets them.
#[derive(Clone, Debug)]
pub struct Outline {
    /// The layout.
    pub layout: Layout,
    path: PathBuf,
}

impl Outline {
    /// Whether it is whole.
    ///
    /// # Errors
    /// When it is not.
    pub fn check(&self) -> Result<()> {
        read_partial(&self.path).map(drop)
    }
}

/// Reads a layout but for the bytes of its configurations and layers.
///
/// # Errors
/// When there is none, or it is no good one.
pub fn outline(path: &Path) -> Result<Outline> {
    let outline = partial_outline(path)?;
    outline
        .layout
        .clone()
        .require_complete()
        .map_err(|error| no_image(path, error))?;
    Ok(outline)
}

/// The same of an index that may name more images than are there.
///
/// # Errors
/// When there is none, or it is no good one.
pub fn partial_outline(path: &Path) -> Result<Outline> {
    let layout = read_by(path, Layout::outline)?;
    let path = path.to_owned();
    Ok(Outline { layout, path })
}

fn read_by(path: &Path, way: impl FnOnce(&Store) -> Result<Layout, LayoutError>) -> Result<Layout> {
    let store = Store::open(path).map_err(|error| match (error.kind(), compression(path)) {
        (_, Some((name, unpack))) => failure(path)
            .code(&code::image::MALFORMED)
            .cause(format!("it is compressed with {name}"))
            .hint(format!("unpack it first: `{unpack} {}`", path.display())),
        (ErrorKind::NotFound | ErrorKind::PermissionDenied, None) => failure(path).cause(error),
        (_, None) => no_image(path, error),
    })?;
    way(&store).map_err(|error| no_image(path, error))
}

/// What a file is compressed with, by its first bytes, and the program that unpacks it.
fn compression(path: &Path) -> Option<(&'static str, &'static str)> {
    let mut start = [0; 6];
    let mut file = File::open(path).ok()?;
    file.read_exact(&mut start).ok()?;
    match start {
        [0x1f, 0x8b, ..] => Some(("gzip", "gunzip --keep")),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(("zstd", "unzstd")),
        [0xfd, b'7', b'z', b'X', b'Z', 0] => Some(("xz", "unxz --keep")),
        [b'B', b'Z', b'h', ..] => Some(("bzip2", "bunzip2 --keep")),
        _ => None,
    }
}

fn failure(path: &Path) -> Error {
    Error::input(format!("`{}` is not an image", path.display()))
}

fn no_image(path: &Path, error: impl std::fmt::Display) -> Error {
    failure(path)
        .code(&code::image::MALFORMED)
        .cause(error)
        .hint("an image is the folder or the tar file of an OCI layout, as `deploy-tool build` makes it")
}

/// Writes a layout into a folder. An existing one that is the same stays; another one gives way as a whole, and is put back or
/// removed by the next run where this one is killed meanwhile.
///
/// # Errors
/// When it cannot be written.
pub fn write(folder: &Path, layout: &Layout) -> Result<()> {
    let write = || {
        restore(folder)?;
        if is_there(folder, layout) {
            return Ok(());
        }
        let parent = folder.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(parent)?;
        let part = tempfile::Builder::new().prefix(".layout-").tempdir_in(parent)?;
        write_folder(part.path(), layout)?;
        match replace(folder, part.path()) {
            // Another process has written the same meanwhile.
            Err(_) if is_there(folder, layout) => Ok(()),
            result => result,
        }
    };
    write().map_err(|error| Error::file(format!("cannot write `{}`", folder.display()), &error))
}

/// Where a folder is while another one takes its place.
fn aside(folder: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(folder.file_name().unwrap_or_default());
    name.push(".old");
    folder.with_file_name(name)
}

/// Puts a new folder in the place of another one. No function of the standard library does both at once where there are files in
/// it, so there is a moment without either, which [`restore`] repairs.
fn replace(folder: &Path, new: &Path) -> std::io::Result<()> {
    if !folder.is_dir() {
        return std::fs::rename(new, folder);
    }
    let old = aside(folder);
    std::fs::rename(folder, &old)?;
    if let Err(error) = std::fs::rename(new, folder) {
        _ = std::fs::rename(&old, folder);
        return Err(error);
    }
    remove(&old)
}

/// Removes a folder that another process may have removed meanwhile.
fn remove(folder: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Puts back what a run has put aside that was killed before there was a new folder, or removes it.
fn restore(folder: &Path) -> std::io::Result<()> {
    let old = aside(folder);
    match (old.exists(), folder.exists()) {
        (false, _) => Ok(()),
        (true, false) => std::fs::rename(&old, folder),
        (true, true) => remove(&old),
    }
}

fn is_there(folder: &Path, layout: &Layout) -> bool {
    let store = Store::Folder(folder.to_owned());
    let has = |blob: &Blob| layout::path(&blob.digest).ok().and_then(|path| store.size(&path)) == Some(blob.size);
    std::fs::read(folder.join(INDEX_FILE)).is_ok_and(|index| layout.index().is_ok_and(|ours| index == ours))
        && layout.all_blobs().all(has)
}

fn write_folder(folder: &Path, layout: &Layout) -> std::io::Result<()> {
    for (path, blob) in files(layout).map_err(io::Error::other)? {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
        std::io::copy(&mut open(&blob)?, &mut File::create(path)?)?;
    }
    Ok(())
}

/// Writes an image as a reproducible tar file for `docker load`, `ctr images import`, podman and skopeo. Referrers are left
/// out: podman and skopeo accept only one manifest per archive, and a node would list each referrer as an image.
///
/// # Errors
/// When it cannot be read or written.
pub fn write_archive(path: &Path, layout: &Layout) -> Result<()> {
    let write = || {
        let image = layout.clone().without_attachments().map_err(io::Error::other)?;
        let mut archive = tar::Builder::new(std::io::BufWriter::new(File::create(path)?));
        let mut files = files(&image).map_err(io::Error::other)?;
        let list = docker_archive::manifest(&image).map_err(io::Error::other)?;
        files.extend(list.map(|text| (docker_archive::FILE.to_owned(), Blob::from_bytes("", text))));
        for (path, blob) in files {
            let header = layer::header(&path, tar::EntryType::Regular, 0o444, blob.size)?;
            archive.append(&header, open(&blob)?)?;
        }
        archive.into_inner()?.flush()
    };
    write().map_err(|error| Error::file(format!("cannot write `{}`", path.display()), &error))
}

/// The files of a layout, by path.
fn files(layout: &Layout) -> Result<BTreeMap<String, Blob>, LayoutError> {
    let (marker, version) = MARKER;
    let named = [(marker, version.into()), (INDEX_FILE, layout.index()?)];
    let named = named.map(|(path, bytes)| Ok((path.to_owned(), Blob::from_bytes("", bytes))));
    let blobs = layout.all_blobs();
    let blobs = blobs.map(|blob| Ok((layout::path(&blob.digest)?, blob.clone())));
    named.into_iter().chain(blobs).collect()
}
