//! Fedora's Docker engine has SELinux confine containers, which may not read files of a home folder then: every container that
//! is given some is started unconfined. Not with `:z`, which would leave another label on them.

use std::fs;
use std::process::Command;

use e2e::{CommandOutput, repository};

const UNCONFINED: &str = "label=disable";
/// A volume of Docker's own, which has the right label.
const NAMED_VOLUMES: [&str; 1] = [r#"--volume "$name:/var/lib/mysql""#];

/// Whether a command gives a container files of the host, as a shell or as Rust writes it: what has a place in the container
/// after a colon.
fn mounts(text: &str) -> bool {
    let options = ["--volume ", "--volume=", "\"--volume\", ", "-v "];
    options.into_iter().any(|option| {
        let values = text.split(option).skip(1);
        values
            .map(first_word)
            .any(|value| value.contains(":/") || value.contains(":{") || value.starts_with("&volume"))
    })
}

/// Up to a blank that is not in quotes.
fn first_word(text: &str) -> &str {
    let mut quoted = false;
    let end = text.find(|letter: char| {
        quoted ^= letter == '"';
        letter.is_whitespace() && !quoted
    });
    &text[..end.unwrap_or(text.len())]
}

#[test]
#[ignore = "with the others of this file"]
fn containers_that_are_given_files_of_the_host_are_not_confined_by_selinux() {
    let listed = Command::new("git")
        .args(["ls-files", "--", "scripts", "oci", "bench", "deploy-tool", "tests"])
        .current_dir(repository())
        .output();
    let listed = CommandOutput::from(listed.unwrap()).success().stdout;
    let (mut commands, mut sources) = (0, 0);
    for path in listed.lines().filter(|path| !path.ends_with("workflows/mounts.rs")) {
        // Not every file is text.
        let Ok(text) = fs::read_to_string(repository().join(path)) else {
            continue;
        };
        if path.ends_with(".rs") {
            if mounts(&text) {
                sources += 1;
                assert!(text.contains(UNCONFINED), "{path}: without --security-opt={UNCONFINED}");
            }
        } else if text.starts_with("#!") || path.ends_with(".sh") {
            let mut text = text.replace("\\\n", " ");
            for volume in NAMED_VOLUMES {
                text = text.replace(volume, "");
            }
            for line in text.lines().filter(|line| !line.starts_with('#') && mounts(line)) {
                commands += 1;
                assert!(
                    line.contains(UNCONFINED),
                    "{path}: without --security-opt {UNCONFINED}: {line}"
                );
            }
        }
    }
    // What is looked for is found.
    assert!(commands >= 6 && sources >= 6, "{commands} commands, {sources} sources");
}
