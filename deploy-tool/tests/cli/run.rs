//! Runs of the tool as a process.

use std::path::Path;
use std::process::Command;

/// A run in a home of its own: no kubeconfig, no Docker engine, an empty cache.
pub struct Run {
    pub home: tempfile::TempDir,
}

pub struct CommandOutput {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    pub fn new() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
        }
    }

    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.home.path().join(name)
    }

    /// Writes a file into the home and gives its path.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deploy-tool"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.home.path())
            .env("DEPLOY_TOOL_CACHE", self.path("cache"))
            .env("DOCKER_HOST", "unix:///nowhere/docker.sock")
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> CommandOutput {
        output_of(&mut self.command(arguments))
    }

    /// A kubeconfig with one context.
    pub fn kubeconfig(&self, context: &str, server: &str) {
        let text = format!(
            "apiVersion: v1\nkind: Config\nclusters: [{{name: c, cluster: {{server: '{server}'}}}}]\n\
             users: [{{name: u, user: {{token: t}}}}]\n\
             contexts: [{{name: {context}, context: {{cluster: c, user: u}}}}]\ncurrent-context: {context}\n"
        );
        self.file(".kube/config", &text);
    }
}

pub fn output_of(command: &mut Command) -> CommandOutput {
    let output = command.output().unwrap();
    CommandOutput {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl CommandOutput {
    #[track_caller]
    pub fn fails(self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, code, "{}", self.stderr);
        for part in parts {
            assert!(self.stderr.contains(part), "`{part}` is missing in:\n{}", self.stderr);
        }
        assert_eq!(self.stdout, "", "talk goes to the standard error");
        assert!(
            !self.stderr.contains('\u{1b}'),
            "colour without a terminal: {:?}",
            self.stderr
        );
    }
}
