//! Pure: what an argument of `inspect` means.

use std::path::PathBuf;

use crate::registry::Reference;

/// What has the path that an argument may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocalFile {
    /// Nothing.
    Nothing,
    /// A WebAssembly module.
    Module,
    /// Another file, or a folder.
    Other,
}

/// The object to inspect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The file of a module.
    Module,
    /// The folder or the archive of an image.
    Layout(PathBuf),
    /// An image in a registry.
    Remote(Reference),
}

/// Classifies an argument. Local files and images have precedence over registries, and no registry is contacted for an argument
/// that looks like a path. `built` is the path of the local image of that name.
///
/// # Errors
/// When it is none of these: a sentence with the reason.
pub fn subject(text: &str, local_file: LocalFile, built: Option<PathBuf>) -> Result<Subject, String> {
    match (local_file, built) {
        (LocalFile::Module, _) => return Ok(Subject::Module),
        (LocalFile::Other, _) => return Ok(Subject::Layout(text.into())),
        (LocalFile::Nothing, Some(path)) => return Ok(Subject::Layout(path)),
        (LocalFile::Nothing, None) => {}
    }
    let is_path = text.starts_with(['/', '.', '~']) || [".tar", ".wasm"].iter().any(|ending| text.ends_with(ending));
    if is_path {
        return Err("there is no such file or folder".to_owned());
    }
    // Images that are built here are of no registry.
    if text.starts_with("localhost/") {
        return Err("no image of that name was built here".to_owned());
    }
    let reference = Reference::parse(text);
    reference.map(Subject::Remote).map_err(|why| {
        format!("there is no such file, no image of that name was built here, and none in a registry is meant: {why}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_here_comes_first_and_what_is_nothing_is_told() {
        let remote = |text| Ok(Subject::Remote(Reference::parse(text).unwrap()));
        let digest = format!("x.io/a@sha256:{}", "0".repeat(64));
        let file = || Err("there is no such file or folder");
        let layout = |path: &str| Ok(Subject::Layout(path.into()));
        let cases = [
            ("app.wasm", LocalFile::Module, false, Ok(Subject::Module)),
            ("image.tar", LocalFile::Other, false, layout("image.tar")),
            ("orders:1", LocalFile::Other, true, layout("orders:1")),
            ("localhost/orders:sha256-1", LocalFile::Nothing, true, layout("/cache")),
            (
                "localhost/orders:1",
                LocalFile::Nothing,
                false,
                Err("no image of that name was built here"),
            ),
            (
                "localhost:5000/orders:1",
                LocalFile::Nothing,
                false,
                remote("localhost:5000/orders:1"),
            ),
            (
                "you/orders:1.2.3",
                LocalFile::Nothing,
                false,
                remote("docker.io/you/orders:1.2.3"),
            ),
            (&digest, LocalFile::Nothing, false, remote(&digest)),
            ("./orders:1", LocalFile::Nothing, false, file()),
            ("/nowhere", LocalFile::Nothing, false, file()),
            ("image.tar", LocalFile::Nothing, false, file()),
            ("target/app.wasm", LocalFile::Nothing, false, file()),
            (
                "x.io/orders",
                LocalFile::Nothing,
                false,
                Err("neither a digest nor a tag"),
            ),
            (
                "x.io/orders@sha256:12",
                LocalFile::Nothing,
                false,
                Err("is not a valid digest"),
            ),
            ("Orders:1", LocalFile::Nothing, false, Err("is not a valid repository")),
            ("", LocalFile::Nothing, false, Err("is not a valid repository")),
        ];
        for (text, local_file, is_built, expected) in cases {
            match (subject(text, local_file, is_built.then(|| "/cache".into())), expected) {
                (Err(why), Err(part)) => assert!(why.contains(part), "{text}: {why}"),
                (found, expected) => assert_eq!(found, expected.map_err(str::to_owned), "{text}"),
            }
        }
    }
}
