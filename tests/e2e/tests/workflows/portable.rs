//! What runs on macOS, whose bash is 3.2, uses nothing newer: https://www.gnu.org/software/bash/manual/html_node/ and the file
//! CHANGES of bash say what came when.

use std::fs;
use std::path::Path;
use std::process::Command;

use e2e::{CommandOutput, repository, script};

/// What a release runs there.
const SCRIPTS: [&str; 6] = [
    "scripts/hosted-runner",
    "scripts/release/binary",
    "scripts/release/checksums",
    "scripts/release/program",
    "scripts/step.sh",
    "oci/versions",
];

/// Patterns of grep -E for what bash 3.2 does not know or does otherwise.
const NEWER: [(&str, &str); 10] = [
    (r"\b(mapfile|readarray|coproc)\b", "4.0"),
    (r"\b(declare|local|typeset) -[a-zA-Z]*[Alnug]", "4.0 to 4.3"),
    (r"\$\{[a-zA-Z_0-9]+(,|\^|@)", "case and transformations: 4.0, 4.4"),
    (r"&>>|\|&", "4.0"),
    (r";;?&", "4.0"),
    (r"\bwait -n\b|\[\[? -[vR] |%\(", "4.2, 4.3"),
    (r"\[-[0-9]+\]", "indices from the end: 4.2"),
    (
        r"\bEPOCH(SECONDS|REALTIME)\b|\bBASHPID\b|\bSRANDOM\b",
        "variables of 4.0 to 5.1",
    ),
    (r"\*\*/|globstar", "4.0"),
    // An empty list is an unset variable there.
    (r#"(^|[^+])"\$\{[a-z_]+\[@\]\}""#, "4.4, under set -u"),
];

#[test]
#[ignore = "with the others of this file"]
fn no_script_of_a_release_needs_a_newer_bash() {
    for path in SCRIPTS {
        let text = fs::read_to_string(repository().join(path)).unwrap();
        let lines = text.lines().map(|line| line.split(" #").next().unwrap());
        // The one place that asks whether the shell has it.
        let lines: Vec<&str> = lines
            .filter(|line| !line.starts_with('#') && !line.starts_with("now() "))
            .collect();
        for (pattern, since) in NEWER {
            assert_eq!(found(pattern, &lines.join("\n")), "", "{path}: bash {since}");
        }
    }
    // The patterns find what they are meant to find.
    for newer in [
        "mapfile -t x",
        "${x,,}",
        "local -n x=y",
        "x &>>log",
        "\"${x[@]}\"",
        "$EPOCHREALTIME",
        "${x[-1]}",
    ] {
        assert!(
            NEWER.iter().any(|(pattern, _)| !found(pattern, newer).is_empty()),
            "{newer}"
        );
    }
}

fn found(pattern: &str, text: &str) -> String {
    let script = r#"printf '%s\n' "$2" | grep -E -- "$1" || [ $? -eq 1 ]"#;
    let output = Command::new("bash")
        .args(["-c", script, "bash", pattern, text])
        .output();
    CommandOutput::from(output.unwrap()).success().stdout
}

#[test]
#[ignore = "builds deploy-tool for a release"]
fn a_release_is_packed_by_a_shell_that_lacks_what_macos_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let older = folder.path().join("older");
    fs::write(
        &older,
        "unset EPOCHREALTIME EPOCHSECONDS BASHPID\nenable -n mapfile readarray\n",
    )
    .unwrap();
    let run = |path: &str, arguments: &[&Path]| {
        CommandOutput::from(
            script(path)
                .args(arguments)
                .env("BASH_ENV", &older)
                .env("PROFILE", "release")
                .output()
                .unwrap(),
        )
        .success()
    };
    let dist = folder.path().join("dist");
    let packed = run("scripts/release/binary", &[&dist]);
    assert!(packed.stderr.contains("✓ deploy-tool built ("), "{}", packed.stderr);
    run(
        "scripts/release/checksums",
        &[&dist, Path::new("https://example.com/v1.2.3")],
    );
    assert!(dist.join("SHA256SUMS").is_file() && dist.join("install.sh").is_file());
}
