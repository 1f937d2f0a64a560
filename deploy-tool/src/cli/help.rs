//! The parts of the help that clap does not derive: the first screen with the verbs by purpose, and the examples.

use anstyle::{Effects, Style};
use clap::builder::StyledStr;
use clap::{Command, CommandFactory};

use super::example::Example;
use super::{
    Cli, apply, build, bundle, cluster, completion, dev, docker, doctor, down, explain, history, init, inspect, logs,
    man, new, node, open, plan, push, restart, rollback, scale, sign, status, up,
};
use diagnostics::EXIT_CODES;

const HEADING: Style = Style::new().effects(Effects::BOLD.insert(Effects::UNDERLINE));
const LITERAL: Style = Style::new().effects(Effects::BOLD);

/// The verbs by purpose, in the order of the first screen.
pub const GROUPS: &[(&str, &[&str])] = &[
    ("Start", &["new", "init"]),
    ("Preview", &["plan"]),
    (
        "Deploy",
        &["up", "dev", "apply", "build", "push", "sign", "rollback", "down"],
    ),
    ("Without a cluster", &["bundle", "docker"]),
    (
        "Inspect",
        &["status", "history", "logs", "open", "inspect", "verify", "doctor"],
    ),
    ("Change", &["scale", "restart"]),
    ("Local cluster", &["cluster", "images"]),
    ("Wasm nodes", &["node"]),
    ("Other", &["explain", "version", "completion", "man", "help"]),
];

/// The examples of every verb, which stand in the file of its arguments. Tests parse each of them.
pub const EXAMPLES: &[(&str, &[Example])] = &[
    ("up", up::EXAMPLES),
    ("new", new::EXAMPLES),
    ("init", init::EXAMPLES),
    ("dev", dev::EXAMPLES),
    ("plan", plan::EXAMPLES),
    ("apply", apply::EXAMPLES),
    ("rollback", rollback::EXAMPLES),
    ("history", history::EXAMPLES),
    ("build", build::EXAMPLES),
    ("bundle", bundle::EXAMPLES),
    ("docker install", docker::INSTALL_EXAMPLES),
    ("docker remove", docker::REMOVE_EXAMPLES),
    ("docker status", docker::STATUS_EXAMPLES),
    ("inspect", inspect::EXAMPLES),
    ("sign", sign::SIGN_EXAMPLES),
    ("verify", sign::VERIFY_EXAMPLES),
    ("push", push::EXAMPLES),
    ("down", down::EXAMPLES),
    ("status", status::EXAMPLES),
    ("logs", logs::EXAMPLES),
    ("open", open::EXAMPLES),
    ("doctor", doctor::EXAMPLES),
    ("scale", scale::EXAMPLES),
    ("restart", restart::EXAMPLES),
    ("cluster up", cluster::UP_EXAMPLES),
    ("cluster down", cluster::DOWN_EXAMPLES),
    ("images", IMAGES_EXAMPLES),
    ("node install", node::INSTALL_EXAMPLES),
    ("node remove", node::REMOVE_EXAMPLES),
    ("node status", node::STATUS_EXAMPLES),
    ("explain", explain::EXAMPLES),
    ("version", VERSION_EXAMPLES),
    ("completion", completion::EXAMPLES),
    ("man", man::EXAMPLES),
];

// These verbs have no arguments of their own, and so no file.
const IMAGES_EXAMPLES: &[Example] = &[
    ("images", "what builds and local clusters need, while there is time"),
    ("images --output json", "the same for a program, as events"),
];

const VERSION_EXAMPLES: &[Example] = &[("version --output json", "for a program that needs a certain version")];

/// The clap command with all of its help: used by the parser, the man pages and the shell completion.
pub fn command() -> Command {
    // `logs -f` means --follow, as in kubectl; --manifests only gives `logs` its namespace, so it has no short form there.
    let command = Cli::command().mut_subcommand("logs", |logs| {
        logs.mut_arg("manifests", |manifests| manifests.short(None))
    });
    let mut command = add_examples(command, "");
    command.build();
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{}{HEADING}Global options:{HEADING:#}\n{{options}}{{after-help}}",
        format_groups(&command)
    );
    command.help_template(StyledStr::from(template))
}

/// Adds examples and exit codes to a verb, or to the verbs below it.
fn add_examples(command: Command, path: &str) -> Command {
    if command.has_subcommands() {
        let names: Vec<String> = command
            .get_subcommands()
            .map(|verb| verb.get_name().to_owned())
            .collect();
        let command = names.iter().fold(command, |command, name| {
            let path = format!("{path} {name}").trim_start().to_owned();
            command.mut_subcommand(name, |verb| add_examples(verb, &path))
        });
        return command.after_long_help(StyledStr::from(exit_codes()));
    }
    let found = EXAMPLES.iter().find(|(verb, _)| *verb == path);
    let examples = found.map(|(_, examples)| format_examples(examples)).unwrap_or_default();
    let long = format!("{examples}\n{}", exit_codes());
    command
        .after_help(StyledStr::from(examples))
        .after_long_help(StyledStr::from(long))
}

fn format_examples(examples: &[Example]) -> String {
    let lines = examples
        .iter()
        .map(|(line, effect)| format!("  {LITERAL}deploy-tool {line}{LITERAL:#}\n      {effect}\n"));
    format!("{HEADING}Examples:{HEADING:#}\n{}", lines.collect::<String>())
}

fn exit_codes() -> String {
    EXIT_CODES.replacen("Exit codes:", &format!("{HEADING}Exit codes:{HEADING:#}"), 1)
}

fn format_groups(command: &Command) -> String {
    let verbs: Vec<&Command> = command.get_subcommands().filter(|verb| !verb.is_hide_set()).collect();
    let width = verbs.iter().map(|verb| verb.get_name().len()).max().unwrap_or(0);
    let line = |verb: &Command| {
        let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
        format!("  {LITERAL}{:width$}{LITERAL:#}  {about}\n", verb.get_name())
    };
    let mut text = String::new();
    for (title, names) in GROUPS {
        let lines: String = names
            .iter()
            .filter_map(|name| verbs.iter().find(|verb| verb.get_name() == *name))
            .map(|verb| line(verb))
            .collect();
        if !lines.is_empty() {
            text.push_str(&format!("{HEADING}{title}:{HEADING:#}\n{lines}\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_is_in_one_group_and_has_examples_that_can_be_typed() {
        let mut leaves = Vec::new();
        fn walk(command: &Command, path: String, leaves: &mut Vec<String>) {
            let below: Vec<&Command> = command
                .get_subcommands()
                .filter(|verb| verb.get_name() != "help")
                .collect();
            if below.is_empty() {
                leaves.push(path);
                return;
            }
            for verb in below {
                walk(
                    verb,
                    format!("{path} {}", verb.get_name()).trim_start().to_owned(),
                    leaves,
                );
            }
        }
        walk(&command(), String::new(), &mut leaves);
        for verb in &leaves {
            let first = verb.split(' ').next().unwrap();
            let groups = GROUPS.iter().filter(|(_, names)| names.contains(&first)).count();
            assert_eq!(groups, 1, "`{first}` belongs into one group of cli/help.rs");
            let examples = EXAMPLES.iter().filter(|(name, _)| name == verb).count();
            assert_eq!(examples, 1, "`{verb}` needs examples in cli/help.rs");
        }
        for (verb, examples) in EXAMPLES {
            assert!(leaves.iter().any(|leaf| leaf == verb), "there is no verb `{verb}`");
            for (line, effect) in *examples {
                assert!(
                    effect.len() <= 74 && line.len() <= 74,
                    "`{line}` does not fit into 80 columns"
                );
                let words = line.split(' ').take_while(|word| !matches!(*word, "|" | ">"));
                let parsed = crate::cli::parse(std::iter::once("deploy-tool").chain(words).map(Into::into));
                assert!(parsed.is_ok() && line.starts_with(verb), "`{line}`: {parsed:?}");
            }
        }
    }
}
