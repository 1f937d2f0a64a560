//! Pure: what a person would type.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::client::Client;
use crate::registry::Registry;
use crate::results::Case;

/// Of all that Docker builds here.
pub const LABEL: &str = "deploy-tool.bench=image";

/// Where they are, and what they work on.
#[derive(Debug)]
pub struct Programs {
    /// deploy-tool.
    pub deploy_tool: PathBuf,
    /// crane.
    pub crane: PathBuf,
    /// What they build and push.
    pub folder: PathBuf,
}

impl Programs {
    /// The folder of the service.
    pub fn service(&self) -> PathBuf {
        self.folder.join("service")
    }

    /// The folder of an image of so many millions of bytes.
    pub fn layout(&self, megabytes: u32) -> PathBuf {
        self.folder.join(megabytes.to_string())
    }

    /// The commands with which a client does what a case is about.
    pub fn commands(&self, client: Client, case: Case, registry: &Registry) -> Vec<Command> {
        let to = self.image(client, case, registry);
        let with_login = |program: &Path, arguments: &[&str]| {
            let mut command = Command::new(program);
            command.args(arguments).env("DOCKER_CONFIG", registry.configuration());
            command
        };
        let docker = Path::new("docker");
        match client {
            Client::Docker => {
                let mut build = with_login(docker, &["build", "--quiet", "--tag", &to]);
                build.arg(self.service());
                vec![build, with_login(docker, &["push", "--quiet", &to])]
            }
            Client::Crane => {
                let mut push = with_login(&self.crane, &["push"]);
                push.env("SSL_CERT_FILE", registry.authority());
                push.args(case.size().map(|size| self.layout(size))).arg(&to);
                vec![push]
            }
            Client::DeployTool => {
                let mut push = with_login(&self.deploy_tool, &["push"]);
                match case {
                    // From its sources, all of which are looked at.
                    Case::Unchanged => push.arg("app"),
                    Case::Changed => push.args(["app", "--module"]).arg(self.service().join("app.wasm")),
                    Case::Push(size) => push.arg(self.layout(size)),
                };
                push.args(["--to", &to, "--registry-ca"]).arg(registry.authority());
                vec![push]
            }
        }
    }

    /// A repository for each client and image: what one has pushed spares the other no work.
    fn image(&self, client: Client, case: Case, registry: &Registry) -> String {
        let image = match case {
            Case::Push(size) => format!("random-{size}"),
            _ => "service".to_owned(),
        };
        format!("{}/{}/{image}:v1", registry.address, client.name())
    }
}

/// Takes away the images that Docker's engine has kept.
pub fn remove_images() -> Command {
    let mut command = Command::new("docker");
    command.args(["image", "prune", "--all", "--force", "--filter"]);
    command.arg(format!("label={LABEL}"));
    command
}
