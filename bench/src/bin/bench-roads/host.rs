//! Edge: a container in which an engine runs, as on a host of its own.

use std::io::{BufRead, BufReader, Write};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bench::process::output;

/// Gone with its value, and everything in it.
#[derive(Debug)]
pub struct Host {
    container: String,
    /// At which this machine reaches it.
    pub address: Ipv4Addr,
}

/// A command there that waits for its start: Docker's own way into the container is no part of what is measured.
#[derive(Debug)]
pub struct Prepared(Child);

impl Host {
    /// Starts it from an image, with options of `docker run`.
    ///
    /// # Errors
    /// When the image is missing, or does not run.
    pub fn start(image: &str, options: &[&str]) -> Result<Self> {
        let label = format!("--label=deploy-tool.test={}", std::process::id());
        let fixed = [
            "run",
            "--detach",
            "--init",
            "--privileged",
            "--pull=never",
            &label,
            "--entrypoint=sleep",
        ];
        let container = output(
            Command::new("docker")
                .args(fixed)
                .args(options)
                .args([image, "infinity"]),
        )?;
        // From here on it is removed, whatever happens.
        let mut host = Self {
            container: container.trim().to_owned(),
            address: Ipv4Addr::UNSPECIFIED,
        };
        let network = "--format={{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
        let address = output(Command::new("docker").args(["inspect", network, &host.container]))?;
        host.address = address.trim().parse().context("the container has no address")?;
        Ok(host)
    }

    /// What a shell there prints.
    ///
    /// # Errors
    /// When it fails.
    pub fn run(&self, script: &str) -> Result<String> {
        output(Command::new("docker").args(["exec", &self.container, "bash", "-euc", script]))
    }

    /// Runs a script until it succeeds.
    ///
    /// # Errors
    /// When it has not within two minutes.
    pub fn await_success(&self, script: &str) -> Result<()> {
        let start = Instant::now();
        while let Err(error) = self.run(script) {
            if start.elapsed() > Duration::from_secs(120) {
                return Err(error);
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    }

    /// Puts a file there.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn copy(&self, file: &Path, to: &str) -> Result<()> {
        let target = format!("{}:{to}", self.container);
        output(Command::new("docker").arg("cp").arg(file).arg(target)).map(drop)
    }

    /// Gives the engine there images of this one; `load` is its command for that.
    ///
    /// # Errors
    /// When they are missing.
    pub fn load_images(&self, images: &[&str], load: &str) -> Result<()> {
        let mut save = Command::new("docker")
            .arg("save")
            .args(images)
            .stdout(Stdio::piped())
            .spawn()?;
        let archive = save.stdout.take().context("docker save has no output")?;
        let mut loading = Command::new("docker");
        loading.args(["exec", "--interactive", &self.container, "sh", "-c", load]);
        output(loading.stdin(archive))?;
        anyhow::ensure!(save.wait()?.success(), "docker save {images:?} failed");
        Ok(())
    }

    /// Brings a script to the point where only its start is missing.
    ///
    /// # Errors
    /// When there is no shell.
    pub fn prepare(&self, script: &str) -> Result<Prepared> {
        let script = format!("echo; read -r; {script}");
        let mut child = Command::new("docker")
            .args(["exec", "--interactive", &self.container, "bash", "-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let printed = child.stdout.take().context("the shell has no output")?;
        BufReader::new(printed).read_line(&mut String::new())?;
        Ok(Prepared(child))
    }
}

impl Prepared {
    /// Starts it, and returns when that was.
    ///
    /// # Errors
    /// When the shell has ended.
    pub fn start(&mut self) -> Result<Instant> {
        let input = self.0.stdin.as_mut().context("the shell has no input")?;
        let start = Instant::now();
        input.write_all(b"\n")?;
        Ok(start)
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// When that cannot be known.
    pub fn wait(mut self) -> Result<()> {
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // There is nobody left to tell.
        let _ = Command::new("docker")
            .args(["rm", "--force", "--volumes", &self.container])
            .output();
    }
}
