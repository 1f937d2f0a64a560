use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::example::Example;

/// Add Wasm to the Docker engine of this host, or take it away
#[derive(Debug, Subcommand)]
pub enum DockerCommand {
    /// Register crun with WasmEdge as a further runtime
    ///
    /// Two entries in the engine's daemon.json, which keeps all else: `crun` takes containers for Wasm by their annotation, and
    /// `crun-wasm` takes all. The engine reads it again (SIGHUP) and containers go on; then a module has to run. Where
    /// something fails, the file is what it was. Needs root. Run again, it changes nothing.
    Install(DockerInstallArguments),
    /// Take away what `docker install` has added
    ///
    /// Refused while containers need it. The configuration is exactly what it was before, unless another program or user has changed it
    /// since.
    Remove,
    /// Show what is installed, and whether the engine has it
    Status,
}

/// Arguments of `docker install`
#[derive(Debug, Args)]
pub struct DockerInstallArguments {
    /// The crun to register [default: that of the image localhost/wasm-engine:trixie, or the one in PATH]
    #[arg(long, value_name = "FILE")]
    pub crun: Option<PathBuf>,
}

/// Examples in the help of `docker install`.
pub const INSTALL_EXAMPLES: &[Example] = &[
    ("docker install", "as root; then: docker compose up"),
    (
        "docker install --crun /usr/bin/crun",
        "the distribution's crun, if it has WasmEdge",
    ),
];

/// Examples in the help of `docker remove`.
pub const REMOVE_EXAMPLES: &[Example] = &[("docker remove", "as root; the engine's configuration is what it was")];

/// Examples in the help of `docker status`.
pub const STATUS_EXAMPLES: &[Example] = &[("docker status --output json", "what is installed, for a program")];
