//! A container with an engine in it, in which the tests run commands.

use std::path::Path;
use std::process::Command;

use crate::{CommandOutput, container_label, eventually};

/// Gone at the end, also of a failed test.
pub struct Machine(pub String);

impl Machine {
    /// Starts one without a network.
    pub fn start(image: &str) -> Self {
        Self::start_with(image, &["--network=none"])
    }

    /// Starts one with options of `docker run`.
    pub fn start_with(image: &str, options: &[&str]) -> Self {
        let label = container_label();
        let fixed = [
            "run",
            "--detach",
            "--init",
            &label,
            "--privileged",
            "--entrypoint=sleep",
        ];
        let arguments = [fixed.as_slice(), options, &[image, "infinity"]].concat();
        Self(docker(&arguments).trim().to_owned())
    }

    /// Starts one with the image's systemd, as kind does, and waits until that has started its units. In the host's
    /// namespace of cgroups, systemd would mount controllers that the host has not, and what is made there stays.
    pub fn booted(image: &str) -> Self {
        let label = container_label();
        let options = [
            "run",
            "--detach",
            label.as_str(),
            "--privileged",
            "--cgroupns=private",
            "--network=none",
            "--tmpfs=/run",
            "--tmpfs=/tmp",
            "--volume=/var",
            "--security-opt=seccomp=unconfined",
            image,
        ];
        let machine = Self(docker(&options).trim().to_owned());
        eventually("systemd has started its units", || {
            let output = machine.try_run("systemctl is-system-running");
            matches!(output.stdout.trim(), "running" | "degraded").then_some(())
        });
        machine
    }

    /// What a command prints there.
    pub fn run(&self, command: &str) -> String {
        self.try_run(command).success().stdout
    }

    /// How a command ends that may fail.
    pub fn try_run(&self, command: &str) -> CommandOutput {
        let output = Command::new("docker")
            .args(["exec", &self.0, "sh", "-c", command])
            .output();
        CommandOutput::from(output.unwrap())
    }

    /// Puts a file there.
    pub fn copy(&self, file: &Path, to: &str) {
        docker(&["cp", file.to_str().unwrap(), &format!("{}:{to}", self.0)]);
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = Command::new("docker")
            .args(["rm", "--force", "--volumes", &self.0])
            .output();
    }
}

fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output();
    CommandOutput::from(output.unwrap()).success().stdout
}
