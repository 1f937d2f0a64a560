//! Edge: paths below a folder that stands for `/`. Links are followed as a program in the container would follow them, so
//! that none leads out of the folder.

use std::ffi::OsString;
use std::io::{Error, ErrorKind, Result};
use std::path::{Component, Path, PathBuf};

/// As many links as the kernel follows.
const MOST_LINKS: usize = 40;

/// Where a path leads to; its last part is not followed.
///
/// # Errors
/// When there are too many links.
pub fn resolve(root: &Path, path: &Path) -> Result<PathBuf> {
    let mut waiting: Vec<OsString> = parts(path);
    let (mut resolved, mut links) = (PathBuf::new(), 0);
    while let Some(part) = waiting.pop() {
        if part == ".." {
            resolved.pop();
            continue;
        }
        let next = resolved.join(&part);
        let target = if waiting.is_empty() {
            None
        } else {
            std::fs::read_link(root.join(&next)).ok()
        };
        let Some(target) = target else {
            resolved = next;
            continue;
        };
        links += 1;
        if links > MOST_LINKS {
            let why = format!("`{}` leads through too many links", path.display());
            return Err(Error::new(ErrorKind::InvalidData, why));
        }
        if target.is_absolute() {
            resolved = PathBuf::new();
        }
        waiting.extend(parts(&target));
    }
    Ok(root.join(resolved))
}

/// The same with the last part followed as well.
///
/// # Errors
/// When there are too many links.
pub fn resolve_fully(root: &Path, path: &Path) -> Result<PathBuf> {
    // The part after the last one is that which is not followed.
    resolve(root, &path.join("x")).map(|mut resolved| {
        resolved.pop();
        resolved
    })
}

/// The parts of a path, the last one first.
fn parts(path: &Path) -> Vec<OsString> {
    let wanted = path.components().rev().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    });
    wanted.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn no_link_and_no_path_leads_out_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("usr/lib")).unwrap();
        symlink("usr/lib", root.join("lib")).unwrap();
        symlink("/usr", root.join("absolute")).unwrap();
        symlink("../../../../etc", root.join("up")).unwrap();
        symlink("round", root.join("round")).unwrap();
        for (path, expected) in [
            ("lib/a", "usr/lib/a"),
            ("/absolute/lib/a", "usr/lib/a"),
            ("up/passwd", "etc/passwd"),
            ("../../etc/passwd", "etc/passwd"),
            ("lib", "lib"),
            ("new/folder", "new/folder"),
        ] {
            assert_eq!(resolve(root, Path::new(path)).unwrap(), root.join(expected), "{path}");
        }
        assert_eq!(resolve_fully(root, Path::new("/lib")).unwrap(), root.join("usr/lib"));
        assert!(resolve(root, Path::new("round/a")).is_err());
    }
}
