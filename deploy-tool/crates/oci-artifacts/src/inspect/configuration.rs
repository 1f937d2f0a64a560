//! The parts of an image's configuration that matter here. Others may be missing or null: many programs write images. So what
//! is read is no type of what is written, whose fields are all there, in an order that is part of the digest.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::image::specification::Platform;

/// How an image is run.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Configuration {
    architecture: Option<String>,
    os: Option<String>,
    variant: Option<String>,
    config: Option<Process>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Process {
    user: Option<String>,
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
    labels: Option<BTreeMap<String, String>>,
    env: Option<Vec<String>>,
    working_dir: Option<String>,
}

impl Configuration {
    /// Where it runs.
    pub fn platform(&self) -> Platform {
        let or_unknown = |value: &Option<String>| value.clone().unwrap_or_else(|| "unknown".to_owned());
        Platform {
            architecture: or_unknown(&self.architecture),
            os: or_unknown(&self.os),
            variant: self.variant.clone(),
        }
    }

    /// The program: the entrypoint, or without one the command.
    pub fn entrypoint(&self) -> Vec<String> {
        let process = self.config.as_ref();
        let words = |words: Option<&Vec<String>>| words.filter(|words| !words.is_empty()).cloned();
        let entrypoint = words(process.and_then(|process| process.entrypoint.as_ref()));
        let command = || words(process.and_then(|process| process.cmd.as_ref()));
        entrypoint.or_else(command).unwrap_or_default()
    }

    /// The command line: the entrypoint with the command, which may be replaced.
    pub fn arguments(&self, command: &[String]) -> Vec<String> {
        let process = self.config.clone().unwrap_or_default();
        let command = if command.is_empty() {
            process.cmd.unwrap_or_default()
        } else {
            command.to_vec()
        };
        let entrypoint = process.entrypoint.unwrap_or_default();
        entrypoint.into_iter().chain(command).collect()
    }

    /// Environment variables, as `NAME=VALUE`.
    pub fn environment(&self) -> Vec<String> {
        let process = self.config.as_ref();
        process.and_then(|process| process.env.clone()).unwrap_or_default()
    }

    /// Where it is started.
    pub fn working_directory(&self) -> &str {
        let process = self.config.as_ref();
        let folder = process.and_then(|process| process.working_dir.as_deref());
        folder.filter(|folder| folder.starts_with('/')).unwrap_or("/")
    }

    /// As whom.
    pub fn user(&self) -> &str {
        let process = self.config.as_ref();
        process.and_then(|process| process.user.as_deref()).unwrap_or_default()
    }

    /// A label.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.config.as_ref()?.labels.as_ref()?.get(name).map(String::as_str)
    }
}
