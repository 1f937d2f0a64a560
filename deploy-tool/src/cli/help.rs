//! The help texts that clap does not make from the structures: the first screen by purpose, and examples for every verb.

use anstyle::{Effects, Style};
use clap::builder::StyledStr;
use clap::{Command, CommandFactory};

use super::Cli;
use diagnostics::EXIT_CODES;

const HEADING: Style = Style::new().effects(Effects::BOLD.insert(Effects::UNDERLINE));
const LITERAL: Style = Style::new().effects(Effects::BOLD);

/// The verbs by what somebody wants to do.
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

/// A command line, and what it does.
pub type Example = (&'static str, &'static str);

/// Examples of every verb. Tests parse each of them.
pub const EXAMPLES: &[(&str, &[Example])] = &[
    (
        "up",
        &[
            (
                "up",
                "build what has changed, apply manifests/, wait until all is ready",
            ),
            (
                "up --dev",
                "within seconds of a change: interpreted, until the next `up`",
            ),
            (
                "up -f shop/ -n shop --context production",
                "a folder of any manifests, on any cluster",
            ),
            (
                "up --registry docker.io/you --context production",
                "images go through a registry, nodes get the login",
            ),
            (
                "up --require-signature public.pem --allow-unsigned 'docker.io/library/*'",
                "only images that the holder of the key has signed",
            ),
        ],
    ),
    (
        "new",
        &[
            ("new greeter", "a folder greeter with everything that `up` needs"),
            (
                "new shop --database mariadb",
                "with a MariaDB, a pool of connections and migrations",
            ),
            ("new services/shop --vcs none", "elsewhere, without a repository"),
        ],
    ),
    (
        "init",
        &[
            ("init", "look at the crate of this folder, add what it lacks"),
            (
                "init services/shop --write",
                "elsewhere, and change its dependencies as shown",
            ),
        ],
    ),
    (
        "dev",
        &[
            ("dev", "what is saved is served within seconds, until Ctrl-C"),
            (
                "dev --port 8081 --remove",
                "at a port of your own; take everything away in the end",
            ),
        ],
    ),
    (
        "plan",
        &[
            ("plan", "what `up` would change"),
            (
                "plan --no-build --exit-code",
                "for a script: 10 when there is something to do",
            ),
            (
                "plan --save plan.json",
                "keep it, to be applied exactly: apply --plan plan.json",
            ),
        ],
    ),
    (
        "apply",
        &[
            ("apply -f shop/", "plain manifests, nothing to build"),
            (
                "apply --rollback-on-failure",
                "what ran before comes back when it fails",
            ),
        ],
    ),
    (
        "rollback",
        &[
            ("rollback", "the last revision that came up before the newest"),
            ("rollback 3", "revision 3, manifests and images, as a new revision"),
        ],
    ),
    (
        "history",
        &[
            ("history", "what was deployed when, and how it ended"),
            ("history 3", "the objects of revision 3"),
        ],
    ),
    (
        "build",
        &[
            ("build", "the image of oci/app, packed and named by its digest"),
            ("build events --output json", "another image; its parts for a program"),
        ],
    ),
    (
        "bundle",
        &[
            (
                "bundle localhost/orders:sha256-5b19… orders",
                "what `build` has printed; then: crun run --bundle orders orders",
            ),
            (
                "bundle image.tar orders --rootless --env LOG=debug",
                "for this user without root; `--env LOG` takes the value it has here",
            ),
            (
                "bundle docker.io/library/debian:13 shell -- sh -c id",
                "any image of a registry, with a command of one's own",
            ),
        ],
    ),
    (
        "docker install",
        &[
            ("docker install", "as root; then: docker compose up"),
            (
                "docker install --crun /usr/bin/crun",
                "the distribution's crun, if it has WasmEdge",
            ),
        ],
    ),
    (
        "docker remove",
        &[("docker remove", "as root; the engine's configuration is what it was")],
    ),
    (
        "docker status",
        &[("docker status --output json", "what is installed, for a program")],
    ),
    (
        "inspect",
        &[
            ("inspect app.wasm", "what the module imports, and whether it would run"),
            ("inspect image.tar --output json", "an image, for a program"),
            (
                "inspect docker.io/you/orders:1.2.3",
                "an image in a registry, and what is attached to it",
            ),
        ],
    ),
    (
        "sign",
        &[(
            "sign docker.io/you/orders@sha256:5b19… --key private.pem",
            "what `push` has printed",
        )],
    ),
    (
        "verify",
        &[
            (
                "verify docker.io/you/orders:1.2.3 --key public.pem",
                "prints the digest that is signed",
            ),
            (
                "verify x.io/orders:1 --key public.pem --builder 'https://ci.x.io/*'",
                "also refuses what was built elsewhere",
            ),
        ],
    ),
    (
        "push",
        &[
            (
                "push --to docker.io/you/orders",
                "build it, push it, tag it as `git describe` does",
            ),
            (
                "push image.tar --to x.io/orders:1.2.3 --user me --password-stdin",
                "an image that is built, with the password piped in",
            ),
        ],
    ),
    (
        "down",
        &[
            ("down", "delete what `up` created, keep volumes and passwords"),
            ("down --delete-data", "delete those and the namespace, too"),
        ],
    ),
    (
        "status",
        &[
            ("status", "what runs in the namespace of the manifests"),
            ("status -n shop --output json", "the same for a program"),
        ],
    ),
    (
        "logs",
        &[
            ("logs -f app", "all pods of a workload, across restarts and rollouts"),
            (
                "logs --since 5m --output json",
                "all pods of the namespace, for a program",
            ),
        ],
    ),
    (
        "open",
        &[
            ("open", "the service, at a free port of this host"),
            ("open mariadb --port 3307", "any TCP port, for a client of its own"),
        ],
    ),
    (
        "doctor",
        &[
            ("doctor", "every link to a guest that runs, on every node for Wasm"),
            ("doctor --node worker-1 --output json", "one node, for a program"),
        ],
    ),
    (
        "scale",
        &[
            ("scale 3", "three replicas, unless the database has too few connections"),
            ("scale app=5 events=2", "several at once"),
            (
                "scale app=5 --autoscaler",
                "where an autoscaler has the number: raise its bounds to it",
            ),
        ],
    ),
    (
        "restart",
        &[
            ("restart app", "new pods, one after the other"),
            ("restart", "all workloads of the namespace"),
        ],
    ),
    (
        "cluster up",
        &[
            ("cluster up", "a kind cluster whose nodes can run Wasm"),
            (
                "cluster up --name mine --http-port 9090",
                "another one, beside the first",
            ),
            (
                "cluster up --registry registry",
                "its nodes pull from the registry in this container",
            ),
        ],
    ),
    (
        "cluster down",
        &[(
            "cluster down",
            "delete it with everything in it; images and caches stay",
        )],
    ),
    (
        "images",
        &[
            ("images", "what builds and local clusters need, while there is time"),
            ("images --output json", "the same for a program, as events"),
        ],
    ),
    (
        "node install",
        &[
            (
                "node install worker-1 --context kind-dev",
                "one node; the pods that run there go on",
            ),
            (
                "node install --selector pool=wasm --drain",
                "all nodes of a pool, each without its pods meanwhile",
            ),
        ],
    ),
    (
        "node remove",
        &[("node remove worker-1 --drain", "its Wasm pods go to other nodes first")],
    ),
    (
        "node status",
        &[
            ("node status", "all nodes that have the engine"),
            ("node status worker-1 --output json", "one node, for a program"),
        ],
    ),
    (
        "explain",
        &[
            ("explain DT0201", "what an error means, and what to do about it"),
            ("explain", "all numbers there are"),
        ],
    ),
    (
        "version",
        &[("version --output json", "for a program that needs a certain version")],
    ),
    (
        "completion",
        &[(
            "completion bash > ~/.local/share/bash-completion/completions/deploy-tool",
            "from the next shell on, the Tab key knows verbs and options",
        )],
    ),
    (
        "man",
        &[
            (
                "man ~/.local/share/man/man1",
                "a page for every verb: man deploy-tool-up",
            ),
            ("man | man -l -", "read the first page at once"),
        ],
    ),
];

/// The command line with its help, as it is parsed and documented.
pub fn command() -> Command {
    // To `logs`, -f is --follow, as everywhere; the manifests say no more to it than the namespace.
    let command = Cli::command().mut_subcommand("logs", |logs| {
        logs.mut_arg("manifests", |manifests| manifests.short(None))
    });
    let mut command = documented(command, "");
    command.build();
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{}{HEADING}Global options:{HEADING:#}\n{{options}}{{after-help}}",
        first_screen(&command)
    );
    command.help_template(StyledStr::from(template))
}

/// Adds examples and exit codes to a verb, or to the verbs below it.
fn documented(command: Command, path: &str) -> Command {
    if command.has_subcommands() {
        let names: Vec<String> = command
            .get_subcommands()
            .map(|verb| verb.get_name().to_owned())
            .collect();
        let command = names.iter().fold(command, |command, name| {
            let path = format!("{path} {name}").trim_start().to_owned();
            command.mut_subcommand(name, |verb| documented(verb, &path))
        });
        return command.after_long_help(StyledStr::from(exit_codes()));
    }
    let found = EXAMPLES.iter().find(|(verb, _)| *verb == path);
    let examples = found.map(|(_, examples)| shown(examples)).unwrap_or_default();
    let long = format!("{examples}\n{}", exit_codes());
    command
        .after_help(StyledStr::from(examples))
        .after_long_help(StyledStr::from(long))
}

fn shown(examples: &[Example]) -> String {
    let lines = examples
        .iter()
        .map(|(line, what)| format!("  {LITERAL}deploy-tool {line}{LITERAL:#}\n      {what}\n"));
    format!("{HEADING}Examples:{HEADING:#}\n{}", lines.collect::<String>())
}

fn exit_codes() -> String {
    EXIT_CODES.replacen("Exit codes:", &format!("{HEADING}Exit codes:{HEADING:#}"), 1)
}

fn first_screen(command: &Command) -> String {
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
            for (line, what) in *examples {
                assert!(
                    what.len() <= 74 && line.len() <= 74,
                    "`{line}` does not fit into 80 columns"
                );
                let words = line.split(' ').take_while(|word| !matches!(*word, "|" | ">"));
                let parsed = crate::cli::parse(std::iter::once("deploy-tool").chain(words).map(Into::into));
                assert!(parsed.is_ok() && line.starts_with(verb), "`{line}`: {parsed:?}");
            }
        }
    }
}
