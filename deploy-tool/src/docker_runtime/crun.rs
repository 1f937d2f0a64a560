//! Edge: a crun with WasmEdge on this host: one that is named, that of the engine's image, or the distribution's.

use std::fs;
use std::path::{Path, PathBuf};

use super::configuration::Runtimes;
use super::record::{ENGINES, FOLDER, file_error};
use super::{CRUN, CRUN_WASM};
use diagnostics::{Error, Result};
use host::{docker, process};

/// What `scripts/images installer` makes: the engine of nodes.
const IMAGE: &str = "localhost/wasm-engine:trixie";
/// Its label with the name of the engine's folder.
const LABEL: &str = "deploy-tool.engine";
/// Where `node install` writes down that this host is a node.
const NODE: &str = "/opt/wasm-engine/installed.json";
/// In the output of `crun --version` with support for WasmEdge.
const FEATURE: &str = "+WASM:wasmedge";

/// A crun, and the folder that was copied for it.
#[derive(Debug)]
pub struct Crun {
    /// The program.
    pub program: PathBuf,
    /// The folder.
    pub copied: Option<PathBuf>,
}

/// Finds one, or brings one here.
///
/// # Errors
/// When there is none, or it has no WasmEdge.
pub async fn find(named: Option<&Path>, earlier: Option<&Path>) -> Result<Crun> {
    if let Some(program) = named {
        let program = program
            .canonicalize()
            .map_err(|error| Error::input(format!("`{}` is not a program", program.display())).cause(error))?;
        check(&program).await?;
        return Ok(Crun { program, copied: None });
    }
    let label = docker::image(IMAGE)
        .await?
        .and_then(|image| image.label(LABEL).map(str::to_owned));
    if let Some(version) = label {
        return from_image(&version, earlier).await;
    }
    let found = find_in_search_path().ok_or_else(missing)?;
    check(&found).await.map_err(|failure| failure.hint(INSTALL_HINT))?;
    Ok(Crun {
        program: found,
        copied: None,
    })
}

const INSTALL_HINT: &str =
    "install the distribution's (Debian 13: crun and libwasmedge0; Fedora: crun-wasm), or name one: --crun FILE";

fn missing() -> Error {
    Error::prerequisite("there is no crun with WasmEdge on this host")
        .cause(format!("neither the image {IMAGE} nor a program `crun` in PATH"))
        .hint(INSTALL_HINT)
}

fn find_in_search_path() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join("crun"))
        .find(|file| file.is_file())?;
    found.canonicalize().ok()
}

async fn check(program: &Path) -> Result<()> {
    let shown = program.display().to_string();
    let output = process::capture(process::command(&shown, ["--version"])).await?;
    if output.stdout.contains(FEATURE) {
        Ok(())
    } else {
        Err(Error::prerequisite(format!("`{shown}` is not a crun with WasmEdge"))
            .cause(format!("`{shown} --version` does not say {FEATURE}")))
    }
}

async fn from_image(version: &str, earlier: Option<&Path>) -> Result<Crun> {
    let folder = Path::new(ENGINES).join(version);
    let program = folder.join("bin/crun");
    if Path::new(NODE).exists() && !program.exists() {
        return Err(
            Error::prerequisite("this host is a node of a cluster, with an engine of another release")
                .cause(format!("`deploy-tool node install` has written `{NODE}`"))
                .hint("name the crun of that engine: --crun /opt/wasm-engine/…/bin/crun"),
        );
    }
    if program.exists() {
        check(&program).await?;
        // What an earlier run has copied stays this tool's to remove.
        let copied = earlier.filter(|earlier| *earlier == folder).map(Path::to_owned);
        return Ok(Crun { program, copied });
    }
    let beside = Path::new(ENGINES).join(format!(".{version}.docker"));
    fs::create_dir_all(ENGINES).map_err(|error| file_error("make", Path::new(ENGINES), &error))?;
    if beside.exists() {
        fs::remove_dir_all(&beside).map_err(|error| file_error("remove", &beside, &error))?;
    }
    let container = docker::run("cannot take the engine out of its image", ["create", IMAGE, "none"]).await?;
    let from = format!("{}:{}", container.trim(), folder.display());
    let copied = docker::run(
        "cannot take the engine out of its image",
        ["cp", &from, &beside.display().to_string()],
    )
    .await;
    docker::run("cannot remove a container", ["rm", container.trim()]).await?;
    copied?;
    fs::rename(&beside, &folder).map_err(|error| file_error("make", &folder, &error))?;
    let checked = check(&program).await;
    if checked.is_err() {
        fs::remove_dir_all(&folder).map_err(|error| file_error("remove", &folder, &error))?;
    }
    checked.map(|()| Crun {
        program,
        copied: Some(folder),
    })
}

/// The runtimes of a crun. By its second name it takes every container for Wasm.
pub fn runtimes(crun: &Path) -> Runtimes {
    let text = |path: &Path| path.display().to_string();
    [
        (CRUN.to_owned(), text(crun)),
        (CRUN_WASM.to_owned(), text(&wasm_alias())),
    ]
    .into()
}

fn wasm_alias() -> PathBuf {
    Path::new(FOLDER).join(CRUN_WASM)
}

/// Whether a crun has its second name beside it.
pub fn has_wasm_alias(crun: &Path) -> bool {
    fs::read_link(wasm_alias()).is_ok_and(|target| target == crun)
}

/// Gives a crun its second name, and takes it from another one.
///
/// # Errors
/// When that cannot be done.
pub fn link_wasm_alias(crun: &Path) -> Result<()> {
    let link = wasm_alias();
    let make = || {
        fs::create_dir_all(FOLDER)?;
        match fs::remove_file(&link) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        std::os::unix::fs::symlink(crun, &link)
    };
    make().map_err(|error| file_error("write", &link, &error))
}
