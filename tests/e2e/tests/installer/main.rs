//! The archive of a release and its installer: what `scripts/release` makes, installed into an empty folder.
//!
//! ```sh
//! cargo test --package e2e --test installer -- --ignored
//! ```

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use e2e::{CommandOutput, script};

fn run(command: &mut Command, arguments: &[&Path]) -> CommandOutput {
    CommandOutput::from(command.args(arguments).output().unwrap())
}

fn install(dist: &Path, prefix: &Path) -> CommandOutput {
    let mut command = Command::new("sh");
    command.arg(dist.join("install.sh")).env("PREFIX", prefix);
    CommandOutput::from(command.output().unwrap())
}

#[test]
#[ignore = "with the other of this file"]
fn a_program_that_does_not_start_here_takes_the_place_of_none() {
    let folder = tempfile::tempdir().unwrap();
    let (dist, prefix) = (folder.path().join("dist"), folder.path().join("prefix"));
    let name = format!("deploy-tool-{}-unknown-linux-gnu", std::env::consts::ARCH);
    let packed = folder.path().join(&name);
    for part in ["man", "completion"] {
        fs::create_dir_all(packed.join(part)).unwrap();
    }
    fs::create_dir(&dist).unwrap();
    fs::write(packed.join("man/deploy-tool.1"), "").unwrap();
    fs::write(packed.join("completion/deploy-tool.bash"), "").unwrap();
    // As where there is no such loader, with musl for instance.
    let program = packed.join("deploy-tool");
    fs::write(&program, "#!/lib/no-such-loader\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let archive = dist.join(format!("{name}.tar.gz"));
    let mut tar = Command::new("tar");
    tar.args(["--create", "--gzip", "--directory"]).arg(folder.path());
    tar.arg(format!("--file={}", archive.display())).arg(&name);
    run(&mut tar, &[]).success();
    let downloads = format!("file://{}", dist.display());
    run(
        &mut script("scripts/release/checksums"),
        &[&dist, Path::new(&downloads)],
    )
    .success();

    let bin = prefix.join("bin");
    fs::create_dir_all(&bin).unwrap();
    fs::write(bin.join("deploy-tool"), "older").unwrap();
    install(&dist, &prefix).failure(
        1,
        &[
            "the program does not start on this machine",
            "nothing was installed",
            "glibc",
        ],
    );
    let left: Vec<_> = fs::read_dir(&bin)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["deploy-tool"]);
    assert_eq!(fs::read_to_string(bin.join("deploy-tool")).unwrap(), "older");
}

#[test]
#[ignore = "builds deploy-tool for a release"]
fn a_released_archive_is_installed_whole_and_a_damaged_one_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let (dist, prefix) = (folder.path().join("dist"), folder.path().join("prefix"));
    let archive = run(script("scripts/release/binary").env("PROFILE", "release"), &[&dist])
        .success()
        .stdout;
    let downloads = format!("file://{}", dist.display());
    run(
        &mut script("scripts/release/checksums"),
        &[&dist, Path::new(&downloads)],
    )
    .success();

    let output = install(&dist, &prefix).success();
    assert!(
        output.stdout.contains("it is not in your PATH yet"),
        "{}",
        output.stdout
    );
    let tool = prefix.join("bin/deploy-tool");
    let version = run(&mut Command::new(&tool), &[Path::new("--version")])
        .success()
        .stdout;
    assert!(output.stdout.contains(version.trim()), "{} {version}", output.stdout);
    for file in [
        "man/man1/deploy-tool.1",
        "man/man1/deploy-tool-up.1",
        "bash-completion/completions/deploy-tool",
    ] {
        assert!(prefix.join("share").join(file).is_file(), "{file}");
    }
    install(&dist, &prefix).success();

    let before = fs::read(&tool).unwrap();
    let archive = Path::new(archive.trim());
    let mut bytes = fs::read(archive).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(archive, bytes).unwrap();
    install(&dist, &prefix).failure(1, &["is not the file that was released: nothing was installed"]);
    assert_eq!(fs::read(&tool).unwrap(), before);

    fs::remove_file(archive).unwrap();
    install(&dist, &prefix).failure(1, &["cannot download file://"]);
    fs::write(dist.join("SHA256SUMS"), "").unwrap();
    fs::write(archive, "").unwrap();
    install(&dist, &prefix).failure(1, &["this release has no program for this machine"]);
}
