//! Edge: the Docker command line. [`explain`] explains its errors.

use std::ffi::OsStr;

use serde::Deserialize;

use crate::process::{self, Output};
use diagnostics::code::image::NOT_ON_HOST;
use diagnostics::{DISK_FULL_HINT, Error, Result};

/// The metadata of a local image.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct LocalImage {
    /// Its identity: the digest of its configuration; with the containerd image store, of its index or manifest.
    #[serde(rename = "Id")]
    pub id: String,
    #[serde(rename = "Config")]
    config: Option<Labelled>,
    #[serde(rename = "RepoTags")]
    names: Option<Vec<String>>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
struct Labelled {
    #[serde(rename = "Labels")]
    labels: Option<std::collections::BTreeMap<String, String>>,
}

impl LocalImage {
    /// All its names with their tags.
    pub fn names(&self) -> &[String] {
        self.names.as_deref().unwrap_or_default()
    }

    /// A label's value.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.config.as_ref()?.labels.as_ref()?.get(name).map(String::as_str)
    }
}

/// Runs a short docker command that must end well.
///
/// # Errors
/// When it cannot be started or ends badly.
pub async fn run<A: AsRef<OsStr>>(message: &str, arguments: impl IntoIterator<Item = A>) -> Result<String> {
    let output = process::capture(process::command("docker", arguments)).await?;
    if output.success {
        Ok(output.stdout)
    } else {
        Err(explain(message, &output.stderr))
    }
}

/// A local image, or none.
///
/// # Errors
/// When Docker cannot be asked.
pub async fn image(reference: &str) -> Result<Option<LocalImage>> {
    let arguments = ["image", "inspect", "--format", "{{json .}}", reference];
    let Output {
        success,
        stdout,
        stderr,
    } = process::capture(process::command("docker", arguments)).await?;
    if !success && stderr.to_ascii_lowercase().contains("no such image") {
        return Ok(None);
    }
    if !success {
        return Err(explain(&format!("cannot look up the image `{reference}`"), &stderr));
    }
    serde_json::from_str(&stdout).map(Some).map_err(|error| {
        Error::prerequisite(format!(
            "cannot understand what docker says about the image `{reference}`"
        ))
        .cause(error)
    })
}

/// A local image that must be there.
///
/// # Errors
/// When it is not, or Docker cannot be asked.
pub async fn required_image(reference: &str) -> Result<LocalImage> {
    image(reference).await?.ok_or_else(|| {
        let hint = if reference.starts_with("localhost/") {
            "pull it from a registry that has it, DEPLOY_TOOL_IMAGES=registry.example.com/tools, \
                or make it on Linux on x86-64: `deploy-tool images`"
                .to_owned()
        } else {
            format!("bring it here: `docker pull {reference}`")
        };
        Error::prerequisite(format!("the image `{reference}` is not on this host"))
            .code(&NOT_ON_HOST)
            .hint(hint)
    })
}

/// What the engine says of its security, such as `name=rootless`; nothing where it does not say: podman has no such field.
/// <https://docs.docker.com/reference/api/engine/version/v1.47/#tag/System/operation/SystemInfo>
///
/// # Errors
/// When Docker cannot be started.
pub async fn security_options() -> Result<Vec<String>> {
    let command = process::command("docker", ["info", "--format", "{{json .SecurityOptions}}"]);
    let output = process::capture(command).await?;
    let options: Option<Vec<String>> = serde_json::from_str(&output.stdout).unwrap_or_default();
    Ok(options.unwrap_or_default())
}

/// What a complaint of docker means, and what to do about it.
pub fn explain(message: &str, stderr: &str) -> Error {
    let failure = Error::prerequisite(message);
    let text = stderr.to_ascii_lowercase();
    if text.contains("permission denied") && text.contains("docker") && text.contains("connect") {
        failure
            .cause("this user may not talk to the Docker engine")
            .hint("add the user to the group docker (`sudo usermod --append --groups docker $USER`, then log in again), or run this as root")
    } else if text.contains("cannot connect to the docker daemon") || text.contains("is the docker daemon running") {
        failure
            .cause("the Docker engine does not answer")
            .hint("start it, for instance with `systemctl start docker`")
    } else if process::says_disk_full(stderr) {
        failure.cause(stderr).hint(DISK_FULL_HINT)
    } else {
        failure.cause(stderr)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn explains_what_users_meet() {
        let cases = [
            (
                "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
                "group docker",
            ),
            (
                "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
                "systemctl start docker",
            ),
            ("write /var/lib/docker/x: no space left on device", "the disk is full"),
            ("something else", "because: something else"),
        ];
        for (stderr, expected) in cases {
            let text = explain("cannot look", stderr).to_string();
            assert!(text.starts_with("cannot look") && text.contains(expected), "{text}");
        }
    }

    #[test]
    fn reads_labels() {
        let text = r#"{"Id":"sha256:1","Config":{"Labels":{"deploy-tool.wasmedge":"0.14.1"}},"Other":1}"#;
        let image: LocalImage = serde_json::from_str(text).unwrap();
        assert_eq!(image.label("deploy-tool.wasmedge"), Some("0.14.1"));
        let bare: LocalImage = serde_json::from_str(r#"{"Id":"sha256:1","Config":{"Labels":null}}"#).unwrap();
        assert_eq!(bare.label("x"), None);
    }
}
