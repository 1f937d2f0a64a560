//! Edge: what there is on the node. [`crate::way`], [`crate::process`] and [`crate::mounts`] decide what it means.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::dump::Dump;
use crate::entry::{self, Form};
use crate::host::{self, Said};
use crate::mounts::is_read_only;
use crate::record::FOLDER;
use crate::report::Trouble;
use crate::way::{Configuration, Way};
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

fn unfit(because: impl std::fmt::Display) -> Trouble {
    Trouble::new(UNFIT, "the node cannot take the engine").because(because)
}

/// Looks at everything that must be so, and changes nothing.
///
/// # Errors
/// When something is not so: what.
pub fn node(runtime: Runtime, handler: &str) -> Result<Node, Trouble> {
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
        Runtime::Containerd => containerd()?,
        Runtime::Crio => crio()?,
    };
    if node.dump.as_ref().is_some_and(Dump::systemd_cgroup) {
        service::connect(&service::SYSTEMD).map_err(|refused| {
            let trouble = unfit("containerd leaves cgroups to systemd (SystemdCgroup), which the engine cannot ask here");
            refused
                .iter()
                .fold(trouble, Trouble::because)
                .next("start the system's D-Bus daemon on the node (`systemctl start dbus.socket`), which every container's start needs")
        })?;
    }
    let mounts = host::read(Path::new("/proc/self/mountinfo"))?.unwrap_or_default();
    for path in [Path::new(FOLDER), node.configuration.path()] {
        if is_read_only(&mounts, &path.display().to_string()) {
            return Err(unfit(format!(
                "{} is on a file system that is mounted read-only",
                path.display()
            ))
            .next("on an operating system like this, the engine must be part of the node's image"));
        }
    }
    let mode = service::kill_mode(&node.unit)?;
    if runtime == Runtime::Containerd && !matches!(mode.as_str(), "process" | "mixed" | "none") {
        return Err(unfit(format!(
            "restarting {} would end its pods: its KillMode is {mode}",
            node.unit
        ))
        .next("let the unit have KillMode=process, as containerd's own has"));
    }
    refuse_taken(&node, handler)?;
    Ok(node)
}

fn containerd() -> Result<Node, Trouble> {
    let (process, program, unit) = running("containerd")?;
    let line = host::read(&process.join("cmdline"))?.unwrap_or_default();
    let path = PathBuf::from(process::configuration(&line).unwrap_or("/etc/containerd/config.toml"));
    let text = host::read(&path)?;
    let version = version(&program)?;
    let configuration =
        Configuration::of_containerd(&version, &path, text.as_deref().unwrap_or_default()).map_err(unfit)?;
    let dump = dump(&program, text.as_ref().map(|_| path.as_path()))
        .map_err(|error| unfit("containerd cannot load the configuration that it has already").because(error))?;
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

fn crio() -> Result<Node, Trouble> {
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

/// The process of that name in the node's own root folder: its folder in /proc, its program and its unit.
fn running(name: &str) -> Result<(PathBuf, String, String), Trouble> {
    let root = fs::metadata("/").map_err(unfit)?;
    let is_of_node = |process: &Path| {
        fs::metadata(process.join("root")).is_ok_and(|other| (other.dev(), other.ino()) == (root.dev(), root.ino()))
    };
    let processes = fs::read_dir("/proc")
        .map_err(unfit)?
        .filter_map(Result::ok)
        .map(|entry| entry.path());
    let mut found = processes.filter(|process| {
        fs::read_to_string(process.join("comm")).is_ok_and(|comm| comm.trim() == name) && is_of_node(process)
    });
    let process = found
        .next()
        .ok_or_else(|| unfit(format!("no process of it is called {name}")))?;
    let program = fs::read_link(process.join("exe")).map_err(|error| unfit(format!("{name}'s program: {error}")))?;
    // k3s is one program that goes by many names.
    let named = program.with_file_name(name);
    let program = if named.exists() { named } else { program };
    let groups = host::read(&process.join("cgroup"))?.unwrap_or_default();
    let unit = process::unit(&groups)
        .ok_or_else(|| unfit(format!("{name} runs in no unit of systemd, which could restart it")))?;
    Ok((process, program.display().to_string(), unit.to_owned()))
}

fn version(program: &str) -> Result<String, Trouble> {
    let said = host::run(program, &["--version"])?;
    let version = process::version(&said.stdout).map(str::to_owned);
    version.ok_or_else(|| unfit(format!("{program} --version says: {}{}", said.stdout, said.stderr)))
}

/// What containerd makes of a configuration; of its defaults, where there is no file.
fn dump(program: &str, path: Option<&Path>) -> Result<Dump, String> {
    let path = path.map(|path| path.display().to_string());
    let named: Vec<&str> = path.iter().flat_map(|path| ["--config", path]).collect();
    let said = host::run(program, &[&named[..], &["config", "dump"]].concat())
        .map_err(|trouble| trouble.because.join(": "))?;
    match said {
        Said {
            success: true, stdout, ..
        } => Dump::read(&stdout),
        Said { stderr, .. } => Err(stderr),
    }
}

impl Node {
    /// Has the runtime load its configuration with another text in place of the file of [`Configuration::path`], without
    /// putting it there. Nothing for CRI-O.
    ///
    /// # Errors
    /// When it does not load it.
    pub fn dump_with(&self, text: &str) -> Result<Option<Dump>, String> {
        if self.dump.is_none() {
            return Ok(None);
        }
        let (path, _) = &self.main;
        // The folder is the same, so relative imports lead to the same files.
        let beside = host::beside(path);
        let loaded = fs::write(&beside, text).map_err(|error| format!("{}: {error}", beside.display()));
        let loaded = loaded.and_then(|()| dump(&self.program, Some(&beside)));
        host::remove(&beside).map_err(|trouble| trouble.because.join(": "))?;
        loaded.map(Some)
    }

    /// What the runtime makes of its configuration as it is now. Nothing for CRI-O, and for one that is made at each start.
    ///
    /// # Errors
    /// When it does not load it.
    pub fn dump_now(&self) -> Result<Option<Dump>, String> {
        match (&self.dump, &self.configuration.way) {
            (None, _) | (_, Way::Template(_)) => Ok(None),
            _ => dump(&self.program, Some(self.main.0.as_path()).filter(|path| path.exists())).map(Some),
        }
    }

    /// The text of the main file, as it was looked at.
    pub fn main_text(&self) -> &str {
        self.main.1.as_deref().unwrap_or_default()
    }
}

/// The handler's name must be free, or ours.
fn refuse_taken(node: &Node, handler: &str) -> Result<(), Trouble> {
    let taken = match &node.dump {
        Some(dump) => dump.has(handler) && !dump.program(handler).is_some_and(|program| program.starts_with(FOLDER)),
        None => taken_in_crio(node.configuration.path(), handler)?,
    };
    if !taken {
        return Ok(());
    }
    Err(Trouble::new(
        HANDLER_TAKEN,
        format!("the node has a runtime of the name `{handler}` that is not ours"),
    )
    .next("choose another name with --handler, and a RuntimeClass with that handler; or take that runtime away"))
}

fn taken_in_crio(ours: &Path, handler: &str) -> Result<bool, Trouble> {
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
