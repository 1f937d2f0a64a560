//! Edge: the Docker engine of this host: its process, its configuration, its runtimes, its containers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use serde_json::Value;

use super::{configuration, record};
use diagnostics::{Error, Result};
use host::{docker, process};

const PROCESS: &str = "/var/run/docker.pid";
const CONFIGURATION: &str = "/etc/docker/daemon.json";
/// How long the engine may take to read its configuration again.
const LIMIT: Duration = Duration::from_secs(20);

/// A module that returns at once: whatever is not WasmEdge cannot run it.
/// `(module (memory (export "memory") 1) (func (export "_start")))`
const MODULE: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x05\x03\x01\0\x01\x07\x13\x02\x06memory\x02\0\x06_start\0\0\x0a\x04\x01\x02\0\x0b";

/// The engine.
#[derive(Debug)]
pub struct Engine {
    /// Such as 28.5.1.
    pub version: String,
    /// Its configuration.
    pub configuration: PathBuf,
    /// The names of its runtimes.
    pub runtimes: BTreeSet<String>,
    pid: Pid,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Info {
    server_version: Option<String>,
    // All of them are null where the engine does not answer.
    runtimes: Option<BTreeMap<String, Value>>,
    security_options: Option<Vec<String>>,
    server_errors: Option<Vec<String>>,
}

impl Info {
    fn runtimes(self) -> BTreeSet<String> {
        self.runtimes.unwrap_or_default().into_keys().collect()
    }
}

async fn info() -> Result<Info> {
    let text = docker::run("cannot ask the Docker engine", ["info", "--format", "{{json .}}"]).await?;
    let info: Info = serde_json::from_str(&text)
        .map_err(|error| Error::prerequisite("cannot understand what `docker info` says").cause(error))?;
    match info.server_errors.as_ref().and_then(|errors| errors.first()) {
        Some(error) => Err(docker::explain("cannot ask the Docker engine", error)),
        None => Ok(info),
    }
}

impl Engine {
    /// Finds it.
    ///
    /// # Errors
    /// When it does not answer, is on another host or another user's, or is started in a way that leaves no room for runtimes.
    pub async fn find() -> Result<Self> {
        let info = info().await?;
        if info
            .security_options
            .iter()
            .flatten()
            .any(|option| option.contains("rootless"))
        {
            return Err(Error::prerequisite(
                "this Docker engine runs without root, and its runtimes are not changed here",
            )
            .hint(
                "add `\"runtimes\": {\"crun\": {\"path\": \"/usr/bin/crun\"}}` to ~/.config/docker/daemon.json, and start it again",
            ));
        }
        let Some((pid, arguments)) = running() else {
            return Err(Error::prerequisite("the Docker engine is not on this host")
                .cause(format!(
                    "`{PROCESS}` names no process `dockerd`; it may be in another machine, as with Docker Desktop"
                ))
                .hint("run this on the host of the engine"));
        };
        let configuration = configuration_file(&arguments)?;
        Ok(Self {
            version: info.server_version.clone().unwrap_or_default(),
            configuration,
            runtimes: info.runtimes(),
            pid,
        })
    }

    /// Checks that its configuration has the same path as at the installation.
    ///
    /// # Errors
    /// When not: the record is about another file.
    pub fn check_configuration_path(&self, configuration: &Path) -> Result<()> {
        if self.configuration == configuration {
            return Ok(());
        }
        let (now, then) = (self.configuration.display(), configuration.display());
        Err(
            Error::prerequisite("the Docker engine has another configuration than when the runtimes were installed")
                .cause(format!("`{now}`, and it was `{then}`"))
                .hint(format!(
                    "start it with `{then}`, run `deploy-tool docker remove`, and go on from there"
                )),
        )
    }

    /// Reloads the configuration (SIGHUP), and waits until the runtimes are the expected ones. Containers keep running.
    ///
    /// # Errors
    /// When the engine does not load the configuration.
    pub async fn reload(&self, are_right: impl Fn(&BTreeSet<String>) -> bool) -> Result<()> {
        kill_process(self.pid, Signal::HUP).map_err(|error| {
            Error::prerequisite("cannot tell the Docker engine to read its configuration again").cause(error)
        })?;
        let deadline = tokio::time::Instant::now() + LIMIT;
        loop {
            let runtimes = info().await?.runtimes();
            if are_right(&runtimes) {
                return Ok(());
            }
            if tokio::time::Instant::now() > deadline {
                return Err(
                    Error::prerequisite("the Docker engine does not take its new configuration")
                        .cause(format!(
                            "{} s after SIGHUP it has other runtimes than `{}` says",
                            LIMIT.as_secs(),
                            self.configuration.display()
                        ))
                        .hint("its log says why: `journalctl --unit docker`"),
                );
            }
            // The engine does not report when it has reloaded.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Gives it a configuration that it had before, or one with less, and waits until its runtimes are as they shall be.
    ///
    /// # Errors
    /// When it cannot be written, or the engine does not take it.
    pub async fn restore_configuration(
        &self,
        text: Option<&str>,
        are_right: impl Fn(&BTreeSet<String>) -> bool,
    ) -> Result<()> {
        // The engine itself reports an invalid file in its log.
        let document = configuration::parse(text.unwrap_or_default()).ok();
        if let Some(emptied) = document.and_then(configuration::with_empty_runtimes) {
            record::replace(&self.configuration, &configuration::text(&emptied), 0o644)?;
            self.reload(are_right).await?;
            return record::restore(&self.configuration, text);
        }
        record::restore(&self.configuration, text)?;
        self.reload(are_right).await
    }
}

fn running() -> Option<(Pid, Vec<String>)> {
    let number: i32 = std::fs::read_to_string(PROCESS).ok()?.trim().parse().ok()?;
    let name = std::fs::read_to_string(format!("/proc/{number}/comm")).ok()?;
    let line = std::fs::read(format!("/proc/{number}/cmdline")).ok()?;
    let arguments = line
        .split(|byte| *byte == 0)
        .map(|word| String::from_utf8_lossy(word).into_owned());
    (name.trim() == "dockerd").then(|| Some((Pid::from_raw(number)?, arguments.collect())))?
}

/// The path of the configuration of an engine with these arguments.
fn configuration_file(arguments: &[String]) -> Result<PathBuf> {
    let is = |argument: &str, name: &str| argument.trim_start_matches('-').split('=').next() == Some(name);
    if let Some(argument) = arguments.iter().find(|argument| is(argument, "add-runtime")) {
        return Err(
            Error::prerequisite("this Docker engine cannot be given another runtime by its configuration")
                .cause(format!(
                    "it was started with `{argument}`, beside which no `runtimes` may stand in daemon.json"
                ))
                .hint("move that runtime into daemon.json, and start the engine again"),
        );
    }
    let Some(at) = arguments.iter().position(|argument| is(argument, "config-file")) else {
        return Ok(CONFIGURATION.into());
    };
    let joined = arguments[at].split_once('=').map(|(_, path)| path.to_owned());
    let path = joined.or_else(|| arguments.get(at + 1).cloned()).unwrap_or_default();
    Ok(path.into())
}

/// Validates a configuration with `dockerd --validate`, which engines before 23 do not have.
///
/// # Errors
/// When it is invalid.
pub async fn validate(path: &Path) -> Result<()> {
    let file = path.display().to_string();
    let Ok(output) = process::capture(process::command("dockerd", ["--validate", "--config-file", &file])).await else {
        return Ok(());
    };
    if output.success || output.stderr.contains("unknown flag") {
        Ok(())
    } else {
        Err(Error::prerequisite("the Docker engine would not take the new configuration").cause(output.stderr.trim()))
    }
}

/// The names of the containers, also of those that are stopped, that need one of these runtimes.
///
/// # Errors
/// When the engine cannot be asked.
pub async fn containers(runtimes: &BTreeSet<&str>) -> Result<Vec<String>> {
    let message = "cannot list the containers";
    let ids = docker::run(message, ["ps", "--all", "--quiet", "--no-trunc"]).await?;
    if ids.trim().is_empty() {
        return Ok(Vec::new());
    }
    let arguments = ["inspect", "--format", "{{.HostConfig.Runtime}} {{.Name}}"]
        .into_iter()
        .chain(ids.split_whitespace());
    let listed = docker::run(message, arguments).await?;
    let pairs = listed.lines().filter_map(|line| line.split_once(' '));
    Ok(pairs
        .filter(|(runtime, _)| runtimes.contains(runtime))
        .map(|(_, name)| name.trim_start_matches('/').to_owned())
        .collect())
}

/// Runs a module by a runtime.
///
/// # Errors
/// When it does not end well.
pub async fn probe(runtime: &str) -> Result<()> {
    let folder = tempfile::tempdir().map_err(|error| Error::file("cannot make a folder", &error))?;
    let archive = folder.path().join("probe.tar");
    let image = format!("localhost/wasm-probe:{}", std::process::id());
    std::fs::write(&archive, tar(MODULE)).map_err(|error| Error::file("cannot write the probe", &error))?;
    let file = archive.display().to_string();
    let message = "cannot make the image of the probe";
    docker::run(
        message,
        ["import", "--change", r#"ENTRYPOINT ["/probe.wasm"]"#, &file, &image],
    )
    .await?;
    let ran = docker::run(
        &format!("a module does not run under the runtime `{runtime}`"),
        [
            "run",
            "--rm",
            "--pull=never",
            "--network=none",
            "--runtime",
            runtime,
            &image,
        ],
    )
    .await;
    docker::run(
        "cannot remove the image of the probe",
        ["image", "rm", "--force", &image],
    )
    .await?;
    ran.map(drop)
}

/// A tar file with the module.
fn tar(module: &[u8]) -> Vec<u8> {
    // ustar: the name, mode, owners, size, time, sum and kind stand at fixed places of the first 512 bytes.
    let mut header = [0; 512];
    let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, "probe.wasm");
    put(100, "0000755");
    put(108, "0000000");
    put(116, "0000000");
    put(124, &format!("{:011o}", module.len()));
    put(136, "00000000000");
    put(148, "        ");
    put(156, "0");
    put(257, "ustar");
    put(263, "00");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let padding = vec![0; module.len().next_multiple_of(512) - module.len() + 1024];
    [header.as_slice(), module, &padding].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_is_where_the_engine_was_told() {
        let found = |line: &str| {
            let arguments: Vec<String> = line.split(' ').map(str::to_owned).collect();
            configuration_file(&arguments)
                .map(|path| path.display().to_string())
                .map_err(|failure| failure.sentence())
        };
        for (line, expected) in [
            ("/usr/bin/dockerd -H fd://", "/etc/docker/daemon.json"),
            ("dockerd --config-file /a.json --debug", "/a.json"),
            ("dockerd --config-file=/b.json", "/b.json"),
        ] {
            assert_eq!(found(line).unwrap(), expected, "{line}");
        }
        assert!(
            found("dockerd --add-runtime x=/y")
                .unwrap_err()
                .contains("--add-runtime")
        );
        assert!(found("dockerd --add-runtime=x=/y").is_err());
    }
}
