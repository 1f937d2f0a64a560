//! Edge: the images that this program works with: made on this host, or pulled under exactly its version.

mod make;
mod recipes;

use crate::cache::Cache;
use crate::cleanup::Cleanup;
use crate::docker::{self, LocalImage};
use crate::{lock, process};
use diagnostics::code::image::NOT_ON_HOST;
use diagnostics::{Error, Result};
use terminal::{Printer, Progress};

/// Names the registry, and the path in it, that they are pulled from: docker.io/you, registry.example.com/tools.
pub const MIRROR_VARIABLE: &str = "DEPLOY_TOOL_IMAGES";
/// What a release was made to pull from.
const BUILT_IN: Option<&str> = option_env!("DEPLOY_TOOL_RELEASE_IMAGES");
/// Of all crates of the program.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The registry, and the path in it, that a release pulls from.
pub fn release_registry() -> Option<&'static str> {
    set(BUILT_IN)
}

/// Where an image comes from that is not on this host.
enum Origin {
    /// A registry that the user has named: there is no fallback.
    Named(String),
    /// The one of the release; where it does not answer, the image is made.
    Release(String),
    /// Nowhere: it is made.
    Here,
}

impl Origin {
    fn find(local: &str) -> Result<Self> {
        let named = std::env::var(MIRROR_VARIABLE).ok();
        Ok(match (set(named.as_deref()), release_registry()) {
            (Some(prefix), _) => Self::Named(reference(prefix, local)?),
            (None, Some(prefix)) => Self::Release(reference(prefix, local)?),
            (None, None) => Self::Here,
        })
    }

    fn reference(&self) -> Option<&str> {
        match self {
            Self::Named(reference) | Self::Release(reference) => Some(reference),
            Self::Here => None,
        }
    }
}

fn set(value: Option<&str>) -> Option<&str> {
    value.filter(|value| !value.is_empty())
}

/// Supplies an image on this host, and reports how: an existing one of this version is kept; else it is pulled from a
/// registry, if there is one, or built.
///
/// # Errors
/// When the variable is wrong, the registry that it names does not give the image, or it cannot be made.
pub async fn supply(printer: &Printer, cleanup: &Cleanup, cache: &Cache, local: &str) -> Result<()> {
    let origin = Origin::find(local)?;
    let found = docker::image(local).await?;
    let is_right = |image: &LocalImage| origin.reference().is_none_or(|reference| is_right(image, reference));
    if found.as_ref().is_some_and(is_right) {
        terminal::detail(&format!("image {local}: on this host"));
        return Ok(());
    }
    if let Some(reference) = origin.reference() {
        match (pull(printer, cache, local, reference, &origin).await, &origin) {
            (Ok(()), _) => return Ok(()),
            (Err(failure), Origin::Release(_)) if make::name(local).is_some() => {
                printer.warning(&format!("{}: it is made on this host instead", failure.message()));
            }
            (Err(failure), _) => return Err(failure),
        }
    }
    make(printer, cleanup, cache, local).await
}

/// The same before it is needed. An image that was built here is updated.
///
/// # Errors
/// Like those of [`supply`].
pub async fn refresh(printer: &Printer, cleanup: &Cleanup, cache: &Cache, local: &str) -> Result<()> {
    let found = docker::image(local).await?;
    let is_made_here = found.is_some_and(|image| pulled_names(&image, local).next().is_none());
    if is_made_here && make::name(local).is_some() {
        make(printer, cleanup, cache, local).await
    } else {
        supply(printer, cleanup, cache, local).await
    }
}

/// Puts kind into the cache, unless it is there or in PATH in the version that node images are made for.
///
/// # Errors
/// When it cannot be had.
pub async fn supply_kind(printer: &Printer, cleanup: &Cleanup, cache: &Cache) -> Result<()> {
    let in_path = std::env::var_os("PATH").unwrap_or_default();
    let folders = [cache.folder().join("bin")];
    let mut programs = folders
        .into_iter()
        .chain(std::env::split_paths(&in_path))
        .map(|folder| folder.join("kind"));
    if let Some(program) = programs.find(|program| program.is_file()) {
        let said = process::capture(process::command(&program.display().to_string(), ["version"])).await?;
        if !is_another_kind(&said.stdout) {
            return Ok(());
        }
    }
    let install = async |progress: &Progress| make::install_kind(progress, cleanup, cache).await;
    printer.step("kind: installed for deploy-tool alone", install).await
}

/// Whether `kind version` has named another version than the pinned one: `kind v0.33.0 go1.26.0 linux/amd64`.
fn is_another_kind(said: &str) -> bool {
    let found = said.split_whitespace().nth(1);
    found.is_some() && found != recipes::pinned_version("kind_version")
}

async fn pull(printer: &Printer, cache: &Cache, local: &str, reference: &str, origin: &Origin) -> Result<()> {
    let pull = async |progress: &Progress| {
        let failure = || explain_pull(reference, origin, make::name(local).is_some());
        let name = local.rsplit('/').next().unwrap_or(local).replace(':', "-");
        let command = process::command("docker", ["pull", reference]);
        let pulled = process::logged(progress, command, &cache.log(&format!("pull-{name}"))).await?;
        pulled.check(failure)?;
        docker::run("cannot name an image", ["tag", reference, local]).await?;
        progress.outcome(format!("image {local}: pulled as {reference}"));
        Ok(())
    };
    printer.step(&format!("image {local}"), pull).await
}

fn explain_pull(reference: &str, origin: &Origin, can_be_made: bool) -> Error {
    let failure = Error::prerequisite(format!("the image `{reference}` cannot be pulled"))
        .code(&NOT_ON_HOST)
        .hint(format!(
            "log in where it takes a login: `docker login`; or name another place: {MIRROR_VARIABLE}"
        ));
    match origin {
        Origin::Named(_) if can_be_made => {
            failure.hint(format!("or have it made on this host: unset {MIRROR_VARIABLE}"))
        }
        _ => failure,
    }
}

/// Builds the image, if this host supports that. Otherwise the command that needs it reports it.
async fn make(printer: &Printer, cleanup: &Cleanup, cache: &Cache, local: &str) -> Result<()> {
    let Some(name) = make::name(local) else { return Ok(()) };
    let before = docker::image(local).await?;
    if before.is_none() {
        printer.info(&format!(
            "image {local}: made on this host, once. That takes 20 to 40 minutes at most; what is done stays when it is stopped."
        ));
    }
    let made = async |progress: &Progress| {
        let _lock = lock::builder(cache, progress, "images").await?;
        make::make(progress, cleanup, cache, local, name).await?;
        let after = docker::required_image(local).await?;
        // One of another version that turned out to be the same is no longer that version's.
        for name in pulled_names(&after, local) {
            docker::run("cannot take an image's other name away", ["rmi", "--no-prune", name]).await?;
        }
        progress.outcome(if before.as_ref().is_some_and(|before| before.id == after.id) {
            format!("image {local}: up to date")
        } else {
            format!("image {local}: made on this host")
        });
        Ok(())
    };
    printer.step(&format!("image {local}"), made).await
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
    let mut pulled = pulled_names(image, reference).peekable();
    pulled.peek().is_none() || pulled.any(|known| known == reference)
}

/// The names by which an image was pulled from a registry, of those whose last part is that of a reference.
fn pulled_names<'image>(image: &'image LocalImage, reference: &str) -> impl Iterator<Item = &'image str> {
    let (wanted, _) = parts(reference);
    let names = image.names().iter().map(String::as_str);
    let wanted = wanted.to_owned();
    names.filter(move |known| !known.starts_with("localhost/") && parts(known).0 == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: &str = "localhost/wasm-builder:trixie";

    #[test]
    fn a_kind_of_another_version_is_told_from_the_pinned_one() {
        let pinned = recipes::pinned_version("kind_version").unwrap();
        assert!(!is_another_kind(&format!("kind {pinned} go1.26.0 linux/amd64\n")));
        assert!(is_another_kind("kind v0.1.0 go1.26.0 linux/amd64\n"));
        // One that cannot say is somebody's own.
        assert!(!is_another_kind(""));
    }

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
    fn a_variable_is_to_be_unset_only_where_it_is_set_and_that_helps() {
        let named = || Origin::Named(String::new());
        for (origin, can_be_made, expected) in [
            (named(), true, true),
            (named(), false, false),
            (Origin::Release(String::new()), false, false),
            (Origin::Release(String::new()), true, false),
        ] {
            let failure = explain_pull("x.io/tools/wasm-builder:1", &origin, can_be_made).to_string();
            assert_eq!(failure.contains("unset DEPLOY_TOOL_IMAGES"), expected, "{failure}");
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
