use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::example::Example;

/// Arguments of `new`
#[derive(Debug, Args)]
pub struct NewArguments {
    /// Folder to create; its last part is the name of the package, of the namespace and of the objects in it
    #[arg(value_name = "PATH")]
    pub path: PathBuf,
    /// The name, where it is not the folder's
    #[arg(long)]
    pub name: Option<String>,
    /// What it keeps its state in; without it, none
    #[arg(long, value_name = "DATABASE", value_enum)]
    pub database: Option<Database>,
    /// What answers requests
    #[arg(long, value_name = "SERVER", value_enum, default_value = "hyper")]
    pub server: Server,
    /// Which repository to create around it; none is created inside of another one
    #[arg(long, value_name = "VCS", value_enum, default_value = "git")]
    pub vcs: Vcs,
}

/// The server in a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Server {
    /// That of hyper and its WASI fork: a hundred lines of Rust, all of them yours
    Hyper,
    /// The crate `microservice`, which is copied beside them: limits, problems as JSON, metrics, log, pool of connections
    Microservice,
}

/// A version control system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Vcs {
    /// `git init`
    Git,
    /// None
    None,
}

/// A database beside a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Database {
    /// MariaDB with a volume, a pool of connections and migrations
    #[value(name = "mariadb")]
    MariaDb,
}

/// Examples in the help of `new`.
pub const EXAMPLES: &[Example] = &[
    ("new greeter", "a folder greeter with everything that `up` needs"),
    (
        "new shop --database mariadb",
        "with a MariaDB, a pool of connections and migrations",
    ),
    (
        "new shop --server microservice",
        "with limits on clients, metrics, a log and problems as JSON",
    ),
    ("new services/shop --vcs none", "elsewhere, without a repository"),
];
