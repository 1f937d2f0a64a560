#![allow(clippy::unwrap_used)]
use std::os::unix::fs::PermissionsExt;

use super::*;

#[test]
fn a_file_is_replaced_as_a_whole_and_keeps_its_mode() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    assert_eq!(read(&path).unwrap(), None);
    write(&path, "one").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    write(&path, "two").unwrap();
    assert_eq!(read(&path).unwrap().as_deref(), Some("two"));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    write_or_remove(&path, None).unwrap();
    write_or_remove(&path, None).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn what_is_new_is_for_root_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let path = folder.path().join("configuration.before");
    // What an earlier run has left beside it, for everybody to read, is not written into.
    fs::write(sibling_path(&path), "left").unwrap();
    fs::set_permissions(sibling_path(&path), fs::Permissions::from_mode(0o644)).unwrap();
    write(&path, "password").unwrap();
    assert_eq!(mode(&path), 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    make_private(&path).unwrap();
    assert_eq!(mode(&path), 0o600);
    make_private(&folder.path().join("none")).unwrap();
}

#[test]
fn folders_go_as_far_as_they_were_made_and_are_empty() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/c/file");
    assert_eq!(missing_folder(&path), Some(folder.path().join("a")));
    let made = missing_folder(&path).unwrap();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    assert_eq!(missing_folder(&path), None);
    fs::write(folder.path().join("a/other"), "").unwrap();
    remove_empty_folders(&path, &made).unwrap();
    assert!(folder.path().join("a/other").exists() && !folder.path().join("a/b").exists());
    fs::remove_file(folder.path().join("a/other")).unwrap();
    remove_empty_folders(&path, &made).unwrap();
    assert!(folder.path().exists() && !made.exists());
}

#[test]
fn who_looks_waits_for_who_changes_and_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    assert!(lock_at(&path, Access::Read).unwrap().is_none() && !path.exists());
    let held = lock_at(&path, Access::Write).unwrap();
    for access in [Access::Read, Access::Write] {
        assert!(lock_at(&path, access).unwrap_err().causes[0].contains("another run"));
    }
    drop(held);
    let looking = [
        lock_at(&path, Access::Read).unwrap(),
        lock_at(&path, Access::Read).unwrap(),
    ];
    assert!(lock_at(&path, Access::Write).is_err());
    drop(looking);
    lock_at(&path, Access::Write).unwrap();
}

#[test]
fn a_program_that_hangs_is_ended_and_one_that_reads_has_its_text() {
    let error = run("sleep", &["600"], Duration::from_millis(50)).unwrap_err();
    assert!(error.causes[0].contains("`sleep 600` has not ended"), "{error:?}");
    let twice = ["-c", "cat /proc/self/fd/0 /proc/self/fd/0"];
    assert_eq!(
        run_with_stdin("text", "sh", &twice, LOOK_LIMIT).unwrap().stdout,
        "texttext"
    );
}

#[test]
fn checksums_are_those_of_sha256sum() {
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(checksum(&b""[..]).unwrap(), empty);
}
