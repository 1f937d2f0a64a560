//! What containers write is shown and never obeyed.

use crate::harness::{CommandOutput, Namespace, context, deploy_tool_command, eventually, kubectl, object};

/// A title, a deleted line, a forged line of ours in green, and the clipboard.
const WORDS: &str = r"\033]0;OWNED\007\033[2K\033[32m\342\234\223 ready\033[0m\nlast words \033]52;c;T1dORUQ=\007\n";

/// `more`: of the container.
fn manifest(namespace: &Namespace, end: &str, more: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata: {{name: d, namespace: {0}}}
spec:
  selector: {{matchLabels: {{a: d}}}}
  template:
    metadata: {{labels: {{a: d}}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: c
        image: docker.io/library/mariadb:11.8
        command: [sh, -c, 'printf \"{WORDS}\"; {end}']
        {more}
",
        namespace.name
    )
}

/// In a terminal, as `script` gives one.
fn on_a_terminal(arguments: &[&str]) -> String {
    let context = context();
    let command = deploy_tool_command(&[arguments, &["--context", &context]].concat());
    let words: Vec<String> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| format!("'{}'", word.to_string_lossy()))
        .collect();
    let output = std::process::Command::new("script")
        .args(["--quiet", "--return", "--command", &words.join(" "), "/dev/null"])
        .env("TERM", "xterm")
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[track_caller]
fn assert_harmless(shown: &str) {
    assert!(shown.contains(r"\x1b]0;OWNED\x07"), "the words are missing:\n{shown:?}");
    for sequence in ["\u{1b}]", "\u{1b}[2K", "\u{1b}[32m✓ ready\u{1b}[0m\r\n"] {
        assert!(
            !shown.contains(sequence),
            "{sequence:?} reaches the terminal:\n{shown:?}"
        );
    }
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn the_last_words_of_a_container_and_its_log_do_not_act_on_a_terminal() {
    let namespace = Namespace::create("words", &[]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("d.yaml");
    std::fs::write(
        &path,
        manifest(&namespace, "exit 1", "readinessProbe: {exec: {command: ['false']}}"),
    )
    .unwrap();
    let path = path.to_str().unwrap();
    assert_harmless(&on_a_terminal(&["apply", "-f", path, "--timeout", "60s", "--verbose"]));

    std::fs::write(path, manifest(&namespace, "sleep 1000000", "")).unwrap();
    kubectl(&["--namespace", &namespace.name, "delete", "deployment", "d"]).success();
    let context = context();
    let run = |arguments: &[&str]| {
        let all = [arguments, &["--context", &context, "-n", &namespace.name]].concat();
        CommandOutput::from(deploy_tool_command(&all).output().unwrap())
    };
    run(&["apply", "-f", path]).success();
    eventually("the container has written", || {
        run(&["logs", "d"]).stdout.contains("last words").then_some(())
    });
    assert_harmless(&on_a_terminal(&["logs", "d", "-n", &namespace.name]));
    // Into a pipe goes what was written, byte by byte.
    let piped = run(&["logs", "d"]).success().stdout;
    assert!(
        piped.starts_with("\u{1b}]0;OWNED\u{7}\u{1b}[2K\u{1b}[32m✓ ready\u{1b}[0m\n"),
        "{piped:?}"
    );
    assert_eq!(object(&namespace.name, "deployment/d")["status"]["readyReplicas"], 1);
}
