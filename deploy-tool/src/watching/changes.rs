//! Edge: waits for changed files. Events of the file system trigger a comparison of the contents.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, sleep, timeout};

use super::snapshot::{Roots, Snapshot};

/// Saving takes several steps, and several files are often saved at once.
const QUIET: Duration = Duration::from_millis(150);
/// Where something is written on and on, it is looked at all the same.
const LONGEST_NOISE: Duration = Duration::from_secs(2);
/// Interval of polling where the file system has no events.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Waits for changed files.
pub struct Changes {
    watcher: Option<RecommendedWatcher>,
    events: UnboundedReceiver<()>,
    watched: BTreeSet<PathBuf>,
    warning: Option<String>,
}

impl Changes {
    /// Nothing is watched so far.
    pub fn new() -> Self {
        let (sender, events) = unbounded_channel();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if event.is_ok_and(|event| is_change(&event.kind)) {
                // The receiver is dropped at the end of the run.
                let _ = sender.send(());
            }
        });
        let mut changes = Self {
            watcher: None,
            events,
            watched: BTreeSet::new(),
            warning: None,
        };
        match watcher {
            Ok(watcher) => changes.watcher = Some(watcher),
            Err(error) => changes.poll(&error),
        }
        changes
    }

    /// The warning, once, that files are polled because there are no events.
    pub fn warning(&mut self) -> Option<String> {
        self.warning.take()
    }

    fn poll(&mut self, error: &notify::Error) {
        self.watcher = None;
        let reason = match error.kind {
            notify::ErrorKind::MaxFilesWatch => {
                "this user's limit of watches is used up (fs.inotify.max_user_watches)".to_owned()
            }
            _ => error.to_string(),
        };
        self.warning = Some(format!(
            "files are looked at each second instead of being watched: {reason}"
        ));
    }

    /// Watches these folders, and no others. All of them again: one that was deleted and created again under its name is another
    /// folder, and its watch has ended with the first one.
    fn follow(&mut self, folders: &BTreeSet<PathBuf>) {
        let Some(watcher) = &mut self.watcher else { return };
        for gone in self.watched.difference(folders) {
            // A folder that was deleted is watched no longer anyway.
            let _ = watcher.unwatch(gone);
        }
        let mut failed = None;
        for folder in folders {
            if let Err(error) = watcher.watch(folder, RecursiveMode::NonRecursive)
                && folder.is_dir()
            {
                failed = Some(error);
                break;
            }
        }
        self.watched.clone_from(folders);
        if let Some(error) = failed {
            self.poll(&error);
        }
    }

    /// Waits until files have other contents than in a snapshot. Returns which, with the snapshot in which they have.
    ///
    /// It may be dropped at any time: the next call begins by looking at the files.
    pub async fn next(&mut self, roots: &Roots, before: &Snapshot) -> (Vec<PathBuf>, Snapshot) {
        loop {
            let mut now = Snapshot::read(roots);
            self.follow(&now.folders);
            if !before.changed_files(&now).is_empty() {
                self.wait_until_quiet().await;
                now = Snapshot::read(roots);
                let changed = before.changed_files(&now);
                if !changed.is_empty() {
                    return (changed, now);
                }
            }
            match &self.watcher {
                Some(_) => {
                    self.events.recv().await;
                    self.wait_until_quiet().await;
                }
                None => sleep(POLL_INTERVAL).await,
            }
        }
    }

    /// Waits until nothing has happened for a moment.
    async fn wait_until_quiet(&mut self) {
        let end = Instant::now() + LONGEST_NOISE;
        while Instant::now() < end
            && timeout(QUIET, self.events.recv())
                .await
                .is_ok_and(|event| event.is_some())
        {}
    }
}

impl Default for Changes {
    fn default() -> Self {
        Self::new()
    }
}

/// Reading is no change, and this process reads.
fn is_change(kind: &EventKind) -> bool {
    match kind {
        EventKind::Access(access) => *access == AccessKind::Close(AccessMode::Write),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn project() -> (tempfile::TempDir, Roots) {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("src")).unwrap();
        fs::write(home.path().join("src/main.rs"), "a").unwrap();
        let roots = Roots {
            folders: [home.path().join("src")].into(),
            files: BTreeSet::new(),
        };
        (home, roots)
    }

    /// The next change, which is made while it is waited for.
    async fn after(changes: &mut Changes, roots: &Roots, before: &mut Snapshot, change: impl FnOnce()) -> Vec<String> {
        let (changed, now) = {
            let wait = changes.next(roots, before);
            tokio::pin!(wait);
            // The first comparison is immediate; later ones follow events.
            assert!(timeout(Duration::from_millis(50), &mut wait).await.is_err());
            change();
            timeout(Duration::from_secs(60), wait).await.unwrap()
        };
        *before = now;
        let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
        changed.iter().map(name).collect()
    }

    async fn all_kinds(mut changes: Changes) {
        let (home, roots) = project();
        let path = |name: &str| home.path().join("src").join(name);
        let mut before = Snapshot::read(&roots);
        let found = after(&mut changes, &roots, &mut before, || {
            fs::write(path("main.rs"), "b").unwrap()
        })
        .await;
        assert_eq!(found, ["main.rs"]);
        // As editors save: another file takes its place.
        let replace = || {
            fs::write(path("new"), "c").unwrap();
            fs::rename(path("new"), path("main.rs")).unwrap();
        };
        assert_eq!(after(&mut changes, &roots, &mut before, replace).await, ["main.rs"]);
        // In a folder that is new, and later on there.
        let folder = || {
            fs::create_dir(path("web")).unwrap();
            fs::write(path("web/route.rs"), "a").unwrap();
        };
        assert_eq!(after(&mut changes, &roots, &mut before, folder).await, ["route.rs"]);
        let deeper = || fs::write(path("web/route.rs"), "b").unwrap();
        assert_eq!(after(&mut changes, &roots, &mut before, deeper).await, ["route.rs"]);
        // In a folder of the same name that takes its place at once, and later on there.
        let again = || {
            fs::remove_dir_all(path("web")).unwrap();
            fs::create_dir(path("web")).unwrap();
            fs::write(path("web/route.rs"), "c").unwrap();
        };
        assert_eq!(after(&mut changes, &roots, &mut before, again).await, ["route.rs"]);
        let later = || fs::write(path("web/route.rs"), "d").unwrap();
        assert_eq!(after(&mut changes, &roots, &mut before, later).await, ["route.rs"]);
        // The same contents are no change, however often they are written.
        let (twice, other) = (path("main.rs"), path("other.rs"));
        let same = || {
            fs::write(twice, "c").unwrap();
            fs::write(other, "a").unwrap();
        };
        assert_eq!(after(&mut changes, &roots, &mut before, same).await, ["other.rs"]);
    }

    #[tokio::test]
    async fn what_is_not_there_yet_is_found_when_it_is_made() {
        let (home, mut roots) = project();
        let folder = home.path().join("oci/shop");
        roots.files.insert(folder.join("image.yaml"));
        let mut before = Snapshot::read(&roots);
        let define = || {
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("image.yaml"), "").unwrap();
        };
        let found = after(&mut Changes::new(), &roots, &mut before, define).await;
        assert_eq!(found, ["image.yaml"]);
    }

    #[tokio::test]
    async fn what_is_saved_is_told_by_the_system() {
        all_kinds(Changes::new()).await;
    }

    #[tokio::test]
    async fn where_the_system_tells_nothing_files_are_looked_at() {
        let mut changes = Changes::new();
        changes.poll(&notify::Error::new(notify::ErrorKind::MaxFilesWatch));
        assert!(changes.warning().unwrap().contains("max_user_watches"));
        assert_eq!(changes.warning(), None);
        all_kinds(changes).await;
    }
}
