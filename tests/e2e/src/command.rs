//! The tool, the scripts and Cargo as a user would call them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::{CommandOutput, context, repository, time_limit};

fn tool() -> PathBuf {
    std::env::var_os("TEST_TOOL").map_or_else(|| repository().join("target/release/deploy-tool"), PathBuf::from)
}

fn from_checkout(program: PathBuf) -> Command {
    let mut command = Command::new(program);
    command.current_dir(repository()).env("NO_COLOR", "1");
    command
}

/// The tool as a user would call it, from the checkout.
pub fn deploy_tool_command(arguments: &[&str]) -> Command {
    let mut command = from_checkout(tool());
    command.args(arguments);
    command
}

/// The benchmark of pods, which is built beside the tool.
pub fn bench_command() -> Command {
    from_checkout(tool().with_file_name("bench-pods"))
}

/// A script of this project.
pub fn script(path: &str) -> Command {
    without_cargo_variables(Command::new(repository().join(path)))
}

/// Cargo in this project.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = without_cargo_variables(Command::new("cargo"));
    command.args(arguments).current_dir(repository());
    command
}

/// Hides what Cargo tells the tests of themselves: the build script of ring looks at that, and everything would be
/// compiled again.
fn without_cargo_variables(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
    command
}

/// Runs the tool against the cluster under test.
pub fn deploy_tool(arguments: &[&str]) -> CommandOutput {
    let context = context();
    let mut all = arguments.to_vec();
    all.extend(["--context", &context]);
    CommandOutput::from(
        deploy_tool_command(&all)
            .output()
            .expect("deploy-tool is built: cargo build --release"),
    )
}

/// Runs the tool with exactly these arguments.
pub fn deploy_tool_exactly(arguments: &[&str]) -> CommandOutput {
    CommandOutput::from(
        deploy_tool_command(arguments)
            .output()
            .expect("deploy-tool is built: cargo build --release"),
    )
}

/// What a run of `build --output json` says of what it has built.
#[track_caller]
pub fn built(mut command: Command) -> Value {
    let events = CommandOutput::from(command.output().unwrap()).success().stdout;
    let result: Value = serde_json::from_str(events.lines().last().unwrap()).unwrap();
    result["data"].clone()
}

/// Copies the files that git knows to another folder, symbolic links as such.
pub fn copy_sources(folder: &Path) {
    let listed = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(repository())
        .output();
    let listed = CommandOutput::from(listed.unwrap()).success().stdout;
    for file in listed.split_terminator('\0') {
        let (source, target) = (repository().join(file), folder.join(file));
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        match fs::read_link(&source) {
            Ok(link) => symlink(link, target).unwrap(),
            Err(_) => drop(fs::copy(source, target).unwrap()),
        }
    }
}

/// For `--timeout` of runs that are to end before: later than any test waits.
pub fn tool_timeout() -> String {
    format!("{}s", 2 * time_limit().as_secs())
}
