//! A real registry in a container, with TLS and a password, and a proxy in front of one that fails when told to.

mod gate;
mod image;
mod keys;
pub mod proxy;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

pub use gate::{Gate, Known};
pub use image::Image;
pub use keys::Keys;

use crate::{CommandOutput, container_label, eventually};

/// Made by `scripts/images tests`: the registry, and clients that are not ours.
const IMAGE: &str = "localhost/wasm-registry:trixie";
/// Who may push to it.
pub const USER: &str = "ann";
/// With this password.
pub const PASSWORD: &str = "correct-horse";

/// A running registry; it ends with its value.
pub struct Registry {
    container: String,
    folder: tempfile::TempDir,
    /// Host and port, reached from this host, and from nodes where it is on their network.
    pub address: String,
}

impl Registry {
    /// One with TLS and a password, on loopback.
    pub fn start() -> Self {
        let password = format!("REGISTRY_PASSWORD={PASSWORD}");
        let user = format!("REGISTRY_USER={USER}");
        let registry = Self::run(&["--publish=127.0.0.1::5000", "--env", &user, "--env", &password]);
        registry.at(|container| docker(&["port", container, "5000/tcp"]).success().stdout)
    }

    /// The same in a container of this name.
    pub fn start_named(name: &str) -> Self {
        let password = format!("REGISTRY_PASSWORD={PASSWORD}");
        let user = format!("REGISTRY_USER={USER}");
        let names = ["--name", name, "--hostname", name];
        let settings = ["--publish=127.0.0.1::5000", "--env", &user, "--env", &password];
        Self::run(&[names.as_slice(), &settings].concat())
            .at(|container| docker(&["port", container, "5000/tcp"]).success().stdout)
    }

    /// The same on the network of kind's nodes, where nodes and this host reach it by its address.
    pub fn start_beside_nodes() -> Self {
        let password = format!("REGISTRY_PASSWORD={PASSWORD}");
        let user = format!("REGISTRY_USER={USER}");
        let registry = Self::run(&["--network=kind", "--env", &user, "--env", &password]);
        registry.at(|container| {
            let format = "{{.NetworkSettings.Networks.kind.IPAddress}}:5000";
            docker(&["inspect", "--format", format, container]).success().stdout
        })
    }

    /// One without TLS and password, for a proxy to stand in front of. `settings` are environment variables.
    pub fn start_plain(settings: &[&str]) -> Self {
        let mut arguments = vec!["--publish=127.0.0.1::5000", "--env", "REGISTRY_PLAIN=1"];
        settings.iter().for_each(|setting| arguments.extend(["--env", setting]));
        Self::run(&arguments).at(|container| docker(&["port", container, "5000/tcp"]).success().stdout)
    }

    fn run(arguments: &[&str]) -> Self {
        let label = container_label();
        let mut all = vec!["run", "--detach", &label];
        all.extend(arguments);
        all.push(IMAGE);
        Self {
            container: docker(&all).success().stdout.trim().to_owned(),
            folder: tempfile::tempdir().unwrap(),
            address: String::new(),
        }
    }

    /// Waits until it listens.
    fn at(mut self, address: impl Fn(&str) -> String) -> Self {
        let container = self.container.clone();
        eventually("the registry listens", || {
            let output = docker(&["logs", &container]);
            output.stderr.contains("listening on").then_some(())
        });
        self.address = address(&container).lines().next().unwrap().trim().to_owned();
        let authority = docker(&["exec", &container, "sh", "-c", "cat /tls/ca.crt || true"]);
        std::fs::write(self.authority(), authority.stdout).unwrap();
        self
    }

    /// The file of the authority that signed its certificate.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    /// Lets a node of kind trust it, as docs/registries.md says.
    pub fn trusted_by(&self, node: &str) {
        let address = &self.address;
        let script = format!(
            r#"set -e
            folder=/etc/containerd/certs.d/{address}
            mkdir -p "$folder"
            cat >"$folder/ca.crt"
            printf 'server = "https://%s"\n[host."https://%s"]\nca = "%s/ca.crt"\n' {address} {address} "$folder" >"$folder/hosts.toml""#
        );
        let mut child = Command::new("docker")
            .args(["exec", "--interactive", node, "timeout", "60", "bash", "-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let authority = std::fs::read(self.authority()).unwrap();
        child.stdin.take().unwrap().write_all(&authority).unwrap();
        CommandOutput::from(child.wait_with_output().unwrap()).success();
    }

    /// Runs a program beside the registry, which is `localhost:5000` there.
    pub fn exec(&self, arguments: &[&str]) -> CommandOutput {
        docker(&[&["exec", self.container.as_str()], arguments].concat())
    }

    /// Everything that the registry has written into its log.
    pub fn log(&self) -> String {
        let output = docker(&["logs", &self.container]);
        output.stdout + output.stderr.as_str()
    }

    /// Changes the password.
    pub fn set_password(&self, password: &str) {
        let script = format!("htpasswd -Bbn -C 5 {USER} '{password}' > /keys/htpasswd");
        self.exec(&["sh", "-c", &script]).success();
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the registry's log:\n{}", self.log());
        }
        docker(&["rm", "--force", "--volumes", &self.container]);
    }
}

fn docker(arguments: &[&str]) -> CommandOutput {
    CommandOutput::from(
        Command::new("docker")
            .args(arguments)
            .output()
            .expect("docker is there"),
    )
}
