//! Pure: what somebody has typed who knows another tool, and how it is said here.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Verbs of other tools, and ours.
const VERBS: &[(&[&str], &str)] = &[
    (
        &["delete", "uninstall", "destroy", "remove", "rm", "teardown", "purge"],
        "to delete what the release has made: `deploy-tool down`",
    ),
    (
        &["install", "upgrade", "deploy", "create", "run", "sync", "update"],
        "to deploy: `deploy-tool up`, or `deploy-tool apply` without building",
    ),
    (
        &["template", "lint", "validate", "preview", "dry-run"],
        "to see what would change: `deploy-tool plan`",
    ),
    (
        &["get", "list", "ls", "ps", "describe", "top"],
        "to see what runs: `deploy-tool status`",
    ),
    (&["undo"], "to go back: `deploy-tool rollback`"),
    (
        &["rollout"],
        "`deploy-tool status`, `history`, `restart` and `rollback` are verbs of their own; those that change something wait",
    ),
    (
        &["exec", "attach", "cp", "debug"],
        "with `kubectl`: it uses the same kubeconfig and contexts",
    ),
    (&["port-forward", "forward"], "to reach a Service: `deploy-tool open`"),
    (&["tail"], "to read what containers write: `deploy-tool logs --follow`"),
];

/// Cluster options that may stand before the verb, and take a value.
const OPTIONS: [&str; 4] = ["-n", "--namespace", "--context", "--release"];

/// The same arguments with the cluster options behind the verb, where they are defined.
pub fn move_options_behind_verb(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments = arguments.into_iter();
    let mut sorted: Vec<OsString> = arguments.next().into_iter().collect();
    let mut moved = Vec::new();
    let mut rest = arguments.peekable();
    while let Some(argument) = rest.next_if(is_cluster_option) {
        let has_value = argument.to_str().is_some_and(|text| !OPTIONS.contains(&text));
        moved.push(argument);
        if !has_value {
            moved.extend(rest.next());
        }
    }
    let mut rest: Vec<OsString> = rest.collect();
    let end = rest.iter().position(|argument| argument == "--").unwrap_or(rest.len());
    rest.splice(end..end, moved);
    sorted.extend(rest);
    sorted
}

/// `-n`, `-nshop`, `--namespace`, `--namespace=shop`.
fn is_cluster_option(argument: &OsString) -> bool {
    let Some(text) = argument.to_str() else { return false };
    let is_short = text.starts_with("-n") && !text.starts_with("--");
    let name = text.split_once('=').map_or(text, |(name, _)| name);
    is_short || OPTIONS.contains(&name)
}

/// Adds a tip to a complaint, where it is known what was meant.
pub fn with_tip(mut error: clap::Error, arguments: &[OsString]) -> clap::Error {
    if let Some(tip) = tip(&error, arguments) {
        let tip = ContextValue::StyledStrs(vec![tip.into()]);
        error.insert(ContextKind::Suggested, tip);
        error.remove(ContextKind::SuggestedSubcommand);
        error.remove(ContextKind::SuggestedArg);
    }
    error
}

fn tip(error: &clap::Error, arguments: &[OsString]) -> Option<String> {
    let context = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let typed = context(ContextKind::InvalidSubcommand)?.to_lowercase();
            let (_, tip) = VERBS.iter().find(|(verbs, _)| verbs.contains(&typed.as_str()))?;
            Some((*tip).to_owned())
        }
        ErrorKind::UnknownArgument => {
            let typed = context(ContextKind::InvalidArg)?;
            match typed.split(['=', ' ']).next()? {
                "--dry-run" => Some("to see what would change: `deploy-tool plan`".to_owned()),
                "--wait" => Some("every verb that changes something waits; for how long, --timeout says".to_owned()),
                "--filename" | "--values" => Some("manifests are named with --manifests (-f)".to_owned()),
                "-k" | "--kustomize" => {
                    Some("let kustomize make them: `kubectl kustomize DIR | deploy-tool apply -f -`".to_owned())
                }
                option @ ("-f" | "--manifests" | "-R" | "--recursive") if is_before_verb(arguments) => {
                    Some(format!("write {option} behind the verb: `deploy-tool plan -f PATH`"))
                }
                "--prune" => Some("what leaves the manifests is pruned in every case".to_owned()),
                "--server-side" => Some("it is always the server that applies".to_owned()),
                "--force" | "--force-conflicts" => Some("for fields that others have set: --take-over".to_owned()),
                "--replicas" => Some("write NAME=NUMBER: `deploy-tool scale app=3`".to_owned()),
                "-c" => Some("containers are named with --container".to_owned()),
                "-A" | "--all-namespaces" => Some("one namespace at a time: -n NAME".to_owned()),
                path if !path.starts_with('-') && takes_manifests(arguments) => {
                    Some(format!("manifests are named with -f: `-f {path}`"))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether an option comes before any verb.
fn is_before_verb(arguments: &[OsString]) -> bool {
    arguments
        .get(1)
        .is_some_and(|first| first.to_string_lossy().starts_with('-'))
}

/// Whether the verb applies manifests and has no arguments of its own.
fn takes_manifests(arguments: &[OsString]) -> bool {
    let verbs = ["up", "apply", "plan", "diff", "down"];
    let verb = arguments
        .iter()
        .skip(1)
        .find(|argument| !argument.to_string_lossy().starts_with('-'));
    verb.is_some_and(|verb| verbs.iter().any(|known| verb == known))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn cluster_options_may_come_first() {
        let cases = [
            ("tool -n shop status", "tool status -n shop"),
            (
                "tool --namespace=shop --context c logs app",
                "tool logs app --namespace=shop --context c",
            ),
            ("tool -nshop cluster up", "tool cluster up -nshop"),
            ("tool status -n shop", "tool status -n shop"),
            ("tool --verbose status", "tool --verbose status"),
            ("tool -n shop logs -- app", "tool logs -n shop -- app"),
            ("tool -n", "tool -n"),
            ("tool", "tool"),
        ];
        for (line, expected) in cases {
            assert_eq!(move_options_behind_verb(words(line)), words(expected), "{line}");
        }
    }

    #[test]
    fn what_other_tools_call_it_is_understood() {
        let cases = [
            ("deploy-tool delete", "`deploy-tool down`"),
            ("deploy-tool uninstall shop", "`deploy-tool down`"),
            ("deploy-tool destroy", "`deploy-tool down`"),
            ("deploy-tool install x", "`deploy-tool up`"),
            ("deploy-tool apply --dry-run", "`deploy-tool plan`"),
            ("deploy-tool up --dry-run=server", "`deploy-tool plan`"),
            ("deploy-tool plan app.yaml", "`-f app.yaml`"),
            ("deploy-tool apply .", "`-f .`"),
            ("deploy-tool up shop/", "`-f shop/`"),
            ("deploy-tool get pods", "`deploy-tool status`"),
            ("deploy-tool rollout status deployment/app", "`rollback`"),
            ("deploy-tool exec app", "`kubectl`"),
            ("deploy-tool apply -k .", "`kubectl kustomize DIR"),
            ("deploy-tool -f app.yaml plan", "-f behind the verb"),
            ("deploy-tool apply --prune", "pruned in every case"),
            ("deploy-tool apply --force", "--take-over"),
            (
                "deploy-tool scale deployment/app --replicas=3",
                "`deploy-tool scale app=3`",
            ),
            ("deploy-tool logs app -c main", "--container"),
        ];
        for (line, expected) in cases {
            let error = super::super::parse(words(line)).unwrap_err().to_string();
            assert!(error.contains(expected), "{line}: {error}");
        }
        // Where nothing is known, clap's own guess stays.
        let error = super::super::parse(words("deploy-tool statsu"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("'status'"), "{error}");
    }

    #[test]
    fn logs_follow_as_everybody_types_it() {
        for line in [
            "deploy-tool logs -f app",
            "deploy-tool logs app -n shop -f",
            "deploy-tool -n shop logs -f",
        ] {
            let cli = super::super::parse(words(line)).unwrap();
            let super::super::Command::Logs(logs) = cli.command else {
                panic!("{line}")
            };
            assert!(logs.follow, "{line}");
            assert_eq!(
                logs.cluster_arguments.named_manifests(),
                [std::path::PathBuf::from("manifests")],
                "{line}"
            );
        }
    }
}
