//! `push` against a real registry, directly with TLS and a password, and through a proxy that fails. They need Docker and
//! the image that `scripts/images tests` makes, so they are ignored unless asked for; `make test` does.
//!
//! By hand: `cargo test -p e2e --test registry -- --ignored`; `TEST_TOOL` names another deploy-tool than the release one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod clients;
mod faults;
mod inspect;
mod logins;
mod provenance;
mod real;
mod release;
mod signatures;
mod tokens;
mod tool_images;

use std::io::Write;
use std::process::Stdio;

use e2e::registry::{Image, PASSWORD, Registry, USER};
use e2e::{CommandOutput, deploy_tool_command};

/// A push that finds no login but those that the test names.
struct Push {
    home: tempfile::TempDir,
    variables: Vec<(&'static str, String)>,
    arguments: Vec<String>,
    password: Option<String>,
}

impl Push {
    fn new(image: &Image, to: &str) -> Self {
        Self::with_arguments(&["push", image.path(), "--to", to])
    }

    /// Any verb.
    fn with_arguments(arguments: &[&str]) -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            variables: Vec::new(),
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
            password: None,
        }
    }

    /// To a registry with TLS, as its user.
    fn with_login(image: &Image, registry: &Registry, name: &str, password: &str) -> Self {
        let mut push =
            Self::new(image, &format!("{}/{name}", registry.address)).with(&["--user", USER, "--password-stdin"]);
        push.password = Some(password.to_owned());
        push.trusting(registry)
    }

    /// Another verb than `push`, as the user of a registry with TLS.
    fn verb(registry: &Registry, arguments: &[&str]) -> CommandOutput {
        let mut verb = Self::with_arguments(arguments).with(&["--user", USER, "--password-stdin"]);
        verb.password = Some(PASSWORD.to_owned());
        verb.trusting(registry).run()
    }

    fn trusting(self, registry: &Registry) -> Self {
        let authority = registry.authority();
        self.with(&["--registry-ca", authority.to_str().unwrap()])
    }

    fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments
            .extend(arguments.iter().map(|argument| (*argument).to_owned()));
        self
    }

    /// Docker's configuration.
    fn configured(self, text: &str) -> Self {
        let folder = self.home.path().join(".docker");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("config.json"), text).unwrap();
        self
    }

    fn run(&self) -> CommandOutput {
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        let mut command = deploy_tool_command(&arguments);
        for name in [
            "REGISTRY_USERNAME",
            "REGISTRY_PASSWORD",
            "DOCKER_CONFIG",
            "REGISTRY_AUTH_FILE",
            "XDG_RUNTIME_DIR",
            "XDG_CONFIG_HOME",
            "REGISTRY_HOST",
            "DOCKER_AUTH_CONFIG",
        ] {
            command.env_remove(name);
        }
        let path = format!("{}:{}", self.home.path().display(), std::env::var("PATH").unwrap());
        command
            .env("HOME", self.home.path())
            .env("PATH", path)
            .envs(self.variables.clone());
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("deploy-tool is built: cargo build --release");
        let mut stdin = child.stdin.take().unwrap();
        // Who needs no password does not read it.
        let _ = stdin.write_all(self.password.as_deref().unwrap_or_default().as_bytes());
        drop(stdin);
        let output = CommandOutput::from(child.wait_with_output().unwrap());
        if let Some(password) = &self.password {
            assert!(
                !format!("{}{}", output.stdout, output.stderr).contains(password),
                "it shows the password"
            );
        }
        output
    }
}
