//! Edge: one deployment after the other, each made of the newest files.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::roots;
use crate::cli::{DevArguments, PublishArguments, SignedArguments, UpArguments, WaitArguments};
use crate::commands::up;
use crate::logs::{Selection, select_pods};
use crate::watching::{Changes, Snapshot};
use diagnostics::{Error, ExitStatus, Result};
use host::cleanup::Cleanup;
use releases::manifest;
use terminal::Printer;
use tokio::sync::watch;

/// So many files of a change are named.
const MOST_NAMED: usize = 2;

/// All deployments of a run.
pub struct Session<'a> {
    /// Where it talks to.
    pub printer: &'a Printer,
    /// What removes the containers of builds that are given up.
    pub cleanup: &'a Cleanup,
    /// The command line.
    pub arguments: &'a DevArguments,
    /// The folder that printed paths are relative to.
    pub folder: PathBuf,
    /// The release's.
    pub namespace: &'a str,
    /// The pods whose logs are followed.
    pub followed: watch::Sender<Vec<Selection>>,
}

impl Session<'_> {
    /// Deploys each change, for ever, or once.
    ///
    /// # Errors
    /// When the first deployment lacks something on this host; with `--once`, whenever it fails.
    pub async fn run(&self) -> Result<()> {
        let mut changes = Changes::new();
        let mut roots = roots::manifests(&self.arguments.cluster_arguments);
        let mut changed: Vec<String> = Vec::new();
        let has_deployed = Cell::new(false);
        for number in 1.. {
            let DevArguments {
                cluster_arguments,
                source,
                ..
            } = self.arguments;
            roots = roots::roots(cluster_arguments, source, &roots).await;
            // Before the deployment reads any file: a file that is saved from here on counts as a change.
            let before = Snapshot::read(&roots);
            self.follow_manifests();
            let start = Instant::now();
            self.printer.cycle(number, "started", &changed, start.elapsed(), None);
            let newer = tokio::select! {
                result = self.deploy() => {
                    match self.report_result(number, &changed, start, result, &has_deployed) {
                        Ok(()) if self.arguments.once => return Ok(()),
                        Ok(()) => None,
                        Err(failure) => return Err(failure),
                    }
                }
                newer = changes.next(&roots, &before) => Some(newer),
            };
            if let Some(warning) = changes.warning() {
                self.printer.warning(&warning);
            }
            let (files, how) = match newer {
                Some((files, _)) => {
                    self.printer
                        .cycle(number, "superseded", &changed, start.elapsed(), None);
                    (
                        files,
                        "changed: the running deployment is cancelled, the next one starts",
                    )
                }
                None => (changes.next(&roots, &before).await.0, "changed"),
            };
            changed = files.iter().map(|path| self.display_path(path)).collect();
            self.printer.info(&format!("{} {how}", format_file_names(&changed)));
        }
        Ok(())
    }

    /// Follows the logs of the objects in the manifests. Errors of the manifests are reported by the deployment.
    fn follow_manifests(&self) {
        let paths = self.arguments.cluster_arguments.manifests();
        let Ok(objects) = paths.and_then(|paths| manifest::load(&paths)) else {
            return;
        };
        let selections = select_pods(&objects, self.namespace);
        self.followed.send_if_modified(|followed| {
            let is_new = *followed != selections;
            *followed = selections;
            is_new
        });
    }

    async fn deploy(&self) -> Result<()> {
        let DevArguments {
            cluster_arguments,
            source,
            ..
        } = self.arguments;
        let arguments = UpArguments {
            wait: WaitArguments {
                timeout: None,
                fail_fast: true,
            },
            dev: true,
            aot: None,
            rollback_on_failure: false,
            take_over: false,
            cluster_arguments: cluster_arguments.clone(),
            source: source.clone(),
            publish: PublishArguments::default(),
            signed: SignedArguments::default(),
        };
        up::deploy_all(self.printer, self.cleanup, arguments, "dev")
            .await
            .map(drop)
    }

    /// Prints the result of a deployment.
    fn report_result(
        &self,
        number: u32,
        changed: &[String],
        start: Instant,
        result: Result<()>,
        has_deployed: &Cell<bool>,
    ) -> Result<()> {
        let time = start.elapsed();
        match result {
            Ok(()) => {
                has_deployed.set(true);
                self.printer.cycle(number, "deployed", changed, time, None);
                self.printer.info(&format!(
                    "serving after {:.1} s; waiting for changes",
                    time.as_secs_f64()
                ));
                Ok(())
            }
            Err(failure) if self.arguments.once || (number == 1 && is_of_host(&failure)) => Err(failure),
            Err(failure) => {
                self.printer.cycle(number, "failed", changed, time, Some(&failure));
                self.printer.info(if has_deployed.get() {
                    "the version before is still served; waiting for changes"
                } else {
                    "what ran before, if anything, goes on; waiting for changes"
                });
                Ok(())
            }
        }
    }

    fn display_path(&self, path: &Path) -> String {
        let path = path.strip_prefix(&self.folder).unwrap_or(path);
        path.strip_prefix(".").unwrap_or(path).display().to_string()
    }
}

/// Whether nothing that is saved would put it right.
fn is_of_host(failure: &Error) -> bool {
    matches!(failure.status, ExitStatus::Prerequisite | ExitStatus::Busy)
}

/// The first files, and how many more there are.
fn format_file_names(files: &[String]) -> String {
    let first = files.iter().take(MOST_NAMED).map(String::as_str);
    let more = match files.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        count => format!(" (+{count})"),
    };
    format!("{}{more}", first.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::format_file_names;

    #[test]
    fn many_files_are_counted() {
        let files = |count: usize| (1..=count).map(|number| number.to_string()).collect::<Vec<_>>();
        assert_eq!(format_file_names(&files(1)), "1");
        assert_eq!(format_file_names(&files(2)), "1, 2");
        assert_eq!(format_file_names(&files(5)), "1, 2 (+3)");
    }
}
