//! Finds the process of the container runtime in /proc. [`crate::process`] decides among the candidates.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::host::{self, LOOK_LIMIT};
use crate::process::{self, Candidate};
use crate::report::InstallError;

/// The running container runtime.
pub(super) struct RuntimeProcess {
    /// The folder of the process in /proc.
    pub process: PathBuf,
    /// The path of its program.
    pub program: String,
    /// Its systemd unit.
    pub unit: String,
}

/// Finds the runtime among the processes that have the node's root folder: those of containers have another one.
pub(super) fn find_process(name: &str) -> Result<RuntimeProcess, InstallError> {
    let root = fs::metadata("/").map_err(InstallError::unsupported_node)?;
    let is_on_node = |process: &Path| {
        fs::metadata(process.join("root"))
            .is_ok_and(|process_root| (process_root.dev(), process_root.ino()) == (root.dev(), root.ino()))
    };
    let processes = fs::read_dir("/proc")
        .map_err(InstallError::unsupported_node)?
        .filter_map(Result::ok)
        .map(|entry| entry.path());
    let named = processes.filter(|process| {
        fs::read_to_string(process.join("comm")).is_ok_and(|comm| comm.trim() == name) && is_on_node(process)
    });
    let candidates: Vec<Candidate> = named.map(read_candidate).collect();
    let (process, unit) = process::choose_process(name, &candidates).map_err(InstallError::unsupported_node)?;
    let program = program_path(&process, name)?;
    refuse_writable_by_others(&program)?;
    Ok(RuntimeProcess {
        process,
        program: program.display().to_string(),
        unit,
    })
}

/// A process that exits during the scan has empty files, and is skipped: it is not root's.
fn read_candidate(process: PathBuf) -> Candidate {
    let text = |name: &str| fs::read_to_string(process.join(name)).unwrap_or_default();
    Candidate {
        runs_as_root: process::runs_as_root(&text("status")),
        unit: process::parse_unit(&text("cgroup")).map(str::to_owned),
        process,
    }
}

fn program_path(process: &Path, name: &str) -> Result<PathBuf, InstallError> {
    let program = fs::read_link(process.join("exe"))
        .map_err(|error| InstallError::unsupported_node(format!("{name}'s program: {error}")))?;
    // The kernel appends " (deleted)" after an upgrade of the package has replaced the file of the running program.
    let program = program.display().to_string();
    let program = PathBuf::from(program.strip_suffix(" (deleted)").unwrap_or(&program));
    // k3s is a multi-call binary: the link `containerd` beside it selects the program.
    let named = program.with_file_name(name);
    Ok(if named.exists() { named } else { program })
}

/// The installer runs this program as root, so only root may be able to replace it.
fn refuse_writable_by_others(program: &Path) -> Result<(), InstallError> {
    let file_error = |path: &Path, error| InstallError::unsupported_node(format!("{}: {error}", path.display()));
    let resolved = fs::canonicalize(program).map_err(|error| file_error(program, error))?;
    for path in resolved.ancestors() {
        let metadata = fs::metadata(path).map_err(|error| file_error(path, error))?;
        if !process::is_writable_by_root_only(metadata.uid(), metadata.gid(), metadata.mode()) {
            return Err(InstallError::unsupported_node(format!(
                "{} is not run as root: {} belongs to another user, or other users may write to it",
                program.display(),
                path.display()
            )));
        }
    }
    Ok(())
}

/// The version that the program prints.
pub(super) fn read_version(program: &str) -> Result<String, InstallError> {
    let output = host::run(program, &["--version"], LOOK_LIMIT)?;
    let version = process::parse_version(&output.stdout).map(str::to_owned);
    version.ok_or_else(|| {
        InstallError::unsupported_node(format!("{program} --version says: {}{}", output.stdout, output.stderr))
    })
}
