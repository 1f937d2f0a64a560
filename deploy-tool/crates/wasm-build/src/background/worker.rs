//! Edge: a `deploy-tool build` that goes on when this process has ended, and what a later one finds of it.
//! [`Lookup::state`] decides.
//!
//! Its output is its log, which it holds locked by that: the lock goes with the process, however that ends.

use std::ffi::OsStr;
use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};

use super::{Job, JobState, Lookup, reason};
use diagnostics::{Error, Result};
use host::cache::Cache;
use oci_artifacts::digest;

/// The place of the background's work on one image of one project. There is one at a time.
#[derive(Clone, Debug)]
pub struct Background<'a> {
    cache: &'a Cache,
    record: PathBuf,
    /// Its log.
    pub log: PathBuf,
}

impl<'a> Background<'a> {
    /// The place of an image, by the folders of its workspace and of the definitions.
    ///
    /// # Errors
    /// When the cache cannot be used.
    pub fn new(cache: &'a Cache, workspace: &Path, images: &Path, name: &str) -> Result<Self> {
        let absolute = |folder: &Path| {
            let failure = |error| Error::file(format!("cannot look at `{}`", folder.display()), &error);
            // A project without definitions of images has no folder of them.
            if folder.exists() {
                folder.canonicalize().map_err(failure)
            } else {
                std::path::absolute(folder).map_err(failure)
            }
        };
        let folders = [absolute(workspace)?, absolute(images)?];
        let named = folders.iter().map(|folder| ("", folder.as_os_str().as_encoded_bytes()));
        let key = format!("{name}-{}", &digest::parts(named)[..8]);
        Ok(Self {
            cache,
            record: cache.path(format!("background/{key}.json"))?,
            log: cache.path(format!("logs/background-{key}.log"))?,
        })
    }

    /// Checks the state of the job, if there was one. Ends an outdated one; returns the error of a failed one, once.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn check_lost(&self, sources: &str, is_made: impl FnOnce(&str) -> Result<bool>) -> Result<Option<Error>> {
        let Some(work) = self.read_job()? else { return Ok(None) };
        let found = Lookup {
            lives: self.is_running()?,
            is_current: work.sources == sources,
            is_made: is_made(&work.sources)?,
        };
        let lost = match found.state() {
            JobState::UnderWay => return Ok(None),
            JobState::Done => None,
            JobState::Outdated => {
                end(work.process)?;
                None
            }
            JobState::Lost => {
                let log = std::fs::read_to_string(&self.log).unwrap_or_default();
                let lost = Error::prerequisite("compiling ahead of time in the background was not finished");
                Some(
                    lost.cause(reason(&log))
                        .hint(format!("read what it said: {}", self.log.display())),
                )
            }
        };
        remove(&self.record)?;
        Ok(lost)
    }

    /// Runs a command of this program in the background, unless one is at work on the same sources. Returns its process.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn begin(&self, program: &Path, arguments: &[&OsStr], sources: &str) -> Result<u32> {
        if let Some(work) = self.read_job()?.filter(|work| work.sources == sources)
            && self.is_running()?
        {
            return Ok(work.process);
        }
        let failure = |error| {
            Error::file(
                format!("cannot start `{}` in the background", program.display()),
                &error,
            )
        };
        // Another file than that of one which is about to end.
        remove(&self.log)?;
        let start = || {
            std::fs::create_dir_all(self.log.parent().unwrap_or(Path::new("/")))?;
            let log = File::create_new(&self.log)?;
            log.lock()?;
            // In a group of its own: Ctrl-C in the terminal and its end are not for it.
            let mut command = Command::new(program);
            command.args(arguments).stdin(Stdio::null()).process_group(0);
            command.stdout(log.try_clone()?).stderr(log).spawn()
        };
        let process = start().map_err(failure)?.id();
        let sources = sources.to_owned();
        let record = serde_json::to_vec(&Job { process, sources }).map_err(|error| failure(error.into()))?;
        self.cache.write(&self.record, &record)?;
        Ok(process)
    }

    fn read_job(&self) -> Result<Option<Job>> {
        match std::fs::read(&self.record) {
            // A record that cannot be read is of another version of this program: nothing is known of it.
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::file(format!("cannot read `{}`", self.record.display()), &error)),
        }
    }

    fn is_running(&self) -> Result<bool> {
        let failure = |error| Error::file(format!("cannot look at `{}`", self.log.display()), &error);
        let log = match File::open(&self.log) {
            Ok(log) => log,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(failure(error)),
        };
        match log.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(failure(error)),
        }
    }
}

/// Ends a running process, which cleans up before it releases its locks.
fn end(process: u32) -> Result<()> {
    let process = i32::try_from(process).ok().and_then(Pid::from_raw);
    match process.map(|process| kill_process(process, Signal::TERM)) {
        // It has ended by itself in between.
        None | Some(Ok(()) | Err(Errno::SRCH)) => Ok(()),
        Some(Err(error)) => {
            let failure = Error::prerequisite("cannot end what compiles older sources in the background");
            Err(failure.cause(error))
        }
    }
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Error::file(format!("cannot remove `{}`", path.display()), &error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    fn begin(background: &Background<'_>, script: &str, sources: &str) -> u32 {
        let arguments = [OsStr::new("-c"), OsStr::new(script)];
        background.begin(Path::new("/bin/sh"), &arguments, sources).unwrap()
    }

    fn ends(background: &Background<'_>) {
        let start = Instant::now();
        while background.is_running().unwrap() {
            assert!(start.elapsed() < Duration::from_secs(60), "it lives on");
            std::thread::yield_now();
        }
    }

    #[test]
    fn one_at_a_time_and_what_is_lost_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path()).unwrap();
        let background = Background::new(&cache, folder.path(), folder.path(), "app").unwrap();
        let (made, not_made) = (|_: &str| Ok(true), |_: &str| Ok(false));
        assert_eq!(background.check_lost("one", not_made).unwrap(), None);

        // Under way: nothing to tell, and no second one.
        let process = begin(&background, "exec sleep 1000", "one");
        assert_eq!(background.check_lost("one", not_made).unwrap(), None);
        assert_eq!(begin(&background, "exec sleep 1000", "one"), process);

        // Outdated: it is ended, and there is nothing to tell.
        assert_eq!(background.check_lost("two", not_made).unwrap(), None);
        ends(&background);
        assert_eq!(background.check_lost("two", not_made).unwrap(), None);

        // Failed: told once.
        begin(&background, "echo; echo error: no; echo '  next: x'", "two");
        ends(&background);
        let lost = background.check_lost("two", not_made).unwrap().unwrap().to_string();
        assert!(
            lost.contains("because: no") && lost.contains("background-app"),
            "{lost}"
        );
        assert_eq!(background.check_lost("two", not_made).unwrap(), None);

        // Killed while the sources changed: told as well.
        begin(&background, "kill -9 $$", "three");
        ends(&background);
        let lost = background.check_lost("four", not_made).unwrap().unwrap().to_string();
        assert!(lost.contains("it was killed"), "{lost}");

        // Done.
        begin(&background, "true", "five");
        ends(&background);
        assert_eq!(background.check_lost("five", made).unwrap(), None);
        assert_eq!(background.read_job().unwrap(), None);
    }
}
