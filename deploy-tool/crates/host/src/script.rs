//! Edge: runs scripts, which start programs of their own. Where the run is stopped, all of them are asked to end.

use std::path::Path;

use tokio::process::Command;

use crate::cleanup::Cleanup;
use crate::process::{self, Logged};
use diagnostics::Result;
use terminal::Progress;

/// Runs a long script, see [`process::logged`].
///
/// # Errors
/// When it cannot be started or the log cannot be written.
pub async fn logged(progress: &Progress, cleanup: &Cleanup, mut command: Command, log: &Path) -> Result<Logged> {
    command.process_group(0);
    process::guarded(progress, command, log, |group| Some(cleanup.guard(end_group(group)))).await
}

/// The group has the number of the program that began it.
async fn end_group(group: u32) -> Result<()> {
    // It fails if all processes of the group have ended.
    let end = process::command("kill", ["-TERM", "--", &format!("-{group}")]);
    process::capture(end).await.map(drop)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncBufReadExt, BufReader};

    use super::*;

    #[tokio::test]
    async fn what_a_script_has_started_ends_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let (cleanup, pipe) = (Cleanup::default(), folder.path().join("pipe"));
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        // The inner program holds the pipe open; it is read to its end when that program is gone.
        let script = "sh -c 'echo started; exec sleep 600' >\"$1\"; true";
        let command = process::command("sh", ["-c", script, "sh", pipe.to_str().unwrap()]);
        let progress = Progress::default();
        let log = folder.path().join("log");
        let run = logged(&progress, &cleanup, command, &log);
        let read = async {
            let mut lines = BufReader::new(tokio::fs::File::open(&pipe).await.unwrap()).lines();
            (lines.next_line().await.unwrap(), lines)
        };
        let (first, mut lines) = tokio::select! {
            _ = run => panic!("it ended by itself"),
            read = read => read,
        };
        assert_eq!(first.as_deref(), Some("started"));
        assert_eq!(cleanup.finish().await, []);
        let end = tokio::time::timeout(Duration::from_secs(60), lines.next_line()).await;
        assert_eq!(end.unwrap().unwrap(), None);
    }
}
