//! Edge: what there is on the node. [`crate::config_method`], [`crate::process`] and [`crate::mounts`] decide what it means.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::config_method::{ConfigMethod, Configuration};
use crate::dump::Dump;
use crate::entry::{self, Form};
use crate::host::{self, CommandOutput, LOOK_LIMIT};
use crate::mounts;
use crate::process::Candidate;
use crate::record::FOLDER;
use crate::report::InstallError;
use crate::{process, service};
use node_protocol::Runtime;
use node_protocol::number::{HANDLER_TAKEN, UNFIT};

/// The node's runtime and its configuration.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its version.
    pub version: String,
    /// The systemd unit it runs in.
    pub unit: String,
    /// Where it listens.
    pub socket: PathBuf,
    /// Its program.
    program: String,
    /// The path of its configuration, and what that says.
    main: (PathBuf, Option<String>),
    /// How the entry gets into it.
    pub configuration: Configuration,
    /// The configuration as the runtime understands it; CRI-O does not tell.
    pub dump: Option<Dump>,
}

fn unfit(because: impl std::fmt::Display) -> InstallError {
    InstallError::new(UNFIT, "the node cannot take the engine").cause(because)
}

/// Looks at everything that must be so, and changes nothing. Where something is installed already, its entry is at
/// `recorded`.
///
/// # Errors
/// When something is not so: what.
pub fn node(runtime: Runtime, recorded: Option<&Path>) -> Result<Node, InstallError> {
    if !Path::new("/run/systemd/system").exists() {
        return Err(unfit("it has no systemd, which restarts the container runtime"));
    }
    let processors = host::read(Path::new("/proc/cpuinfo"))?.unwrap_or_default();
    if !processors.split_whitespace().any(|flag| flag == "avx2") {
        return Err(unfit(
            "its processor has no AVX2, for which services are compiled (x86-64-v3)",
        ));
    }
    let node = match runtime {
        Runtime::Containerd => containerd(recorded)?,
        Runtime::Crio => crio()?,
    };
    if node.dump.as_ref().is_some_and(Dump::systemd_cgroup) {
        service::connect(&service::SYSTEMD).map_err(|refused| {
            let trouble = unfit("containerd leaves cgroups to systemd (SystemdCgroup), which the engine cannot ask here");
            refused
                .iter()
                .fold(trouble, InstallError::cause)
                .hint("start the system's D-Bus daemon on the node (`systemctl start dbus.socket`), which every container's start needs")
        })?;
    }
    refuse_mounts(&node)?;
    let mode = service::kill_mode(&node.unit)?;
    if runtime == Runtime::Containerd && !matches!(mode.as_str(), "process" | "mixed" | "none") {
        return Err(unfit(format!(
            "restarting {} would end its pods: its KillMode is {mode}",
            node.unit
        ))
        .hint("let the unit have KillMode=process, as containerd's own has"));
    }
    Ok(node)
}

/// The engine's place must take files and run programs, that of the entry must take a file.
fn refuse_mounts(node: &Node) -> Result<(), InstallError> {
    // The node's own: a pod that only looks has the node's root folder read-only.
    let mounts = host::read(Path::new("/proc/1/mountinfo"))?.unwrap_or_default();
    let places: [(&Path, &[&str]); 2] = [
        (Path::new(FOLDER), &["ro", "noexec"]),
        (node.configuration.path(), &["ro"]),
    ];
    for (path, options) in places {
        let place = resolve_path(path)?;
        match mounts::option_of(&mounts, &place.display().to_string(), options) {
            None => {}
            Some("noexec") => {
                return Err(unfit(format!(
                    "{} is on a file system that is mounted noexec: no program runs there",
                    path.display()
                ))
                .hint("mount it with exec, or mount a folder with exec there"));
            }
            Some(_) => {
                return Err(unfit(format!(
                    "{} is on a file system that is mounted read-only",
                    path.display()
                ))
                .hint("on an operating system like this, the engine must be part of the node's image"));
            }
        }
    }
    Ok(())
}

/// A path without links, as far as it is there.
fn resolve_path(path: &Path) -> Result<PathBuf, InstallError> {
    let existing = path.ancestors().find(|above| fs::symlink_metadata(above).is_ok());
    let existing = existing.unwrap_or(Path::new("/"));
    let real = follow_link(existing)?;
    Ok(path.strip_prefix(existing).map_or(real.clone(), |rest| real.join(rest)))
}

/// Where a link leads to.
fn follow_link(path: &Path) -> Result<PathBuf, InstallError> {
    fs::canonicalize(path)
        .map_err(|error| unfit(format!("{} is a link that leads nowhere", path.display())).cause(error))
}

fn containerd(recorded: Option<&Path>) -> Result<Node, InstallError> {
    let (process, program, unit) = running("containerd")?;
    let line = host::read(&process.join("cmdline"))?.unwrap_or_default();
    let path = PathBuf::from(process::configuration(&line).unwrap_or("/etc/containerd/config.toml"));
    let path = match path.is_absolute() {
        true => path,
        false => fs::read_link(process.join("cwd")).map_err(unfit)?.join(path),
    };
    let text = host::read(&path)?;
    let place = place_of(&path)?;
    let version = version(&program)?;
    let configuration =
        Configuration::of_containerd(&version, &path, text.as_deref().unwrap_or_default()).map_err(unfit)?;
    let configuration = match (recorded, &configuration.method) {
        (Some(recorded), _) => configuration.at(recorded),
        // The link stays a link.
        (None, ConfigMethod::InPlace(_)) => configuration.moved(place),
        (None, _) => configuration,
    };
    let dump = dump(&program, text.as_ref().map(|_| path.as_path()))
        .map_err(|error| unfit("containerd cannot load the configuration that it has already").cause(error))?;
    let socket = dump.socket().unwrap_or("/run/containerd/containerd.sock").into();
    Ok(Node {
        version,
        unit,
        socket,
        program,
        main: (path, text),
        configuration,
        dump: Some(dump),
    })
}

/// Where a file is that may be a link.
fn place_of(path: &Path) -> Result<PathBuf, InstallError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => follow_link(path),
        _ => Ok(path.to_owned()),
    }
}

fn crio() -> Result<Node, InstallError> {
    let (_, program, unit) = running("crio")?;
    let path = PathBuf::from("/etc/crio/crio.conf");
    let text = host::read(&path)?;
    Ok(Node {
        version: version(&program)?,
        unit,
        socket: "/var/run/crio/crio.sock".into(),
        program,
        main: (path, text),
        configuration: Configuration::of_crio(),
        dump: None,
    })
}

/// The runtime in the node's own root folder: its process's folder in /proc, its program and its unit.
fn running(name: &str) -> Result<(PathBuf, String, String), InstallError> {
    let root = fs::metadata("/").map_err(unfit)?;
    let is_of_node = |process: &Path| {
        fs::metadata(process.join("root"))
            .is_ok_and(|process_root| (process_root.dev(), process_root.ino()) == (root.dev(), root.ino()))
    };
    let processes = fs::read_dir("/proc")
        .map_err(unfit)?
        .filter_map(Result::ok)
        .map(|entry| entry.path());
    let found = processes.filter(|process| {
        fs::read_to_string(process.join("comm")).is_ok_and(|comm| comm.trim() == name) && is_of_node(process)
    });
    let candidates: Vec<Candidate> = found.map(candidate).collect();
    let (process, unit) = process::choose(name, &candidates).map_err(unfit)?;
    let program = fs::read_link(process.join("exe")).map_err(|error| unfit(format!("{name}'s program: {error}")))?;
    // One that a newer package has taken the place of.
    let program = program.display().to_string();
    let program = PathBuf::from(program.strip_suffix(" (deleted)").unwrap_or(&program));
    // k3s is one program that goes by many names.
    let named = program.with_file_name(name);
    let program = if named.exists() { named } else { program };
    refuse_foreign(&program)?;
    Ok((process, program.display().to_string(), unit))
}

/// What ends meanwhile is nobody's.
fn candidate(process: PathBuf) -> Candidate {
    let text = |name: &str| fs::read_to_string(process.join(name)).unwrap_or_default();
    Candidate {
        is_of_root: process::is_of_root(&text("status")),
        unit: process::unit(&text("cgroup")).map(str::to_owned),
        process,
    }
}

/// A program is run by root here: nobody else may be able to put another one in its place.
fn refuse_foreign(program: &Path) -> Result<(), InstallError> {
    let place = fs::canonicalize(program).map_err(|error| unfit(format!("{}: {error}", program.display())))?;
    for path in place.ancestors() {
        let metadata = fs::metadata(path).map_err(|error| unfit(format!("{}: {error}", path.display())))?;
        if !process::is_for_root_alone(metadata.uid(), metadata.gid(), metadata.mode()) {
            return Err(unfit(format!(
                "{} is not run as root: {} belongs to somebody else, or others may write to it",
                program.display(),
                path.display()
            )));
        }
    }
    Ok(())
}

fn version(program: &str) -> Result<String, InstallError> {
    let said = host::run(program, &["--version"], LOOK_LIMIT)?;
    let version = process::version(&said.stdout).map(str::to_owned);
    version.ok_or_else(|| unfit(format!("{program} --version says: {}{}", said.stdout, said.stderr)))
}

/// What containerd makes of a configuration; of its defaults, where there is no file.
fn dump(program: &str, path: Option<&Path>) -> Result<Dump, String> {
    let path = path.map(|path| path.display().to_string());
    let named: Vec<&str> = path.iter().flat_map(|path| ["--config", path]).collect();
    dumped(host::run(
        program,
        &[&named[..], &["config", "dump"]].concat(),
        LOOK_LIMIT,
    ))
}

fn dumped(said: Result<CommandOutput, InstallError>) -> Result<Dump, String> {
    match said.map_err(|trouble| [vec![trouble.sentence], trouble.because].concat().join(": "))? {
        CommandOutput {
            success: true, stdout, ..
        } => Dump::read(&stdout),
        CommandOutput { stderr, .. } => Err(stderr),
    }
}

impl Node {
    /// Has the runtime load another text in place of its main file, without putting it anywhere on the node. Nothing for
    /// CRI-O.
    ///
    /// # Errors
    /// When it does not load it.
    pub fn dump_with(&self, text: &str) -> Result<Option<Dump>, String> {
        if self.dump.is_none() {
            return Ok(None);
        }
        let folder = self.main.0.parent().unwrap_or(Path::new("/"));
        let text = entry::with_full_imports(text, folder)?;
        let arguments = ["--config", "/proc/self/fd/0", "config", "dump"];
        dumped(host::run_on(&text, &self.program, &arguments, LOOK_LIMIT)).map(Some)
    }

    /// Whether the runtime does not know one of these handlers by this program; CRI-O does not tell.
    pub fn lacks(&self, handlers: &[String], program: &str) -> bool {
        let lacks = |dump: &Dump| handlers.iter().any(|handler| dump.program(handler) != Some(program));
        self.dump.as_ref().is_some_and(lacks)
    }

    /// What the runtime makes of its configuration as it is now. Nothing for CRI-O, and for one that is made at each start.
    ///
    /// # Errors
    /// When it does not load it.
    pub fn dump_now(&self) -> Result<Option<Dump>, String> {
        match (&self.dump, &self.configuration.method) {
            (None, _) | (_, ConfigMethod::Template(_)) => Ok(None),
            _ => dump(&self.program, Some(self.main.0.as_path()).filter(|path| path.exists())).map(Some),
        }
    }

    /// The text of the main file, as it was looked at.
    pub fn main_text(&self) -> &str {
        self.main.1.as_deref().unwrap_or_default()
    }
}

/// The handler's name must be free, or ours.
///
/// # Errors
/// When it is somebody else's.
pub fn refuse_taken(node: &Node, handler: &str) -> Result<(), InstallError> {
    let taken = match &node.dump {
        Some(dump) => dump.has(handler) && !dump.program(handler).is_some_and(|program| program.starts_with(FOLDER)),
        None => taken_in_crio(node.configuration.path(), handler)?,
    };
    if !taken {
        return Ok(());
    }
    Err(InstallError::new(
        HANDLER_TAKEN,
        format!("the node has a runtime of the name `{handler}` that is not ours"),
    )
    .hint("choose another name with --handler, and a RuntimeClass with that handler; or take that runtime away"))
}

fn taken_in_crio(ours: &Path, handler: &str) -> Result<bool, InstallError> {
    let folder = ours.parent().unwrap_or(ours);
    let files = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .map(|entry| entry.path());
    let others = files
        .filter(|path| path != ours)
        .chain([PathBuf::from("/etc/crio/crio.conf")]);
    for path in others {
        let text = host::read(&path)?.unwrap_or_default();
        if entry::handlers(&text, Form::Crio).iter().any(|name| name == handler) {
            return Ok(true);
        }
    }
    Ok(false)
}
