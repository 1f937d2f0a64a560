//! Pure: names of repositories and tags, as Docker reads them.
//!
//! <https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests>

use std::fmt;

use crate::Digest;
use diagnostics::Error;

/// The registry of names without one.
const DOCKER_HUB: &str = "docker.io";
/// Where its interface is, <https://docs.docker.com/docker-hub/image-library/mirror/>.
const DOCKER_HUB_HOST: &str = "registry-1.docker.io";
/// The longest tag.
const LONGEST_TAG: usize = 128;

/// A repository of a registry: docker.io/user/orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// The registry as people write it, with a port if need be.
    pub registry: String,
    /// The path in it.
    pub path: String,
}

impl Repository {
    /// Reads `[REGISTRY/]PATH[:TAG]`.
    ///
    /// # Errors
    /// When it is invalid: a sentence with the reason.
    pub fn parse(text: &str) -> Result<(Self, Option<String>), String> {
        if text.contains("://") {
            return Err("leave out what stands before the registry's name: write docker.io/user/name".to_owned());
        }
        if text.contains('@') {
            return Err("a digest cannot be chosen: it comes from the image".to_owned());
        }
        let (registry, rest) = match text.split_once('/') {
            Some((first, rest)) if is_host(first) => (first, rest),
            _ => (DOCKER_HUB, text),
        };
        let (path, tag) = match rest.rsplit_once(':') {
            Some((path, tag)) => (path, Some(tag.to_owned())),
            None => (rest, None),
        };
        if !is_authority(registry) {
            return Err(format!(
                "`{registry}` is not a valid registry: a host's name or address, and a port if need be"
            ));
        }
        let registry = registry_name(registry);
        let path = match registry {
            DOCKER_HUB if !path.contains('/') => format!("library/{path}"),
            _ => path.to_owned(),
        };
        if !path.split('/').all(is_component) {
            return Err(format!(
                "`{path}` is not a valid repository: lower-case letters, digits, and single . _ - between them; / between the parts"
            ));
        }
        if let Some(tag) = tag.as_deref().filter(|tag| !is_tag(tag)) {
            return Err(format!(
                "`{tag}` is not a valid tag: letters, digits, . _ -, at most {LONGEST_TAG}"
            ));
        }
        let registry = registry.to_owned();
        Ok((Self { registry, path }, tag))
    }

    /// Host and port of the registry's interface.
    pub fn host(&self) -> &str {
        match self.registry.as_str() {
            DOCKER_HUB => DOCKER_HUB_HOST,
            other => other,
        }
    }

    /// Whether the registry is on this machine: then plain HTTP is no risk.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.registry)
    }

    /// The names under which credential helpers keep its login: Docker's, then podman's.
    /// <https://docs.docker.com/reference/cli/docker/login/>
    pub fn login_keys(&self) -> Vec<&str> {
        match self.registry.as_str() {
            DOCKER_HUB => vec!["https://index.docker.io/v1/", DOCKER_HUB],
            other => vec![other],
        }
    }

    /// Whether it is Docker Hub.
    pub fn is_docker_hub(&self) -> bool {
        self.registry == DOCKER_HUB
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.path)
    }
}

/// One image in a repository: docker.io/user/orders:1.2.3, docker.io/user/orders@sha256:….
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Where it is.
    pub repository: Repository,
    /// Its digest, or else its tag.
    pub name: String,
}

impl Reference {
    /// Reads `REPOSITORY:TAG` or `REPOSITORY@DIGEST`. With both, the digest counts, as everywhere.
    ///
    /// # Errors
    /// When it is invalid: a sentence with the reason.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        let (repository, tag) = Repository::parse(name)?;
        if let Some(digest) = digest.filter(|digest| !digest.parse::<Digest>().is_ok_and(|digest| digest.is_sha256())) {
            return Err(format!(
                "`{digest}` is not a valid digest: sha256: and 64 digits from 0 to f"
            ));
        }
        let name = digest.map(str::to_owned).or(tag);
        let name = name.ok_or("it names neither a digest nor a tag")?;
        Ok(Self { repository, name })
    }

    /// That it is not there.
    pub fn missing(&self) -> Error {
        Error::input(format!("{self} is not in its registry")).hint("correct the name, or push it: `deploy-tool push`")
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.name.contains(':') { '@' } else { ':' };
        write!(f, "{}{sign}{}", self.repository, self.name)
    }
}

/// A registry's name: Docker Hub has several.
pub fn registry_name(host: &str) -> &str {
    match host {
        "index.docker.io" | DOCKER_HUB_HOST => DOCKER_HUB,
        other => other,
    }
}

/// Whether host and port are of this machine.
pub fn is_loopback(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.chars().all(|c| c.is_ascii_digit()) => host,
        _ => authority,
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let address = host.parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Whether a text can be a tag.
pub fn is_tag(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let first = text
        .chars()
        .next()
        .is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    first && text.len() <= LONGEST_TAG && text.chars().all(inner)
}

/// The output of `git describe` as a tag: invalid characters become hyphens.
pub fn tag_from_description(description: &str) -> Option<String> {
    let tag: String = description
        .trim()
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "._-".contains(c) {
                c
            } else {
                '-'
            }
        })
        .take(LONGEST_TAG)
        .collect();
    is_tag(&tag).then_some(tag)
}

/// Whether what stands before the first `/` is a registry: no part of a path has such characters.
/// <https://github.com/distribution/reference/blob/main/normalize.go>
fn is_host(text: &str) -> bool {
    text.contains(['.', ':']) || text == "localhost" || text.contains(|c: char| c.is_ascii_uppercase())
}

/// What has no other parts of an address in it leads nowhere else.
/// <https://github.com/distribution/reference/blob/main/reference.go>
fn is_authority(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')) {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    let is_part = |part: &str| {
        let inner = |c: char| c.is_ascii_alphanumeric() || c == '-';
        !part.is_empty() && part.chars().all(inner) && !part.starts_with('-') && !part.ends_with('-')
    };
    let inside = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_host = match inside {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => host.split('.').all(is_part),
    };
    is_host && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|_| !port.starts_with('+')))
}

fn is_component(text: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let ends = |c: Option<char>| c.is_some_and(alphanumeric);
    let separators: Vec<&str> = text.split(alphanumeric).filter(|part| !part.is_empty()).collect();
    let is_separator = |part: &&str| matches!(*part, "." | "_" | "__") || part.chars().all(|c| c == '-');
    ends(text.chars().next()) && ends(text.chars().last()) && separators.iter().all(is_separator)
}

#[cfg(test)]
mod tests;
