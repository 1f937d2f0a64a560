//! What a user reads when something cannot be done: what, why, what to do next, and the exit code that goes with it.

use std::fmt;
use std::process::ExitCode;

use crate::error_code::Code;

/// How a run ended. The numbers are an interface: `--help` lists them and tests check them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// Everything asked for is done, or was so already.
    Done = 0,
    /// The arguments, the settings, a manifest or the service's own source need a change.
    Input = 1,
    /// The cluster could not be reached, refused an object, or what was applied does not come up.
    Cluster = 2,
    /// Something is missing on this host: Docker, kind, an image, disk space.
    Prerequisite = 3,
    /// Another deploy-tool has locked the release or the cluster.
    Busy = 4,
    /// What was applied is neither ready nor failed within the time given.
    Undecided = 5,
    /// `plan --exit-code`: there is something to do. No error has this number.
    Differs = 10,
    /// Stopped by SIGINT or SIGTERM.
    Interrupted = 130,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status as u8)
    }
}

/// The part of `--help` that documents [`ExitStatus`].
pub const EXIT_CODES: &str = "Exit codes:
  0    done, or there was nothing to do
  1    your input: arguments, a manifest, or source that does not compile
  2    the cluster: not reachable, refuses an object, or that does not come up
  3    this host: Docker, kind, an image or disk space is missing
  4    another deploy-tool has locked the release or the cluster
  5    not decided in time: what was applied is neither ready nor failed
  10   plan --exit-code: there is something to do
  130  interrupted";

/// Something that could not be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The exit code of the run.
    pub status: ExitStatus,
    code: Option<&'static Code>,
    message: String,
    causes: Vec<String>,
    details: Vec<String>,
    hints: Vec<String>,
}

/// The result of everything that can fail in front of a user.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    fn new(status: ExitStatus, message: impl Into<String>) -> Self {
        Self {
            status,
            code: None,
            message: message.into(),
            causes: Vec::new(),
            details: Vec::new(),
            hints: Vec::new(),
        }
    }

    /// The user's arguments, settings, manifests or source are at fault.
    pub fn input(message: impl Into<String>) -> Self {
        Self::new(ExitStatus::Input, message)
    }

    /// The cluster is at fault.
    pub fn cluster(message: impl Into<String>) -> Self {
        Self::new(ExitStatus::Cluster, message)
    }

    /// The time is over, and nothing is decided.
    pub fn undecided(message: impl Into<String>) -> Self {
        Self::new(ExitStatus::Undecided, message)
    }

    /// This host lacks something.
    pub fn prerequisite(message: impl Into<String>) -> Self {
        Self::new(ExitStatus::Prerequisite, message)
    }

    /// Another run is in the way.
    pub fn busy(message: impl Into<String>) -> Self {
        Self::new(ExitStatus::Busy, message)
    }

    /// A signal ended the run.
    pub fn interrupted(message: impl Into<String>) -> Self {
        Self::new(ExitStatus::Interrupted, message)
    }

    /// A file on this host could not be read or written. A full disk is told apart.
    pub fn file(message: impl Into<String>, error: &std::io::Error) -> Self {
        let failure = Self::prerequisite(message).cause(error);
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => failure.hint(DISK_FULL_HINT),
            _ => failure,
        }
    }

    /// Gives it a number of the catalogue.
    #[must_use]
    pub fn code(mut self, code: &'static Code) -> Self {
        self.code = Some(code);
        self
    }

    /// Its number, if it has one.
    pub fn number(&self) -> Option<&'static Code> {
        self.code
    }

    /// Adds why it could not be done; called again, adds the cause of that cause.
    #[must_use]
    pub fn cause(mut self, cause: impl fmt::Display) -> Self {
        self.causes.push(cause.to_string().trim_end().to_owned());
        self
    }

    /// Adds lines that show it, such as the end of a log.
    #[must_use]
    pub fn detail(mut self, details: impl Into<String>) -> Self {
        self.details.push(details.into());
        self
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        let hint = hint.into();
        if !hint.is_empty() && !self.hints.contains(&hint) {
            self.hints.push(hint);
        }
        self
    }

    /// The first sentence alone.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What and why in one sentence, for a line of its own.
    pub fn sentence(&self) -> String {
        let causes = self.causes.iter().map(String::as_str);
        let parts: Vec<&str> = std::iter::once(self.message.as_str()).chain(causes).collect();
        parts.join(": ").split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Why, and the causes of that.
    pub fn causes(&self) -> &[String] {
        &self.causes
    }

    /// What shows it.
    pub fn details(&self) -> &[String] {
        &self.details
    }

    /// What to do next.
    pub fn hints(&self) -> &[String] {
        &self.hints
    }
}

/// What to do about a full disk.
pub const DISK_FULL_HINT: &str = "the disk is full: free some space, for instance with `docker system prune`, \
     then run the same command again";

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message.replace('\n', "\n    "))?;
        for cause in &self.causes {
            write!(f, "\n  because: {}", cause.replace('\n', "\n    "))?;
        }
        for detail in &self.details {
            for line in detail.lines() {
                write!(f, "\n    | {line}")?;
            }
        }
        for hint in &self.hints {
            write!(f, "\n  next: {}", hint.replace('\n', "\n    "))?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_why_and_what_next_in_this_order() {
        let failure = Error::cluster("failed to apply Deployment `app`")
            .cause("refused")
            .detail("one\ntwo")
            .hint("do this")
            .hint("do this");
        assert_eq!(
            failure.to_string(),
            "failed to apply Deployment `app`\n  because: refused\n    | one\n    | two\n  next: do this"
        );
    }

    #[test]
    fn a_full_disk_gets_its_own_advice() {
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let failure = Error::file("cannot write `x`", &full);
        assert!(failure.to_string().contains("the disk is full"));
        assert_eq!(failure.status, ExitStatus::Prerequisite);
    }

    #[test]
    fn every_exit_code_is_documented() {
        for status in [
            ExitStatus::Done,
            ExitStatus::Input,
            ExitStatus::Cluster,
            ExitStatus::Prerequisite,
            ExitStatus::Busy,
            ExitStatus::Undecided,
            ExitStatus::Differs,
            ExitStatus::Interrupted,
        ] {
            let start = format!("\n  {} ", status as u8);
            assert!(EXIT_CODES.contains(&start), "{status:?} is missing");
        }
    }
}
