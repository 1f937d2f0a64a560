//! Edge: the images that this program works with: made on this host, or pulled under exactly its version.

use crate::cache::Cache;
use crate::docker::{self, LocalImage};
use crate::process;
use diagnostics::code::image::NOT_ON_HOST;
use diagnostics::{Error, Result};
use terminal::{Printer, Progress};

/// Names the registry, and the path in it, that they are pulled from: docker.io/you, registry.example.com/tools.
pub const MIRROR_VARIABLE: &str = "DEPLOY_TOOL_IMAGES";
/// What a release was made to pull from.
const BUILT_IN: Option<&str> = option_env!("DEPLOY_TOOL_RELEASE_IMAGES");
/// Of all crates of the program.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Brings an image to this host: what was made here stays; else it is pulled, where there is somewhere to pull it from.
///
/// # Errors
/// When the variable is wrong, or the registry does not give the image.
pub async fn supply(printer: &Printer, cache: &Cache, local: &str) -> Result<()> {
    let mirror = std::env::var(MIRROR_VARIABLE).ok().filter(|value| !value.is_empty());
    let Some(prefix) = mirror.as_deref().or(BUILT_IN) else {
        return Ok(());
    };
    let reference = reference(prefix, local)?;
    let found = docker::image(local).await?;
    if found.is_some_and(|image| is_right(&image, &reference)) {
        terminal::detail(&format!("image {local}: on this host"));
        return Ok(());
    }
    let pull = async |progress: &Progress| {
        let failure = || {
            Error::prerequisite(format!("the image `{reference}` cannot be pulled"))
                .code(&NOT_ON_HOST)
                .hint(format!(
                    "log in where it takes a login: `docker login`; or name another place: {MIRROR_VARIABLE}"
                ))
        };
        let name = local.rsplit('/').next().unwrap_or(local).replace(':', "-");
        let command = process::command("docker", ["pull", &reference]);
        let pulled = process::logged(progress, command, &cache.log(&format!("pull-{name}"))).await?;
        pulled.check(failure)?;
        docker::run("cannot name an image", ["tag", &reference, local]).await?;
        progress.outcome(format!("image {local}: pulled as {reference}"));
        Ok(())
    };
    printer.step(&format!("image {local}"), pull).await
}

/// The reference of an image of this version: `localhost/wasm-builder:trixie` is `PREFIX/wasm-builder:0.1.0-trixie`.
fn reference(prefix: &str, local: &str) -> Result<String> {
    let prefix = prefix.trim_end_matches('/');
    let is_plain = |one: char| one.is_ascii_lowercase() || one.is_ascii_digit() || "-._/:[]".contains(one);
    if prefix.is_empty() || prefix.contains("//") || !prefix.chars().all(is_plain) {
        return Err(Error::input(format!("{MIRROR_VARIABLE} is `{prefix}`"))
            .cause("it names a registry and a path in it, without a scheme and a tag")
            .hint(format!("for instance {MIRROR_VARIABLE}=registry.example.com/tools")));
    }
    let (name, tag) = parts(local);
    Ok(format!("{prefix}/{name}:{VERSION}-{tag}"))
}

/// The last part of a name, and the tag.
fn parts(reference: &str) -> (&str, &str) {
    let last = reference.rsplit('/').next().unwrap_or(reference);
    last.split_once(':').unwrap_or((last, "latest"))
}

/// Whether an image was made here, or is the one of this version: one that was pulled has the name that it was pulled by.
fn is_right(image: &LocalImage, reference: &str) -> bool {
    let (name, _) = parts(reference);
    let mut pulled = image
        .names()
        .iter()
        .filter(|known| !known.starts_with("localhost/") && parts(known).0 == name)
        .peekable();
    pulled.peek().is_none() || pulled.any(|known| known == reference)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: &str = "localhost/wasm-builder:trixie";

    #[test]
    fn a_mirror_has_exactly_this_version() {
        for (prefix, expected) in [
            ("docker.io/you", "docker.io/you/wasm-builder"),
            ("localhost:5000/", "localhost:5000/wasm-builder"),
        ] {
            assert_eq!(
                reference(prefix, LOCAL).unwrap(),
                format!("{expected}:{VERSION}-trixie")
            );
        }
        for wrong in ["https://docker.io/you", "/", "Docker.io/you", "docker.io/you@sha256"] {
            let failure = reference(wrong, LOCAL).unwrap_err().to_string();
            assert!(
                failure.contains("DEPLOY_TOOL_IMAGES=registry.example.com/tools"),
                "{failure}"
            );
        }
    }

    #[test]
    fn what_was_made_here_stays_and_another_version_does_not() {
        let reference = reference("x.io/tools", LOCAL).unwrap();
        let image = |names: &[&str]| -> LocalImage {
            serde_json::from_value(serde_json::json!({"Id": "sha256:1", "RepoTags": names})).unwrap()
        };
        assert!(is_right(&image(&[LOCAL]), &reference));
        assert!(is_right(&image(&[LOCAL, &reference]), &reference));
        assert!(is_right(&image(&[LOCAL, "x.io/other:1"]), &reference));
        assert!(!is_right(
            &image(&[LOCAL, "x.io/tools/wasm-builder:0.0.9-trixie"]),
            &reference
        ));
    }
}
