//! Layouts in folders and archives.

use super::*;
use diagnostics::code;
use std::path::Path;

fn written(folder: &Path, image: &Layout) -> std::path::PathBuf {
    let path = folder.join("image");
    store::write(&path, image).unwrap();
    path
}

/// Every byte of a layout, wherever its blobs are.
fn contents(layout: &Layout) -> Vec<(Digest, Vec<u8>)> {
    let blobs = layout.all_blobs().map(|blob| {
        let mut bytes = Vec::new();
        store::open(blob).unwrap().read_to_end(&mut bytes).unwrap();
        (blob.digest.clone(), bytes)
    });
    blobs.collect()
}

#[test]
fn folder_and_archive_give_back_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let image = image(Some(b"compiled"), None);
    let mut attached = image.clone();
    attach(&mut attached, "application/json", b"[]".to_vec()).unwrap();
    let path = written(folder.path(), &attached);
    let read = store::read(&path).unwrap();
    assert_eq!(contents(&read), contents(&attached));
    assert_eq!(read.referrers, attached.referrers);
    let archive = folder.path().join("image.tar");
    let again = folder.path().join("again.tar");
    store::write_archive(&archive, &image).unwrap();
    store::write_archive(&again, &read).unwrap();
    assert_eq!(std::fs::read(&archive).unwrap(), std::fs::read(&again).unwrap());
    // An archive is the image alone.
    let read = store::read(&archive).unwrap();
    assert_eq!(
        (&read.name, &read.root, &read.manifests),
        (&image.name, &image.root, &image.manifests)
    );
    assert_eq!(contents(&read), contents(&image));
}

#[test]
fn what_is_there_stays_and_what_is_damaged_is_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let image = image(None, None);
    let path = written(folder.path(), &image);
    let time = || std::fs::metadata(path.join("index.json")).unwrap().modified().unwrap();
    let before = time();
    written(folder.path(), &image);
    assert_eq!(time(), before);
    std::fs::remove_file(path.join(layout::path(&image.blobs[1].digest).unwrap())).unwrap();
    written(folder.path(), &image);
    assert_eq!(contents(&store::read(&path).unwrap()), contents(&image));
}

#[test]
fn what_a_killed_run_has_left_is_repaired() {
    let (old, new) = (image(None, None), image(Some(b"compiled"), None));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image");
    let aside = folder.path().join(".image.old");
    let names = || -> Vec<_> {
        let entries = std::fs::read_dir(folder.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name()).collect()
    };
    for written in [&old, &new] {
        // Killed before the new folder was there: the old one comes back, and stays if it is the same.
        store::write(&path, &old).unwrap();
        let time = |path: &Path| std::fs::metadata(path.join("index.json")).unwrap().modified().unwrap();
        let before = time(&path);
        std::fs::rename(&path, &aside).unwrap();
        store::write(&path, written).unwrap();
        assert_eq!(contents(&store::read(&path).unwrap()), contents(written));
        assert_eq!(time(&path) == before, *written == old);
        assert_eq!(names(), ["image"]);
        // Killed before the old one was removed, of which some is left.
        std::fs::create_dir_all(aside.join("blobs")).unwrap();
        store::write(&path, written).unwrap();
        assert_eq!(contents(&store::read(&path).unwrap()), contents(written));
        assert_eq!(names(), ["image"]);
    }
    // A file is no layout, and is not removed.
    let file = folder.path().join("file");
    std::fs::write(&file, "text").unwrap();
    store::write(&file, &old).unwrap_err();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "text");
}

/// As `docker save` writes it where only the image for this machine was pulled, with or without what belongs to the others.
#[test]
fn an_index_may_name_more_than_is_there() {
    for parts in [1, 2, 3] {
        let folder = tempfile::tempdir().unwrap();
        let image = image(Some(b"compiled"), None);
        let path = written(folder.path(), &image);
        let (config, _) = layout::parts(&image.manifests[1]).unwrap();
        for digest in [&config.digest, &image.manifests[1].digest]
            .into_iter()
            .take(parts)
            .skip(parts / 3)
        {
            std::fs::remove_file(path.join(layout::path(digest).unwrap())).unwrap();
        }
        let archive = folder.path().join("saved.tar");
        let mut tar = tar::Builder::new(std::fs::File::create(&archive).unwrap());
        tar.append_dir_all(".", &path).unwrap();
        tar.into_inner().unwrap();
        for path in [&path, &archive] {
            let read = store::read_partial(path).unwrap();
            assert_eq!(read.absent_platforms(), ["linux/arm64".to_owned()].into());
            assert_eq!(read.manifests, image.manifests[..1]);
            let failure = store::read(path).unwrap_err();
            assert!(failure.to_string().contains("linux/arm64 is only named"), "{failure}");
            assert!(store::outline(path).is_err());
            let only = read.clone().select_platform("linux/amd64").unwrap().unwrap();
            assert_eq!((only.root, only.blobs.len()), (image.manifests[0].clone(), 2));
            assert_eq!(read.select_platform("linux/arm64").unwrap(), None);
        }
    }
}

#[test]
fn an_image_may_have_several_names() {
    let folder = tempfile::tempdir().unwrap();
    let image = image(None, None);
    let path = written(folder.path(), &image);
    let mut index = document(&std::fs::read(path.join("index.json")).unwrap());
    let mut second = index["manifests"][0].clone();
    second["annotations"]["io.containerd.image.name"] = json!("localhost/orders:second");
    index["manifests"].as_array_mut().unwrap().push(second);
    std::fs::write(path.join("index.json"), index.to_string()).unwrap();
    assert_eq!(store::read(&path).unwrap().root, image.root);
}

#[test]
fn damaged_layouts_are_refused() {
    let image = image(Some(b"compiled"), None);
    let layer = layout::path(&image.blobs[1].digest).unwrap();
    let edit = |path: &Path, from: &str, to: &str| {
        let text = std::fs::read_to_string(path.join("index.json")).unwrap();
        assert!(text.contains(from));
        std::fs::write(path.join("index.json"), text.replacen(from, to, 1)).unwrap();
    };
    type Damage<'d> = (&'d str, &'d dyn Fn(&Path));
    let damages: [Damage<'_>; 10] = [
        ("it has no `oci-layout`", &|path| {
            std::fs::remove_file(path.join("oci-layout")).unwrap()
        }),
        ("it has no `index.json`", &|path| {
            std::fs::remove_file(path.join("index.json")).unwrap()
        }),
        ("it has no `blobs/sha256/", &|path| {
            std::fs::remove_file(path.join(&layer)).unwrap()
        }),
        ("of them, not", &|path| {
            std::fs::write(path.join(&layer), "short").unwrap()
        }),
        ("their digest is", &|path| {
            let mut bytes = std::fs::read(path.join(&layer)).unwrap();
            bytes[20] ^= 1;
            std::fs::write(path.join(&layer), bytes).unwrap();
        }),
        ("is not a valid Index", &|path| {
            std::fs::write(path.join("index.json"), "{").unwrap()
        }),
        ("largest allowed", &|path| {
            std::fs::write(path.join("index.json"), vec![b' '; 5 << 20]).unwrap()
        }),
        ("is not a digest", &|path| edit(path, "sha256:", "../../x:")),
        ("neither an image nor an index", &|path| {
            edit(path, ".index.v1+json\",\"digest", ".x\",\"digest")
        }),
        ("it has 0 images", &|path| {
            std::fs::write(path.join("index.json"), r#"{"schemaVersion":2,"manifests":[]}"#).unwrap()
        }),
    ];
    for (expected, damage) in damages {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path(), &image);
        damage(&path);
        let failure = store::read(&path).unwrap_err();
        assert!(failure.to_string().contains(expected), "{expected}: {failure}");
        assert_eq!(failure.number(), Some(&code::image::MALFORMED));
        // What the bytes of a layer are is left to the registry that they are sent to; all else is not.
        let outline = store::outline(&path);
        assert_eq!(outline.is_ok(), expected == "their digest is", "{expected}");
        assert!(outline.map_or(true, |outline| outline.check().is_err()), "{expected}");
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [("none", None), ("text", Some("no tar"))] {
        let path = folder.path().join(name);
        bytes.iter().for_each(|bytes| std::fs::write(&path, bytes).unwrap());
        assert!(store::read(&path).is_err(), "{name}");
    }
}

/// An archive in which a byte has changed is refused, or gives the same blobs: its own padding may be anything.
#[test]
fn no_changed_byte_goes_unnoticed() {
    let folder = tempfile::tempdir().unwrap();
    let image = image(Some(b"compiled"), None);
    let (path, changed) = (folder.path().join("image.tar"), folder.path().join("changed.tar"));
    store::write_archive(&path, &image).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let mut refused = 0;
    for offset in (0..bytes.len()).step_by(7) {
        let mut bytes = bytes.clone();
        bytes[offset] ^= 0b10;
        std::fs::write(&changed, bytes).unwrap();
        match store::read(&changed) {
            Ok(read) => assert_eq!(contents(&read), contents(&image), "byte {offset}"),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 100, "{refused}");
}
