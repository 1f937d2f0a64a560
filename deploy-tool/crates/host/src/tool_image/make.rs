//! Edge: makes the images on this host, by the scripts that the program carries.

use super::recipes;
use crate::cache::{CACHE_VARIABLE, Cache};
use crate::cleanup::Cleanup;
use crate::{process, script};
use diagnostics::code::image::NOT_MADE;
use diagnostics::{Error, Result};
use std::path::Path;
use terminal::Progress;
use tokio::process::Command;

/// Which images are made on this host, if any: their names begin like this, and this is what `scripts/images` calls them.
const MADE: &[(&str, &str)] = &[
    ("localhost/wasm-builder:", "builder"),
    ("localhost/wasm-node:", "node"),
    ("localhost/wasm-node-installer:", "installer"),
];

/// What `scripts/images` calls an image; none of one that it does not make, and none where it makes nothing.
pub(super) fn name(local: &str) -> Option<&'static str> {
    // The platform that scripts/host supports.
    let is_possible = cfg!(all(target_os = "linux", target_arch = "x86_64"));
    let made = MADE.iter().find(|(start, _)| local.starts_with(start));
    made.filter(|_| is_possible).map(|(_, name)| *name)
}

/// Makes an image, or finds that it is up to date.
///
/// # Errors
/// When this host lacks what that takes; with what the script said.
pub(super) async fn make(progress: &Progress, cleanup: &Cleanup, cache: &Cache, local: &str, name: &str) -> Result<()> {
    let failure = || Error::prerequisite(format!("the image `{local}` cannot be made on this host")).code(&NOT_MADE);
    let log = format!("make-{name}-image");
    run(progress, cleanup, cache, &log, &["scripts/images", name], failure).await
}

/// Installs the kind that the node image fits into the cache.
///
/// # Errors
/// When it can neither be compiled nor downloaded.
pub(super) async fn install_kind(progress: &Progress, cleanup: &Cleanup, cache: &Cache) -> Result<()> {
    let folder = cache.path("bin/kind")?;
    let folder = folder.parent().unwrap_or(cache.folder()).display().to_string();
    let failure = || {
        Error::prerequisite("kind is not on this host, and cannot be installed")
            .hint("install it: https://kind.sigs.k8s.io/docs/user/quick-start/#installation")
    };
    run(
        progress,
        cleanup,
        cache,
        "install-kind",
        &["scripts/kind", &folder],
        failure,
    )
    .await
}

/// `words`: a script of those that are carried, and its arguments.
async fn run(
    progress: &Progress,
    cleanup: &Cleanup,
    cache: &Cache,
    log: &str,
    words: &[&str],
    failure: impl FnOnce() -> Error,
) -> Result<()> {
    let folder = recipes::unpack(cache)?;
    terminal::detail(&format!("the scripts are in {}", folder.display()));
    let ended = script::logged(progress, cleanup, command(cache, &folder, words), &cache.log(log)).await?;
    ended.check(failure)
}

/// A script of those in this folder. `bash scripts/images` takes the path from where it is.
fn command(cache: &Cache, folder: &Path, words: &[&str]) -> Command {
    let mut command = process::command("bash", words);
    command.current_dir(folder).env(CACHE_VARIABLE, cache.folder());
    // They choose another node for `make`, and the program names the one that it wants.
    command.env_remove("KUBERNETES").env_remove("ENGINE");
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_makes_the_image_that_is_asked_for_whatever_make_was_told() {
        let home = tempfile::tempdir().unwrap();
        let cache = Cache::at(home.path()).unwrap();
        let command = command(&cache, home.path(), &["scripts/images", "node"]);
        let removed: Vec<_> = command
            .as_std()
            .get_envs()
            .filter(|(_, value)| value.is_none())
            .collect();
        assert_eq!(removed, [("ENGINE".as_ref(), None), ("KUBERNETES".as_ref(), None)]);
    }
}
