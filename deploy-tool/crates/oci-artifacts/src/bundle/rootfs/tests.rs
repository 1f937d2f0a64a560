use super::*;

/// A layer: paths, and what they are. A folder ends in `/`, a link has `>`, a hard link `=`.
fn layer(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o755);
        header.set_size(0);
        header.set_mtime(1);
        header.set_uid(0);
        header.set_gid(0);
        // The library itself refuses `..`.
        let name = &mut header.as_old_mut().name;
        name[..path.len()].copy_from_slice(path.as_bytes());
        let target = content.get(1..).unwrap_or_default();
        match content.chars().next() {
            _ if path.ends_with('/') => header.set_entry_type(EntryType::Directory),
            Some('>') => {
                header.set_entry_type(EntryType::Symlink);
                header.set_link_name(target).unwrap();
            }
            Some('=') => {
                header.set_entry_type(EntryType::Link);
                header.set_link_name(target).unwrap();
            }
            Some('#') => header.set_entry_type(EntryType::Char),
            _ => header.set_size(content.len() as u64),
        }
        let bytes = if header.size().unwrap() > 0 {
            content.as_bytes()
        } else {
            &[]
        };
        header.set_cksum();
        builder.append(&header, bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

async fn unpacked(layers: &[&[(&str, &str)]]) -> (tempfile::TempDir, Result<()>) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("a/b/root");
    fs::create_dir_all(&root).unwrap();
    let mut unpacker = Unpacker::new(&root, false);
    for entries in layers {
        let tar = layer(entries);
        if let Err(error) = unpacker
            .unpack(tar.as_slice(), "application/vnd.oci.image.layer.v1.tar")
            .await
        {
            return (folder, Err(error));
        }
    }
    let finished = unpacker.finish();
    (folder, finished)
}

fn listed(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let kind = fs::symlink_metadata(&path).unwrap();
            let name = path.strip_prefix(root).unwrap().display().to_string();
            if kind.is_dir() {
                waiting.push(path);
            } else if kind.is_symlink() {
                found.push(format!("{name} > {}", fs::read_link(&path).unwrap().display()));
            } else {
                found.push(format!("{name}: {}", fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn an_upper_layer_changes_and_takes_away() {
    let (folder, done) = unpacked(&[
        &[
            ("etc/", ""),
            ("etc/a", "1"),
            ("etc/b", "2"),
            ("gone/", ""),
            ("gone/x", "3"),
            ("opaque/", ""),
            ("opaque/old", "4"),
            ("kind", "file"),
            ("usr/lib/", ""),
            ("lib", ">usr/lib"),
        ],
        &[
            ("etc/.wh.a", ""),
            ("etc/b", "new"),
            (".wh.gone", ""),
            ("opaque/new", "5"),
            ("opaque/.wh..wh..opq", ""),
            ("kind/", ""),
            ("kind/inside", "6"),
            ("lib/c", "7"),
            ("same", "=etc/b"),
            ("console", "#"),
        ],
    ])
    .await;
    done.unwrap();
    let root = folder.path().join("a/b/root");
    assert_eq!(
        listed(&root),
        [
            "etc/b: new",
            "kind/inside: 6",
            "lib > usr/lib",
            "opaque/new: 5",
            "same: new",
            "usr/lib/c: 7"
        ]
    );
    assert_eq!(
        fs::metadata(root.join("etc/b")).unwrap().permissions().mode() & 0o777,
        0o755
    );
}

#[tokio::test]
async fn nothing_is_written_outside() {
    let (folder, _) = unpacked(&[&[
        ("up", ">../../.."),
        ("up/evil", "1"),
        ("../../evil", "2"),
        ("/absolute", "3"),
        ("root", ">/"),
        ("root/evil2", "4"),
        ("..", "5"),
        (".wh...", ""),
    ]])
    .await;
    let beside: Vec<String> = listed(folder.path())
        .into_iter()
        .filter(|name| !name.starts_with("a/b/root/"))
        .collect();
    assert_eq!(beside, [""; 0]);
    // A hard link to a file of the host would hand it to the container.
    fs::write(folder.path().join("secret"), "x").unwrap();
    let (rootfs, done) = unpacked(&[&[("steal", "=../../../secret")]]).await;
    assert!(done.is_err());
    assert_eq!(listed(rootfs.path()), [""; 0]);
}

#[tokio::test]
async fn what_is_no_layer_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut unpacker = Unpacker::new(folder.path(), false);
    let tar = layer(&[("a", "1")]);
    let zstd = unpacker
        .unpack(tar.as_slice(), "application/vnd.oci.image.layer.v1.tar+zstd")
        .await;
    assert!(zstd.unwrap_err().to_string().contains("only gzip"));
    let gzip = unpacker
        .unpack(tar.as_slice(), "application/vnd.oci.image.layer.v1.tar+gzip")
        .await;
    assert!(gzip.is_err());
}

#[test]
fn modules_and_shared_objects_are_known_by_their_first_bytes() {
    let folder = tempfile::tempdir().unwrap();
    for (bytes, expected) in [
        (b"\0asm\x01" as &[u8], true),
        (b"\x7fELF\x02", true),
        (b"#!/bin/sh", false),
        (b"", false),
    ] {
        fs::write(folder.path().join("app.wasm"), bytes).unwrap();
        assert_eq!(
            contains_module(folder.path(), "/app.wasm").unwrap(),
            expected,
            "{bytes:?}"
        );
    }
    assert!(contains_module(folder.path(), "/none.wasm").is_err());
}
