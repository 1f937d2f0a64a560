//! `deploy-tool new`: a project that builds, tests and deploys. It needs no network, no Docker and no cluster.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cli::{Database, NewArguments, Server, Vcs};
use crate::project::{self, ProjectName, Template};
use diagnostics::{Error, Result};
use host::process;
use terminal::Printer;

/// What `--output json` prints.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    schema: &'static str,
    name: String,
    folder: PathBuf,
    files: Vec<String>,
    /// The Cargo.toml of the workspace that it is a member of.
    member_of: Option<PathBuf>,
    /// Whether a repository was created.
    repository: bool,
    next: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// When the name or the folder cannot be used.
pub async fn run(printer: &Printer, arguments: NewArguments) -> Result<()> {
    let NewArguments {
        path,
        name,
        database,
        server,
        vcs,
    } = arguments;
    let name = match name {
        Some(name) => name,
        None => folder_name(&path)?,
    };
    let name = ProjectName::parse(&name).map_err(|error| {
        let failure = Error::input(format!("`{name}` cannot be the name of a project")).cause(&error);
        match error.suggestion {
            Some(suggestion) => failure.hint(format!("deploy-tool new {suggestion}")),
            None => failure,
        }
    })?;
    let created = project::create(&path, &name, template(database, server))?;
    let repository = vcs == Vcs::Git && init_repository(printer, &created.folder).await?;
    let report = Report {
        schema: "deploy-tool.dev/new/v1",
        name: name.as_str().to_owned(),
        next: next_steps(&created.folder),
        folder: created.folder,
        files: created.files,
        member_of: created.member_of,
        repository,
    };
    printer.result(&report, text(&report));
    Ok(())
}

fn template(database: Option<Database>, server: Server) -> Template {
    match (database, server) {
        (None, Server::Hyper) => Template::Service,
        (None, Server::Microservice) => Template::Microservice,
        (Some(Database::MariaDb), Server::Hyper) => Template::MariaDb,
        (Some(Database::MariaDb), Server::Microservice) => Template::MicroserviceMariaDb,
    }
}

/// The last part of a path, also of `.`.
fn folder_name(path: &Path) -> Result<String> {
    let unusable = |error| Error::file(format!("cannot tell the name of `{}`", path.display()), &error);
    let folder = match path.file_name() {
        Some(_) => path.to_owned(),
        None => path.canonicalize().map_err(unusable)?,
    };
    Ok(folder.file_name().unwrap_or_default().to_string_lossy().into_owned())
}

/// Creates a repository, unless the folder is in one or there is no git.
async fn init_repository(printer: &Printer, folder: &Path) -> Result<bool> {
    let git = async |arguments: &[&str]| {
        let mut command = process::command("git", arguments);
        command.current_dir(folder);
        process::capture(command).await
    };
    let inside = match git(&["rev-parse", "--is-inside-work-tree"]).await {
        Ok(inside) => inside.success,
        Err(_) => {
            printer.warning("no repository was created: git is not installed");
            return Ok(false);
        }
    };
    if inside {
        return Ok(false);
    }
    let created = git(&["init", "--quiet"]).await?;
    if !created.success {
        let why = created.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        printer.warning(&format!(
            "no repository was created: `git init` failed: {why}; the project is complete, --vcs none does not try it"
        ));
    }
    Ok(created.success)
}

fn next_steps(folder: &Path) -> Vec<String> {
    let folder = folder.display().to_string();
    let change = (folder != ".").then(|| format!("cd {folder}"));
    let steps = ["cargo test", "deploy-tool cluster up", "deploy-tool up"].map(str::to_owned);
    change.into_iter().chain(steps).collect()
}

fn text(report: &Report) -> String {
    let mut text = format!("created {} in {}:\n", report.name, report.folder.display());
    for file in &report.files {
        text.push_str(&format!("  {file}\n"));
    }
    if let Some(workspace) = &report.member_of {
        text.push_str(&format!(
            "it is a member of the workspace of {}, whose profiles and lock file count\n",
            workspace.display()
        ));
    }
    text.push_str("next:\n");
    for step in &report.next {
        text.push_str(&format!("  {step}\n"));
    }
    text.trim_end().to_owned()
}
