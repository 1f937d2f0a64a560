//! Which pods there are while they are followed, by what the watches of all selections say.

use std::collections::BTreeSet;

use super::{Follow, Source};

/// What has become of the selected pods.
pub enum Change {
    /// A pod's containers.
    Applied(Vec<Source>),
    /// A pod is no more.
    Deleted(String),
    /// A list begins, of everything that is selected.
    ListStarted,
    /// The list is complete.
    Listed,
    /// The watch is broken, and tries again.
    WatchFailed(String),
}

/// The pods of one selection.
#[derive(Clone, Debug, Default)]
struct Watched {
    pods: BTreeSet<String>,
    /// Those of a list that is not complete yet.
    listing: Option<BTreeSet<String>>,
    is_listed: bool,
    is_broken: bool,
}

/// The pods of all selections.
#[derive(Debug)]
pub struct WatchedPods(Vec<Watched>);

impl WatchedPods {
    /// Of as many selections.
    pub fn new(selections: usize) -> Self {
        Self(vec![Watched::default(); selections])
    }

    /// Whether the first list of each selection is complete.
    pub fn are_listed(&self) -> bool {
        self.0.iter().all(|watched| watched.is_listed)
    }

    /// Updates what is followed by a change of the pods of a selection. Returns sentences to be printed.
    pub fn update(&mut self, selection: usize, change: Change, follow: &mut Follow) -> Vec<String> {
        let was_broken = self.0.iter().any(|watched| watched.is_broken);
        let watched = &mut self.0[selection];
        match change {
            Change::Applied(sources) => {
                watched.is_broken = false;
                if let Some(source) = sources.first() {
                    let pods = watched.listing.as_mut().unwrap_or(&mut watched.pods);
                    pods.insert(source.pod.clone());
                }
                return follow.update_pod(sources);
            }
            Change::Deleted(pod) => {
                self.0.iter_mut().for_each(|watched| _ = watched.pods.remove(&pod));
                follow.remove_pod(&pod);
            }
            Change::ListStarted => watched.listing = Some(BTreeSet::new()),
            Change::Listed => {
                watched.is_broken = false;
                watched.is_listed = true;
                watched.pods = watched.listing.take().unwrap_or_default();
                if self.are_listed() {
                    follow.retain_pods(&self.0.iter().flat_map(|watched| watched.pods.clone()).collect());
                }
            }
            Change::WatchFailed(reason) => {
                watched.is_broken = true;
                // Once, however many watches there are, until they go on.
                if !was_broken {
                    return vec![format!("the watch of pods is broken, and tries again: {reason}")];
                }
            }
        }
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::State;

    fn pod(name: &str) -> Change {
        Change::Applied(vec![Source {
            pod: name.to_owned(),
            container: "app".to_owned(),
            state: State::Written {
                run: "1".to_owned(),
                running: true,
            },
        }])
    }

    /// Applies the changes in turn. Returns the sentences, and the pods whose logs are to be opened.
    fn followed(selections: usize, changes: Vec<(usize, Change)>) -> (Vec<String>, Vec<String>) {
        let (mut watched, mut follow) = (WatchedPods::new(selections), Follow::new(9));
        let changes = changes.into_iter();
        let sentences = changes.flat_map(|(selection, change)| watched.update(selection, change, &mut follow));
        let sentences = sentences.collect();
        let pods = follow
            .take_openings()
            .into_iter()
            .map(|opening| opening.key.0)
            .collect();
        (sentences, pods)
    }

    #[test]
    fn a_list_that_starts_over_takes_away_what_it_lacks() {
        let changes = vec![
            (0, Change::ListStarted),
            (0, pod("a")),
            (0, pod("b")),
            (0, Change::Listed),
            (1, Change::ListStarted),
            (1, pod("c")),
            (1, Change::Listed),
            (0, pod("d")),
            (0, Change::ListStarted),
            (0, pod("b")),
            (0, Change::Listed),
            (1, pod("e")),
            (1, Change::Deleted("c".to_owned())),
        ];
        assert_eq!(followed(2, changes).1, ["b", "e"]);
    }

    #[test]
    fn lists_are_complete_when_all_are() {
        let (mut watched, mut follow) = (WatchedPods::new(2), Follow::new(9));
        for (selection, expected) in [(1, false), (0, true)] {
            watched.update(selection, Change::ListStarted, &mut follow);
            watched.update(selection, Change::Listed, &mut follow);
            assert_eq!(watched.are_listed(), expected);
        }
    }

    #[test]
    fn broken_watches_are_told_once_until_they_go_on() {
        let broken = |selection| (selection, Change::WatchFailed("refused".to_owned()));
        let changes = vec![broken(0), broken(1), broken(0), (0, pod("a")), broken(0)];
        assert_eq!(followed(2, changes).0.len(), 1);
        let changes = vec![broken(0), broken(1), (0, pod("a")), (1, pod("b")), broken(1)];
        assert_eq!(followed(2, changes).0.len(), 2);
    }
}
