//! A container with an engine in it, in which the tests run commands.

use std::path::Path;
use std::process::Command;

use e2e::Said;

use crate::docker;

/// Gone at the end, also of a failed test.
pub struct Machine(pub String);

impl Machine {
    /// Starts one without a network.
    pub fn start(image: &str) -> Self {
        let options = [
            "--label",
            "deploy-tool.test",
            "--privileged",
            "--network=none",
            "--entrypoint=sleep",
        ];
        let arguments = [
            &["run", "--detach", "--init"] as &[&str],
            &options,
            &[image, "infinity"],
        ]
        .concat();
        Self(docker(&arguments).stdout.trim().to_owned())
    }

    /// What a command prints there.
    pub fn run(&self, command: &str) -> String {
        self.try_run(command).success().stdout
    }

    /// How a command ends that may fail.
    pub fn try_run(&self, command: &str) -> Said {
        let output = Command::new("docker")
            .args(["exec", &self.0, "sh", "-c", command])
            .output();
        Said::from(output.unwrap())
    }

    /// Puts a file there.
    pub fn copy(&self, file: &Path, to: &str) {
        docker(&["cp", file.to_str().unwrap(), &format!("{}:{to}", self.0)]);
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rm", "--force", &self.0]).output();
    }
}
