//! Edge: what git knows of a checkout.

use std::path::Path;

use crate::process;
use diagnostics::{Error, Result};

/// The commit of a checkout in which everything is committed.
///
/// # Errors
/// When it is no checkout, or something in it is not committed.
pub async fn revision(folder: &Path) -> Result<String> {
    let failure = || Error::input(format!("cannot tell which commit `{}` is", folder.display()));
    let git = async |arguments: &[&str]| {
        let mut command = process::command("git", arguments);
        command.current_dir(folder);
        let output = process::capture(command).await?;
        if output.success {
            Ok(output.stdout)
        } else {
            Err(failure()
                .cause(output.stderr)
                .hint("run this in a checkout, or build without --revision"))
        }
    };
    let changed = git(&["status", "--porcelain"]).await?;
    if !changed.is_empty() {
        return Err(failure()
            .cause("something is changed and not committed")
            .detail(changed)
            .hint("commit it, or build without --revision"));
    }
    Ok(git(&["rev-parse", "HEAD"]).await?.trim().to_owned())
}

/// The output of `git describe`: the version, or the commit and whether there are changes; none outside of a checkout, and
/// none where there is no git.
pub async fn description(folder: &Path) -> Option<String> {
    description_by("git", folder).await
}

async fn description_by(program: &str, folder: &Path) -> Option<String> {
    let mut command = process::command(program, ["describe", "--tags", "--always", "--dirty"]);
    command.current_dir(folder);
    let output = process::capture(command).await.ok()?;
    output.success.then_some(output.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn there_is_no_description_outside_of_a_checkout_and_none_without_git() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(description(home.path()).await, None);
        assert_eq!(description_by("no-such-program-here", home.path()).await, None);
    }
}
