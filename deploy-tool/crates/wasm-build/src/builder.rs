//! Edge: the builder image, and programs that run in it. Paths in the container are the same on every machine, so the
//! bytes that come out are too.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::{BUILDER_IMAGE, RECIPE_LABEL};
use diagnostics::code::image::NOT_ON_HOST;
use diagnostics::{Error, Result};
use host::cache::Cache;
use host::cleanup::Cleanup;
use host::docker::{self, LocalImage};
use host::lock;
use host::process::{self, Logged};
use oci_artifacts::digest;
use oci_artifacts::image::ENGINE_LABEL;
use terminal::Progress;

/// Label of a container: the cache that it works for, and its task. There is one at a time.
const TASK_LABEL: &str = "deploy-tool.task";
/// The owner's files in a home folder are out of reach for containers that SELinux confines. A label of their own (`:z`) would
/// stay on them.
const UNCONFINED: &str = "--security-opt=label=disable";
/// The least share of the processors, where others want them; the usual one is 1024.
/// <https://docs.docker.com/engine/containers/resource_constraints/#configure-the-default-cfs-scheduler>
const LEAST_SHARE: &str = "--cpu-shares=2";

/// The builder of this host.
#[derive(Clone, Debug)]
pub struct Builder {
    /// Where its results are kept.
    pub cache: Cache,
    /// A hash of how its image was made.
    pub recipe: String,
    /// Its version of WasmEdge.
    pub engine: String,
    gives_way: bool,
    cleanup: Cleanup,
}

impl Builder {
    /// Finds it; `cleanup` removes what a run of it leaves behind, `gives_way`: whether all else on this host is to come first.
    ///
    /// # Errors
    /// When this host has none.
    pub async fn find(cache: &Cache, cleanup: &Cleanup, gives_way: bool) -> Result<Self> {
        made_for(std::env::consts::OS, std::env::consts::ARCH)?;
        let image: LocalImage = docker::required_image(BUILDER_IMAGE).await?;
        let engine = image.label(ENGINE_LABEL).ok_or_else(|| {
            Error::prerequisite(format!(
                "the image `{BUILDER_IMAGE}` does not say which WasmEdge it has"
            ))
            .cause(format!("its label `{ENGINE_LABEL}` is missing"))
            .code(&NOT_ON_HOST)
            .hint("make the builder image again")
        })?;
        Ok(Self {
            cache: cache.clone(),
            recipe: image.label(RECIPE_LABEL).unwrap_or(&image.id).to_owned(),
            engine: engine.to_owned(),
            gives_way,
            cleanup: cleanup.clone(),
        })
    }

    /// Takes the lock of a task; waits for the holder.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub async fn lock(&self, progress: &Progress, task: &str) -> Result<lock::Lock> {
        lock::builder(&self.cache, progress, task).await
    }

    /// Runs a program without network, as the user who owns the cache, so that its files stay that user's. The task's lock
    /// must be held.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn run(
        &self,
        progress: &Progress,
        task: &str,
        mounts: &[(&Path, &str)],
        options: &[&str],
        program: &[String],
    ) -> Result<Logged> {
        let label = format!("{TASK_LABEL}={}", self.task_label(task));
        remove_left(&label).await?;
        let name = format!("deploy-tool-{task}-{}", std::process::id());
        // A container outlives the client that started it.
        let removal = self.cleanup.guard(remove(name.clone()));
        let root = self.cache.folder();
        let owner = std::fs::metadata(root)
            .map_err(|error| Error::file(format!("cannot look at `{}`", root.display()), &error))?;
        let own: Vec<String> = [format!("--name={name}"), format!("--label={label}")]
            .into_iter()
            .chain(user(owner.uid(), owner.gid(), &docker::security_options().await?))
            .collect();
        let priority = self.gives_way.then_some(LEAST_SHARE);
        let options: Vec<&str> = priority.into_iter().chain(options.iter().copied()).collect();
        let arguments = arguments(&own, mounts, &options, program);
        let command = process::command("docker", arguments);
        let ended = process::logged(progress, command, &self.cache.log(task)).await?;
        removal.cancel();
        Ok(ended)
    }

    fn task_label(&self, task: &str) -> String {
        let cache = digest::hex(self.cache.folder().as_os_str().as_encoded_bytes());
        format!("{}-{task}", &cache[..16])
    }
}

/// The options by which a container's files are those of a user of this host. In an engine without root, that user is the
/// container's root, and others have ids of their own; so have all where an engine maps users, unless it is told not to.
/// <https://docs.docker.com/engine/security/userns-remap/>
fn user(uid: u32, gid: u32, security_options: &[String]) -> Vec<String> {
    let has = |name: &str| {
        security_options
            .iter()
            .any(|option| option.split(',').any(|field| field == name))
    };
    if has("name=rootless") {
        return vec!["--user=0:0".to_owned()];
    }
    let mapped = has("name=userns").then(|| "--userns=host".to_owned());
    [format!("--user={uid}:{gid}")].into_iter().chain(mapped).collect()
}

/// What Docker's client is asked.
fn arguments(own: &[String], mounts: &[(&Path, &str)], options: &[&str], program: &[String]) -> Vec<String> {
    let fixed = ["run", "--rm", "--init", "--network=none", "--pull=never", UNCONFINED].map(str::to_owned);
    let volumes = mounts
        .iter()
        .map(|(host, guest)| format!("--volume={}:{guest}", host.display()));
    let options = options.iter().map(|&option| option.to_owned());
    let image = [BUILDER_IMAGE.to_owned()];
    let before = fixed.into_iter().chain(own.iter().cloned()).chain(volumes);
    let after = options.chain(image).chain(program.iter().cloned());
    before.chain(after).collect()
}

/// The image of the compiler is made for one kind of machine, see scripts/host.
fn made_for(system: &str, machine: &str) -> Result<()> {
    match (system, machine) {
        ("linux", "x86_64") => Ok(()),
        _ => Err(
            Error::prerequisite("Wasm modules are compiled on Linux on x86-64 alone")
                .cause(format!("this is {system} on {machine}"))
                .hint(
                    "build there, and deploy from here: `apply`, `plan`, `status`, `logs` and the like work everywhere",
                ),
        ),
    }
}

/// Removes what a run has left that was killed: it would write to files that another one has now.
async fn remove_left(label: &str) -> Result<()> {
    let filter = format!("--filter=label={label}");
    let left = docker::run("cannot list containers", ["ps", "--all", "--quiet", &filter]).await?;
    for container in left.split_whitespace() {
        remove(container.to_owned()).await?;
    }
    Ok(())
}

/// Removes a container. One that has just ended by itself is no error.
async fn remove(container: String) -> Result<()> {
    let output = process::capture(process::command("docker", ["rm", "--force", &container])).await?;
    let is_gone = |stderr: &str| {
        let stderr = stderr.to_ascii_lowercase();
        stderr.contains("no such container") || stderr.contains("is already in progress")
    };
    if output.success || is_gone(&output.stderr) {
        Ok(())
    } else {
        Err(docker::explain(
            "cannot remove a container of the builder",
            &output.stderr,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use diagnostics::ExitStatus;

    #[test]
    fn folders_of_the_owner_are_open_to_a_container_that_reaches_nothing_else() {
        let mounts = [(Path::new("/home/me/src"), "/src:ro")];
        let docker_arguments = arguments(
            &["--user=1000:1000".to_owned()],
            &mounts,
            &["--env=A=b"],
            &["cargo".to_owned()],
        );
        let (options, rest) = docker_arguments.split_at(docker_arguments.len() - 2);
        assert_eq!(rest, [BUILDER_IMAGE, "cargo"]);
        for option in [
            "--security-opt=label=disable",
            "--network=none",
            "--user=1000:1000",
            "--volume=/home/me/src:/src:ro",
            "--env=A=b",
        ] {
            assert!(
                options.iter().any(|word| word == option),
                "{option} is not in {options:?}"
            );
        }
    }

    #[test]
    fn files_of_a_container_belong_to_the_user_in_each_kind_of_engine() {
        let seccomp = "name=seccomp,profile=builtin";
        for (options, expected) in [
            (&[seccomp][..], &["--user=1000:100"][..]),
            (&[seccomp, "name=rootless", "name=cgroupns"], &["--user=0:0"]),
            (&["name=userns", seccomp], &["--user=1000:100", "--userns=host"]),
            (&[], &["--user=1000:100"]),
        ] {
            let options: Vec<String> = options.iter().map(ToString::to_string).collect();
            assert_eq!(user(1000, 100, &options), expected);
        }
    }

    #[test]
    fn another_kind_of_machine_is_refused_by_name() {
        assert!(made_for("linux", "x86_64").is_ok());
        for (system, machine) in [("linux", "aarch64"), ("macos", "aarch64"), ("macos", "x86_64")] {
            let refused = made_for(system, machine).unwrap_err();
            assert_eq!(refused.status, ExitStatus::Prerequisite);
            assert_eq!(refused.causes(), [format!("this is {system} on {machine}")]);
        }
    }
}
