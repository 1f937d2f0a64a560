//! Edge: a registry in a container.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use bench::process::output;
use serde_json::json;

const USER: &str = "bench";
const PASSWORD: &str = "on-loopback-only";
/// The two for basic authentication, in base64.
const LOGIN: &str = "YmVuY2g6b24tbG9vcGJhY2stb25seQ==";

/// A running registry with TLS and a password; it ends with its value.
#[derive(Debug)]
pub struct Registry {
    container: String,
    folder: tempfile::TempDir,
    /// Host and port.
    pub address: String,
}

impl Registry {
    /// Starts one of this image, and waits until it listens.
    pub fn start(image: &str) -> Result<Self> {
        let mut run = Command::new("docker");
        run.args([
            "run",
            "--detach",
            "--rm",
            "--label=deploy-tool.bench=registry",
            "--publish=127.0.0.1::5000",
        ]);
        // Docker's engine trusts what is on loopback; for the others it has a certificate of its own authority.
        run.args([
            "--tmpfs=/data",
            &format!("--env=REGISTRY_USER={USER}"),
            &format!("--env=REGISTRY_PASSWORD={PASSWORD}"),
        ]);
        let mut registry = Self {
            container: output(run.arg(image))?.trim().to_owned(),
            folder: tempfile::tempdir()?,
            address: String::new(),
        };
        registry.listening()?;
        let docker = |arguments: &[&str]| output(Command::new("docker").args(arguments));
        let ports = docker(&["port", &registry.container, "5000/tcp"])?;
        registry.address = ports.lines().next().context("the registry has no port")?.to_owned();
        std::fs::write(
            registry.authority(),
            docker(&["exec", &registry.container, "cat", "/tls/ca.crt"])?,
        )?;
        let login = json!({"auths": {&registry.address: {"auth": LOGIN}}});
        std::fs::write(registry.configuration().join("config.json"), login.to_string())?;
        Ok(registry)
    }

    fn listening(&self) -> Result<()> {
        let mut logs = Command::new("docker")
            .args(["logs", "--follow", &self.container])
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()?;
        let lines = logs
            .stderr
            .take()
            .map(BufReader::new)
            .context("no log of the registry")?
            .lines();
        let mut said = String::new();
        let mut listens = false;
        for line in lines {
            let line = line?;
            listens = line.contains("listening on");
            if listens {
                break;
            }
            said.push_str(&line);
        }
        // It has ended already where the registry has.
        let _ = logs.kill();
        logs.wait()?;
        if !listens {
            bail!("the registry has ended: {said}");
        }
        Ok(())
    }

    /// The file of the authority that signed its certificate.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    /// A folder with the configuration of a Docker client that is logged in.
    pub fn configuration(&self) -> PathBuf {
        self.folder.path().to_owned()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        if let Err(error) = output(Command::new("docker").args(["rm", "--force", "--volumes", &self.container])) {
            eprintln!("the registry is left: {error}");
        }
    }
}
