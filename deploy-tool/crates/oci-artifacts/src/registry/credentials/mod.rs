//! Edge: finds out who logs in: the command line, the environment, Docker's and podman's files, credential helpers.

use std::ffi::OsString;
use std::io::{ErrorKind, IsTerminal};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::docker_config::{CredentialSource, DockerConfig, Login, parse_helper_output};
use super::purpose::Purpose;
use super::reference::{Repository, registry_name};
use diagnostics::code;
use diagnostics::{Error, Result};

/// A credential helper may ask a keychain, but not a person.
const HELPER_LIMIT: Duration = Duration::from_secs(20);
/// The most that is read of its answer, in bytes.
const HELPER_ANSWER: u64 = 64 * 1024;
/// Names the registry that `REGISTRY_USERNAME` and `REGISTRY_PASSWORD` are for.
const REGISTRY_HOST: &str = "REGISTRY_HOST";

/// The credentials on the command line.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// The user.
    pub user: Option<String>,
    /// Whether the password is on the standard input.
    pub password_on_stdin: bool,
}

/// What a search for a login has found.
#[derive(Clone, Debug, Default)]
pub struct FoundLogin {
    /// The login.
    pub login: Option<Login>,
    /// Where it was looked for, in that order.
    pub searched: Vec<String>,
    /// What could not be used: it matters only to a registry that wants a login.
    pub unusable: Vec<Error>,
}

impl FoundLogin {
    /// A login that need not be looked for.
    pub fn from_login(login: Login) -> Self {
        Self {
            login: Some(login),
            ..Self::default()
        }
    }

    /// Warnings when the registry is used anonymously although credentials may be stored.
    pub fn warnings(&self) -> Vec<String> {
        let unusable = self.unusable.iter().filter(|_| self.login.is_none());
        unusable
            .map(|failure| format!("the registry is asked without a login: {failure}"))
            .collect()
    }
}

impl Credentials {
    /// The login of a repository's registry: of the standard input, else of the environment, else of Docker's and
    /// podman's files, else none.
    ///
    /// # Errors
    /// When there is no password on the standard input.
    pub async fn login(&self, repository: &Repository, purpose: &Purpose) -> Result<FoundLogin> {
        if self.password_on_stdin {
            return self.read_standard_input().await.map(FoundLogin::from_login);
        }
        Ok(stored_login(repository, purpose).await)
    }

    async fn read_standard_input(&self) -> Result<Login> {
        let user = self.user.clone().unwrap_or_default();
        if std::io::stdin().is_terminal() {
            return Err(Error::input("there is no password on the standard input")
                .cause("it is a terminal, which would show what is typed")
                .hint("pipe it: `deploy-tool push … --user NAME --password-stdin < FILE`"));
        }
        let mut text = String::new();
        tokio::io::stdin()
            .read_to_string(&mut text)
            .await
            .map_err(|error| Error::input("cannot read the password from the standard input").cause(error))?;
        match text.trim_end_matches(['\n', '\r']) {
            "" => Err(Error::input("the standard input has no password")),
            password => Ok(Login::password(user, password)),
        }
    }
}

/// The login that this host keeps for a repository's registry.
pub async fn stored_login(repository: &Repository, purpose: &Purpose) -> FoundLogin {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let text = |name: &str| variable(name).and_then(|value| value.into_string().ok());
    let mut found = FoundLogin {
        searched: variables(text, repository, purpose),
        ..FoundLogin::default()
    };
    if let Some(login) = from_environment(text, repository, purpose) {
        found.login = Some(login);
        return found;
    }
    if let Some(content) = text("DOCKER_AUTH_CONFIG") {
        found.search("DOCKER_AUTH_CONFIG", &content, repository).await;
    }
    let user = std::fs::metadata("/proc/self").map_or(0, |process| process.uid());
    for path in files(variable, user) {
        if found.login.is_some() {
            return found;
        }
        match std::fs::read_to_string(&path) {
            Ok(content) => found.search(&path.display().to_string(), &content, repository).await,
            Err(error) if error.kind() == ErrorKind::NotFound => found.searched.push(path.display().to_string()),
            Err(error) => found.unusable.push(unreadable(&path.display().to_string(), &error)),
        }
    }
    found
}

/// `REGISTRY_USERNAME` and `REGISTRY_PASSWORD` are for the registry that `REGISTRY_HOST` names, or without it for one that is
/// written to: who only reads may be made to name any. `DOCKER_USERNAME` and `DOCKER_PASSWORD` are for Docker Hub alone.
fn from_environment(
    variable: impl Fn(&str) -> Option<String>,
    repository: &Repository,
    purpose: &Purpose,
) -> Option<Login> {
    let pair = |prefix: &str| {
        let user = variable(&format!("{prefix}_USERNAME"))?;
        Some(Login::password(user, variable(&format!("{prefix}_PASSWORD"))?))
    };
    let is_meant = match variable(REGISTRY_HOST) {
        Some(host) => is_host_of(&host, repository),
        None => matches!(purpose, Purpose::Push { .. }),
    };
    let registry = || is_meant.then(|| pair("REGISTRY")).flatten();
    let docker_hub = || repository.is_docker_hub().then(|| pair("DOCKER")).flatten();
    registry().or_else(docker_hub)
}

fn is_host_of(host: &str, repository: &Repository) -> bool {
    let host = host.trim_start_matches("https://").trim_start_matches("http://");
    registry_name(host.trim_end_matches('/')) == repository.registry
}

/// The environment variables that were read, for error messages.
fn variables(variable: impl Fn(&str) -> Option<String>, repository: &Repository, purpose: &Purpose) -> Vec<String> {
    let is_set = variable("REGISTRY_PASSWORD").is_some();
    let registry = match variable(REGISTRY_HOST) {
        Some(host) if is_set && !is_host_of(&host, repository) => {
            format!("REGISTRY_PASSWORD (not sent: {REGISTRY_HOST} says that it is for `{host}`)")
        }
        None if is_set && *purpose == Purpose::Read => format!(
            "REGISTRY_PASSWORD (not sent: {REGISTRY_HOST}={} would say that it is for this registry)",
            repository.registry
        ),
        _ => "REGISTRY_USERNAME and REGISTRY_PASSWORD".to_owned(),
    };
    let docker_hub = "DOCKER_USERNAME and DOCKER_PASSWORD".to_owned();
    std::iter::once(registry)
        .chain(repository.is_docker_hub().then_some(docker_hub))
        .collect()
}

/// podman's files and Docker's, in podman's order.
/// <https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md>
fn files(variable: impl Fn(&str) -> Option<OsString>, user: u32) -> Vec<PathBuf> {
    let folder = |name: &str| variable(name).map(PathBuf::from);
    let home = |name: &str| folder("HOME").map(|home| home.join(name));
    let docker = folder("DOCKER_CONFIG");
    let runtime = folder("XDG_RUNTIME_DIR").map(|runtime| runtime.join("containers"));
    let runtime = runtime.unwrap_or_else(|| PathBuf::from(format!("/run/containers/{user}")));
    let configuration = folder("XDG_CONFIG_HOME").or_else(|| home(".config"));
    let own = home(".docker").filter(|_| docker.is_none());
    let podman = [Some(runtime), configuration.map(|folder| folder.join("containers"))];
    folder("REGISTRY_AUTH_FILE")
        .into_iter()
        .chain(docker.map(|folder| folder.join("config.json")))
        .chain(podman.into_iter().flatten().map(|folder| folder.join("auth.json")))
        .chain(own.map(|folder| folder.join("config.json")))
        .collect()
}

fn unreadable(source: &str, why: &dyn std::fmt::Display) -> Error {
    Error::input(format!("the logins in `{source}` cannot be read"))
        .code(&code::registry::CREDENTIALS_UNREADABLE)
        .cause(why)
        .hint("log in again: `docker login`, or name a user and pipe the password: --user NAME --password-stdin")
}

impl FoundLogin {
    /// Looks for the login in the text of a file.
    async fn search(&mut self, source: &str, text: &str, repository: &Repository) {
        self.searched.push(source.to_owned());
        let configuration = match DockerConfig::parse(text) {
            Ok(configuration) => configuration,
            Err(why) => return self.unusable.push(unreadable(source, &why)),
        };
        for found in configuration.credential_sources(repository) {
            let login = match found {
                CredentialSource::Helper(helper) => {
                    self.searched.push(program(helper));
                    ask(helper, repository).await
                }
                CredentialSource::Entry(key, entry) => {
                    entry.login(key).map(Some).map_err(|why| unreadable(source, &why))
                }
            };
            match login {
                Ok(Some(login)) => {
                    self.login = Some(login);
                    return;
                }
                Ok(None) => {}
                Err(failure) => self.unusable.push(failure),
            }
        }
    }
}

fn program(helper: &str) -> String {
    format!("docker-credential-{helper}")
}

/// Asks a credential helper. That it knows nothing is an answer.
async fn ask(helper: &str, repository: &Repository) -> Result<Option<Login>> {
    for key in repository.login_keys() {
        if let Some(login) = ask_for(helper, key).await? {
            return Ok(Some(login));
        }
    }
    Ok(None)
}

async fn ask_for(helper: &str, key: &str) -> Result<Option<Login>> {
    let program = program(helper);
    let failure = |why: &dyn std::fmt::Display| {
        Error::prerequisite(format!("the credential helper `{program}` gives no login for {key}"))
            .code(&code::registry::CREDENTIALS_UNREADABLE)
            .cause(why)
            .hint("install or repair it, or name a user and pipe the password: --user NAME --password-stdin")
    };
    if Path::new(helper).components().count() != 1 {
        return Err(failure(&"its name is a path"));
    }
    let mut command = tokio::process::Command::new(&program);
    command
        .arg("get")
        .kill_on_drop(true)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let exchange = async {
        let mut child = command.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            match stdin.write_all(key.as_bytes()).await {
                // It may have answered without reading.
                Err(error) if error.kind() != ErrorKind::BrokenPipe => return Err(error),
                _ => {}
            }
        }
        // A helper with more output than credentials is ended by dropping its pipes.
        let mut output = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            stdout.take(HELPER_ANSWER).read_to_end(&mut output).await?;
        }
        Ok((output, child.wait().await?))
    };
    let (output, status) = tokio::time::timeout(HELPER_LIMIT, exchange)
        .await
        .map_err(|_| failure(&format!("no answer within {} s", HELPER_LIMIT.as_secs())))?
        .map_err(|error| failure(&error))?;
    let stdout = String::from_utf8_lossy(&output);
    match parse_helper_output(&stdout) {
        Some(login) if status.success() => Ok(Some(login)),
        _ if stdout.contains("credentials not found") => Ok(None),
        // The output of a successful helper may contain a password, so it is not shown.
        _ if status.success() => Err(failure(&"its answer cannot be understood")),
        _ => Err(failure(&match stdout.trim() {
            "" => format!("it ends with {}", status),
            stdout => stdout.chars().take(300).collect(),
        })),
    }
}

#[cfg(test)]
mod tests;
