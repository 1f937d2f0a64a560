//! The face by snapshots: the help of every verb at 80 columns, what typical mistakes get, and how a step looks on a
//! terminal. `INSTA_UPDATE=always cargo test -p deploy-tool --test face` takes what is said now for right.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use clap::Command as Verb;

/// The tool in a home of its own, in a terminal of 80 columns, without a kubeconfig and a Docker engine.
fn tool(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deploy-tool"));
    command.args(arguments);
    settled(&mut command, home);
    command
}

fn settled(command: &mut Command, home: &Path) {
    command
        .env_clear()
        .env("PATH", format!("{}:{}", home.display(), std::env::var("PATH").unwrap()))
        .env("HOME", home)
        .env("COLUMNS", "80")
        .env("DOCKER_HOST", "unix:///nowhere/docker.sock")
        .current_dir(home);
}

/// Exit code, standard output and standard error as one text.
fn said(arguments: &[&str]) -> String {
    let home = tempfile::tempdir().unwrap();
    program(
        home.path(),
        "docker",
        "echo 'Cannot connect to the Docker daemon' >&2; exit 1",
    );
    let output = tool(home.path(), arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let all = format!(
        "$ deploy-tool {}\nexit code {}\n----- stdout\n{}----- stderr\n{}",
        arguments.join(" "),
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr)
    );
    all.replace(&home.path().display().to_string(), "[HOME]")
}

/// The names that lead to a verb, of every verb.
fn verbs(command: &Verb, path: &[String], found: &mut Vec<Vec<String>>) {
    found.push(path.to_vec());
    for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
        verbs(verb, &[path, &[verb.get_name().to_owned()]].concat(), found);
    }
}

#[test]
fn help() {
    let mut found = Vec::new();
    verbs(&deploy_tool::cli::help::command(), &[], &mut found);
    for path in found {
        let arguments = |flag: &'static str| -> Vec<&str> { path.iter().map(String::as_str).chain([flag]).collect() };
        let (short, long) = (said(&arguments("-h")), said(&arguments("--help")));
        for line in short.lines().chain(long.lines()) {
            assert!(line.chars().count() <= 80, "{path:?}: more than 80 columns: {line}");
        }
        let name = ["help".to_owned()]
            .iter()
            .chain(&path)
            .cloned()
            .collect::<Vec<_>>()
            .join("-");
        insta::assert_snapshot!(name, format!("{short}\n=====\n\n{long}"));
    }
}

#[test]
fn mistakes() {
    let cases: &[(&str, &[&str])] = &[
        ("no-verb", &[]),
        ("unknown-verb", &["depoly"]),
        ("unknown-option", &["up", "--contxt", "x"]),
        ("unknown-format", &["status", "--output", "yaml"]),
        ("quiet-and-verbose", &["status", "-qv"]),
        ("bad-duration", &["up", "--timeout", "soon"]),
        ("no-manifests", &["up"]),
        ("no-kubeconfig", &["status", "-n", "x", "-f", "-"]),
        ("unknown-error", &["explain", "DT9999"]),
        ("unknown-shell", &["completion", "tcsh"]),
        ("no-docker", &["cluster", "down"]),
    ];
    for (name, arguments) in cases {
        insta::assert_snapshot!(format!("mistake-{name}"), said(arguments));
    }
}

#[test]
fn colours_are_as_asked_for_also_in_what_cannot_be_read() {
    let home = tempfile::tempdir().unwrap();
    for (color, colored) in [("--color=always", true), ("--color=never", false)] {
        let mut command = tool(home.path(), &["up", color, "--contxt", "x"]);
        let output = command.env("CLICOLOR_FORCE", "1").output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(output.stderr.contains(&b'\x1b'), colored, "{color}");
    }
}

#[test]
fn a_failure_for_programs_is_one_event_and_for_people_the_same_text() {
    let home = tempfile::tempdir().unwrap();
    let output = tool(home.path(), &["cluster", "down", "--output", "json"])
        .output()
        .unwrap();
    let (stdout, stderr) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    let events: Vec<serde_json::Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = events.last().unwrap();
    assert_eq!(
        (last["type"].as_str(), last["exitCode"].as_i64()),
        (Some("failure"), Some(3)),
        "{stdout}"
    );
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr.contains(last["what"].as_str().unwrap()), "{stderr}");
    assert!(
        events.iter().all(|event| event["schema"] == "deploy-tool.dev/event/v1"),
        "{stdout}"
    );
}

#[test]
fn manual_pages_and_completions_know_every_verb() {
    let home = tempfile::tempdir().unwrap();
    assert!(tool(home.path(), &["man", "pages"]).status().unwrap().success());
    let page = std::fs::read_to_string(home.path().join("pages/deploy-tool-up.1")).unwrap();
    assert!(page.contains(".SH OPTIONS") && page.contains("timeout"), "{page}");
    for shell in ["bash", "zsh", "fish"] {
        let script = said(&["completion", shell]);
        assert!(script.contains("restart") && script.contains("deploy-tool"), "{shell}");
    }
}

/// A Docker engine with one node, and a kind that says two lines and takes its time.
fn stand_ins(home: &Path) {
    let node = r#"{"Names":"x-control-plane","State":"running","Labels":"io.x-k8s.kind.role=control-plane"}"#;
    for (name, script) in [
        ("docker", format!("echo '{node}'")),
        (
            "kind",
            "echo first; echo 'Deleting cluster' >&2; exec sleep ${DELAY:-1}".to_owned(),
        ),
    ] {
        program(home, name, &script);
    }
}

/// A shell script in the place of a program.
fn program(home: &Path, name: &str, script: &str) {
    let path = home.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// What a terminal shows in the end, of the sequences that the tool uses.
fn shown(bytes: &str) -> Vec<String> {
    let mut rows: Vec<String> = vec![String::new()];
    let mut row = 0;
    let mut rest = bytes;
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        match character {
            '\n' => {
                row += 1;
                rows.resize(rows.len().max(row + 1), String::new());
            }
            '\r' => {}
            '\u{1b}' => {
                let end = rest.find(|c: char| c.is_ascii_alphabetic()).unwrap();
                let (sequence, after) = rest.split_at(end + 1);
                rest = after;
                match sequence {
                    "[J" => rows.truncate(row + 1),
                    "[K" => {}
                    "[?2026h" | "[?2026l" => {}
                    up if up.ends_with('A') => {
                        row -= up[1..up.len() - 1].parse::<usize>().unwrap();
                        // The tool writes whole lines there.
                        rows.truncate(row);
                        rows.push(String::new());
                    }
                    color => assert!(color.ends_with('m'), "an unexpected sequence: {color:?}"),
                }
            }
            other => rows[row].push(other),
        }
    }
    rows.into_iter()
        .map(|row| row.trim_end().to_owned())
        .filter(|row| !row.is_empty())
        .collect()
}

/// Runs `cluster down` in a pseudo terminal made by script(1) of util-linux, and types something when it shows a text.
fn in_a_terminal(home: &Path, environment: &[(&str, &str)], when: &str, typed: &str) -> (i32, String) {
    stand_ins(home);
    let line = format!("{} cluster down --name x", env!("CARGO_BIN_EXE_deploy-tool"));
    let mut command = Command::new("script");
    settled(&mut command, home);
    command
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .envs(environment.iter().copied());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut keyboard, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    let mut waiting = true;
    loop {
        let count = screen.read(&mut buffer).unwrap();
        if count == 0 {
            break;
        }
        bytes.extend_from_slice(&buffer[..count]);
        if waiting && String::from_utf8_lossy(&bytes).contains(when) {
            waiting = false;
            keyboard.write_all(typed.as_bytes()).unwrap();
        }
    }
    (child.wait().unwrap().code().unwrap(), String::from_utf8(bytes).unwrap())
}

#[test]
fn a_step_is_drawn_in_place_and_leaves_one_line() {
    let home = tempfile::tempdir().unwrap();
    let (code, bytes) = in_a_terminal(home.path(), &[("TERM", "xterm")], "Deleting", "");
    assert!(
        bytes.contains("… cluster x: deleted (0 s) Deleting cluster"),
        "{bytes:?}"
    );
    let rows = shown(&bytes);
    assert_eq!((code, rows.len()), (0, 1), "{rows:?}");
    assert!(rows[0].starts_with("✓ cluster x: deleted (1."), "{rows:?}");
    assert!(bytes.contains("\u{1b}[32m"), "the tick is green: {bytes:?}");
}

#[test]
fn an_interrupted_step_leaves_the_terminal_in_order() {
    let home = tempfile::tempdir().unwrap();
    let (code, bytes) = in_a_terminal(
        home.path(),
        &[("TERM", "xterm"), ("DELAY", "60"), ("NO_COLOR", "1")],
        "Deleting",
        "\u{3}",
    );
    let rows = shown(&bytes.replace("^C", ""));
    assert_eq!(code, 130, "{rows:?}");
    assert!(rows[0].starts_with("✗ cluster x: deleted ("), "{rows:?}");
    assert_eq!(rows[1], "error: stopped by SIGINT", "{rows:?}");
    assert!(!bytes.contains("\u{1b}[?25l"), "the cursor was hidden: {bytes:?}");
    assert!(!bytes.contains("\u{1b}[3"), "colours in spite of NO_COLOR: {bytes:?}");
    assert_eq!(
        bytes.matches("\u{1b}[?2026h").count(),
        bytes.matches("\u{1b}[?2026l").count()
    );
}
