//! Edge: finds out who logs in: the command line, the environment, Docker's configuration, credential helpers.

use std::io::{IsTerminal, Read};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;

use super::configuration::{Configuration, Login, helped};
use super::reference::Repository;
use diagnostics::code;
use diagnostics::{Failure, Outcome};

/// A credential helper may ask a keychain, but not a person.
const HELPER_LIMIT: Duration = Duration::from_secs(20);

/// What the command line says of the login.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// The user.
    pub user: Option<String>,
    /// Whether the password is on the standard input.
    pub password_on_stdin: bool,
}

impl Credentials {
    /// The login of a repository's registry: of the standard input, else of the environment, else of Docker's
    /// configuration, else none.
    ///
    /// # Errors
    /// When what is there cannot be used.
    pub async fn login(&self, repository: &Repository) -> Outcome<Option<Login>> {
        if self.password_on_stdin {
            return self.piped().map(Some);
        }
        match from_environment(repository) {
            Some(login) => Ok(Some(login)),
            None => kept(repository).await,
        }
    }

    fn piped(&self) -> Outcome<Login> {
        let user = self.user.clone().unwrap_or_default();
        if std::io::stdin().is_terminal() {
            return Err(Failure::input("there is no password on the standard input")
                .because("it is a terminal, which would show what is typed")
                .next("pipe it: `deploy-tool push … --user NAME --password-stdin < FILE`"));
        }
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(|error| Failure::input("cannot read the password from the standard input").because(error))?;
        match text.trim_end_matches(['\n', '\r']) {
            "" => Err(Failure::input("the standard input has no password")),
            password => Ok(Login::password(user, password)),
        }
    }
}

/// The login that Docker's configuration has for a repository's registry, if any: one that is meant for no other.
///
/// # Errors
/// When what is there cannot be used.
pub async fn kept(repository: &Repository) -> Outcome<Option<Login>> {
    for path in configuration_files() {
        if let Some(login) = from_configuration(repository, &path).await? {
            return Ok(Some(login));
        }
    }
    Ok(None)
}

/// `REGISTRY_USERNAME` and `REGISTRY_PASSWORD` are for whatever registry is named; `DOCKER_USERNAME` and
/// `DOCKER_PASSWORD` for Docker Hub only, so that its password is never sent elsewhere.
fn from_environment(repository: &Repository) -> Option<Login> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let pair = |prefix: &str| {
        let user = variable(&format!("{prefix}_USERNAME"))?;
        Some(Login::password(user, variable(&format!("{prefix}_PASSWORD"))?))
    };
    let docker_hub = || repository.is_docker_hub().then(|| pair("DOCKER")).flatten();
    pair("REGISTRY").or_else(docker_hub)
}

/// Docker's file, then podman's.
fn configuration_files() -> Vec<PathBuf> {
    let folder = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let docker = folder("DOCKER_CONFIG").or_else(|| folder("HOME").map(|home| home.join(".docker")));
    let podman = folder("REGISTRY_AUTH_FILE")
        .or_else(|| folder("XDG_RUNTIME_DIR").map(|runtime| runtime.join("containers/auth.json")));
    docker
        .map(|folder| folder.join("config.json"))
        .into_iter()
        .chain(podman)
        .collect()
}

async fn from_configuration(repository: &Repository, path: &std::path::Path) -> Outcome<Option<Login>> {
    let broken = |why: &dyn std::fmt::Display| {
        Failure::input(format!("the logins in `{}` cannot be read", path.display()))
            .code(&code::registry::CREDENTIALS_UNREADABLE)
            .because(why)
            .next("log in again: `docker login`, or name a user and pipe the password: --user NAME --password-stdin")
    };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(broken(&error)),
    };
    let configuration = Configuration::parse(&text).map_err(|why| broken(&why))?;
    if let Some(helper) = configuration.helper(repository)
        && let Some(login) = ask(helper, repository).await?
    {
        return Ok(Some(login));
    }
    configuration.login(repository).map_err(|why| broken(&why))
}

/// Asks a credential helper. That it knows nothing is an answer.
async fn ask(helper: &str, repository: &Repository) -> Outcome<Option<Login>> {
    let program = format!("docker-credential-{helper}");
    let failure = |why: &dyn std::fmt::Display| {
        Failure::prerequisite(format!(
            "the credential helper `{program}` gives no login for {}",
            repository.registry
        ))
        .code(&code::registry::CREDENTIALS_UNREADABLE)
        .because(why)
        .next("install or repair it, or name a user and pipe the password: --user NAME --password-stdin")
    };
    let mut command = tokio::process::Command::new(&program);
    command
        .arg("get")
        .kill_on_drop(true)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let asked = async {
        let mut child = command.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(repository.login_key().as_bytes()).await?;
        }
        child.wait_with_output().await
    };
    let output = tokio::time::timeout(HELPER_LIMIT, asked)
        .await
        .map_err(|_| failure(&format!("no answer within {} s", HELPER_LIMIT.as_secs())))?
        .map_err(|error| failure(&error))?;
    let said = String::from_utf8_lossy(&output.stdout);
    match helped(&said) {
        Some(login) if output.status.success() => Ok(Some(login)),
        _ if said.contains("credentials not found") => Ok(None),
        // What it printed may hold a password when it ended well.
        _ if output.status.success() => Err(failure(&"its answer cannot be understood")),
        _ => Err(failure(&said.trim())),
    }
}
