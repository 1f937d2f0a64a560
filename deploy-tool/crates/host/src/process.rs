//! Edge: runs other programs. Their output goes to a log file that the error names.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::process::Command;

use crate::cleanup::CleanupGuard;
use diagnostics::{Error, Result};
use terminal::Progress;

/// A longer line of a program is taken for several, in bytes.
const LONGEST_LINE: usize = 64 << 10;
/// How many of the last lines of a log an error shows.
const SHOWN_LINES: usize = 12;

/// What a program that ended well, or badly, has said.
#[derive(Debug)]
pub struct Output {
    /// Whether it ended with 0.
    pub success: bool,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// A command with the given arguments that dies with this process and reads nothing.
pub fn command<A: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// Runs a short command and returns its output.
///
/// # Errors
/// When it cannot be started. A failure of the command is no error.
pub async fn capture(mut command: Command) -> Result<Output> {
    let output = command.output().await.map_err(|error| cannot_start(&command, &error))?;
    Ok(Output {
        success: output.status.success(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// Runs a long command: all lines are written to the log, and the last one is shown while it runs. Returns whether it has
/// succeeded, and the end of its output.
///
/// # Errors
/// When it cannot be started or the log cannot be written.
pub async fn logged(progress: &Progress, command: Command, log: &Path) -> Result<Logged> {
    guarded(progress, command, log, |_| None).await
}

/// The same; `guard` gets the process ID, and returns the cleanup for an interrupted run.
pub(crate) async fn guarded(
    progress: &Progress,
    mut command: Command,
    log: &Path,
    guard: impl FnOnce(u32) -> Option<CleanupGuard>,
) -> Result<Logged> {
    let open = || {
        std::fs::create_dir_all(log.parent().unwrap_or(Path::new(".")))?;
        std::fs::File::create(log)
    };
    let log_failure = |error| Error::file(format!("cannot write the log `{}`", log.display()), &error);
    let mut file = tokio::fs::File::from_std(open().map_err(log_failure)?);
    terminal::detail(&format!("the log is {}", log.display()));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| cannot_start(&command, &error))?;
    let guard = child.id().and_then(guard);
    let (sender, mut lines) = tokio::sync::mpsc::channel(64);
    if let Some(stream) = child.stdout.take() {
        tokio::spawn(forward(stream, sender.clone()));
    }
    if let Some(stream) = child.stderr.take() {
        tokio::spawn(forward(stream, sender.clone()));
    }
    drop(sender);
    let mut tail = std::collections::VecDeque::new();
    while let Some(line) = lines.recv().await {
        progress.activity(&line);
        file.write_all(terminal::visible(&line).as_bytes())
            .await
            .map_err(log_failure)?;
        file.write_all(b"\n").await.map_err(log_failure)?;
        tail.push_back(line);
        if tail.len() > SHOWN_LINES {
            tail.pop_front();
        }
    }
    file.flush().await.map_err(log_failure)?;
    let status = child.wait().await.map_err(|error| cannot_start(&command, &error))?;
    if let Some(guard) = guard {
        guard.cancel();
    }
    Ok(Logged {
        status,
        command: pasteable(&command),
        tail: tail.into(),
        log: log.to_owned(),
    })
}

/// How a long command ended.
#[derive(Debug)]
pub struct Logged {
    /// How it ended.
    pub status: std::process::ExitStatus,
    /// The command, to be pasted into a shell.
    pub command: String,
    /// The last lines it printed.
    pub tail: Vec<String>,
    /// Where everything it printed is.
    pub log: PathBuf,
}

impl Logged {
    /// Turns a bad end into a failure that shows the last lines and names the log.
    ///
    /// # Errors
    /// When the command failed.
    pub fn check(self, failure: impl FnOnce() -> Error) -> Result<()> {
        if self.status.success() {
            return Ok(());
        }
        let text = self.tail.join("\n");
        let failure = failure().cause(format!("`{}` failed with {}", self.command, self.status));
        Err(self.shown(failure, &text))
    }

    /// The same for a compiler: everything is shown from its first error on. What started the compiler matters only where the
    /// compiler has said nothing.
    ///
    /// # Errors
    /// When the command failed.
    pub fn check_compiler(self, failure: impl FnOnce() -> Error) -> Result<()> {
        if self.status.success() {
            return Ok(());
        }
        // If the log was deleted since, the end of the output in memory is used.
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        match from_first(&log, "error") {
            Some(text) => Err(self.shown(failure(), &text)),
            None => self.check(failure),
        }
    }

    /// Adds the output to an error, and the path of the log.
    fn shown(&self, failure: Error, text: &str) -> Error {
        let failure = failure
            .detail(text)
            .hint(format!("read the whole log: {}", self.log.display()));
        if says_disk_full(text) {
            failure.hint(diagnostics::DISK_FULL_HINT)
        } else {
            failure
        }
    }
}

/// The lines of a log from the first one with a prefix on; none where no line has it.
pub(crate) fn from_first(log: &str, start: &str) -> Option<String> {
    /// A reader has the log for the rest.
    const MOST_LINES: usize = 200;
    let lines = log.lines().skip_while(|line| !line.starts_with(start));
    let lines: Vec<&str> = lines.take(MOST_LINES).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// Whether a program complains about a full disk.
pub(crate) fn says_disk_full(text: &str) -> bool {
    text.to_ascii_lowercase().contains("no space left on device")
}

/// Sends each line of a stream on. A carriage return ends a line too: progress bars use it. So does a length that no line
/// has.
async fn forward(stream: impl AsyncRead + Unpin, lines: tokio::sync::mpsc::Sender<String>) {
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    while let Ok(buffer) = reader.fill_buf().await
        && !buffer.is_empty()
    {
        let end = buffer.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let length = end.unwrap_or(buffer.len()).min(LONGEST_LINE - line.len());
        line.extend_from_slice(&buffer[..length]);
        reader.consume(length + usize::from(end == Some(length)));
        let is_whole = end == Some(length) || line.len() == LONGEST_LINE;
        if is_whole && !send(&lines, &mut line).await {
            return;
        }
    }
    send(&lines, &mut line).await;
}

/// Sends a line unless it is empty. Returns false when the receiver was dropped.
async fn send(lines: &tokio::sync::mpsc::Sender<String>, line: &mut Vec<u8>) -> bool {
    let text = String::from_utf8_lossy(&std::mem::take(line)).into_owned();
    text.trim().is_empty() || lines.send(text).await.is_ok()
}

fn cannot_start(command: &Command, error: &std::io::Error) -> Error {
    let program = command.as_std().get_program().to_string_lossy().into_owned();
    if error.kind() == std::io::ErrorKind::NotFound {
        Error::prerequisite(format!("the program `{program}` is not installed, or not in PATH"))
            .hint(format!("install `{program}`, or put its folder into PATH"))
    } else {
        Error::prerequisite(format!("cannot run `{program}`")).cause(error)
    }
}

fn pasteable(command: &Command) -> String {
    let command = command.as_std();
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| quote(&word.to_string_lossy()))
        .collect::<Vec<_>>()
        .join(" ")
}

fn quote(word: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_./:=,@%+".contains(character);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_command_can_be_pasted() {
        let shown = pasteable(&command("docker", ["run", "--env", "A=b c", "it's"]));
        assert_eq!(shown, r"docker run --env 'A=b c' 'it'\''s'");
    }

    #[tokio::test]
    async fn lines_end_by_themselves_or_are_cut() {
        let endless = vec![b'x'; 2 * LONGEST_LINE + 7];
        let text = [b"one\rtwo\r\n\nthree\n".as_slice(), &endless, b"\nlast"].concat();
        let (sender, mut lines) = tokio::sync::mpsc::channel(64);
        forward(text.as_slice(), sender).await;
        let mut found = Vec::new();
        while let Some(line) = lines.recv().await {
            found.push(line);
        }
        let lengths: Vec<usize> = found.iter().map(String::len).collect();
        assert_eq!(lengths, [3, 3, 5, LONGEST_LINE, LONGEST_LINE, 7, 4]);
        assert_eq!((found[1].as_str(), found[6].as_str()), ("two", "last"));
    }

    #[tokio::test]
    async fn a_missing_program_is_a_missing_prerequisite() {
        let failure = capture(command("no-such-program-here", [""; 0])).await.unwrap_err();
        assert_eq!(failure.status, diagnostics::ExitStatus::Prerequisite);
        assert!(failure.message().contains("`no-such-program-here` is not installed"));
    }

    #[tokio::test]
    async fn a_bad_end_shows_the_last_lines_and_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("logs/x.log");
        let script = "for i in $(seq 30); do echo line $i; done; echo oops >&2; exit 3";
        let ended = logged(&Progress::default(), command("sh", ["-c", script]), &log)
            .await
            .unwrap();
        let text = ended.check(|| Error::input("it failed")).unwrap_err().to_string();
        assert!(
            text.contains("| oops") && text.contains(&log.display().to_string()),
            "{text}"
        );
        assert_eq!(std::fs::read_to_string(&log).unwrap().lines().count(), 31);
    }

    #[tokio::test]
    async fn of_a_compiler_everything_is_shown_from_the_first_error_on() {
        let folder = tempfile::tempdir().unwrap();
        let explain = async |script: &str| {
            let command = command("sh", ["-c", script]);
            let ended = logged(&Progress::default(), command, &folder.path().join("log")).await;
            let failure = ended.unwrap().check_compiler(|| Error::input("no")).unwrap_err();
            (failure.causes().join(" "), failure.details().join("\n"))
        };
        let script = "echo '   Compiling x'; echo 'error[E0308]: mismatched'; for i in $(seq 30); do echo \" $i\"; done; exit 101";
        let (causes, details) = explain(script).await;
        assert_eq!(causes, "");
        assert!(
            details.starts_with("error[E0308]: mismatched\n 1\n") && details.ends_with("\n 30"),
            "{details}"
        );
        // A compiler that could not be started has said nothing.
        let (causes, details) = explain("echo 'docker: no such image'; exit 125").await;
        assert!(causes.ends_with("failed with exit status: 125"), "{causes}");
        assert_eq!(details, "docker: no such image");
    }

    #[test]
    fn a_full_disk_is_recognised() {
        assert!(says_disk_full("write /x: no space left on device"));
        assert!(!says_disk_full("permission denied"));
    }
}
