//! Which logs are open while they are followed: restarts, new pods and broken connections open them again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::source::is_passing;
use super::{Source, State};

/// Pod and container.
pub type Key = (String, String);

/// The containers that are followed.
#[derive(Debug)]
pub struct Follow {
    limit: usize,
    containers: BTreeMap<Key, Followed>,
    /// How many have been left out at most so far.
    left_out: usize,
}

#[derive(Debug)]
struct Followed {
    state: State,
    /// Whether its log is being read.
    open: bool,
    /// The run whose log has been read last.
    run: Option<String>,
    /// Whether a log that ended, though the container runs, may be opened again.
    again: bool,
    /// The time of the last line.
    last: Option<Timestamp>,
    /// Lines up to this time come again, until one comes that is later: the log was opened anew.
    repeated: Option<Timestamp>,
}

impl Followed {
    fn new(state: State) -> Self {
        Self {
            state,
            open: false,
            run: None,
            again: false,
            last: None,
            repeated: None,
        }
    }
}

/// A log to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Whose.
    pub key: Key,
    /// Which run of the container.
    pub run: String,
    /// Whether nothing of this container has been read yet.
    pub first: bool,
    /// Lines up to this time are known.
    pub after: Option<Timestamp>,
}

impl Follow {
    /// Follows as many containers at once.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            containers: BTreeMap::new(),
            left_out: 0,
        }
    }

    /// Takes in what a pod says of its containers. Returns sentences about those that have nothing to read, when new.
    pub fn update_pod(&mut self, sources: Vec<Source>) -> Vec<String> {
        let mut sentences = Vec::new();
        for Source { pod, container, state } in sources {
            let before = self
                .containers
                .get(&(pod.clone(), container.clone()))
                .map(|known| &known.state);
            if let State::Silent(reason) = &state
                && before != Some(&state)
                && !is_passing(reason)
            {
                sentences.push(format!(
                    "container `{container}` of pod `{pod}` has not started: {reason}"
                ));
            }
            let followed = self
                .containers
                .entry((pod, container))
                .or_insert_with(|| Followed::new(state.clone()));
            followed.state = state;
        }
        sentences
    }

    /// A pod is no more. What it has written last may still be on its way.
    pub fn remove_pod(&mut self, pod: &str) {
        self.containers.retain(|(name, _), _| name != pod);
    }

    /// Only these pods are left: a list has started over.
    pub fn retain_pods(&mut self, pods: &BTreeSet<String>) {
        self.containers.retain(|(pod, _), _| pods.contains(pod));
    }

    /// The logs to open now; from now on they count as open.
    pub fn openings(&mut self) -> Vec<Opening> {
        let mut room = self.limit.saturating_sub(self.open());
        let mut openings = Vec::new();
        for (key, followed) in &mut self.containers {
            let State::Written { run, running } = &followed.state else {
                continue;
            };
            let unread = followed.run.as_ref() != Some(run) || (*running && followed.again);
            if followed.open || !unread || room == 0 {
                continue;
            }
            room -= 1;
            openings.push(Opening {
                key: key.clone(),
                run: run.clone(),
                first: followed.run.is_none(),
                after: followed.last,
            });
            followed.open = true;
            followed.repeated = followed.last;
            followed.again = false;
            followed.run = Some(run.clone());
        }
        openings
    }

    /// A line has come. Whether it is new: a log that is opened again repeats the second in which it ended. Otherwise every
    /// line is, whatever its time: two streams of a container come in any order, and clocks are set back.
    pub fn read(&mut self, key: &Key, time: Option<Timestamp>) -> bool {
        let (Some(followed), Some(time)) = (self.containers.get_mut(key), time) else {
            return true;
        };
        if followed.repeated.is_some_and(|repeated| time <= repeated) {
            return false;
        }
        followed.repeated = None;
        followed.last = followed.last.max(Some(time));
        true
    }

    /// The log of a run has ended, with its container or with the connection.
    pub fn close_log(&mut self, key: &Key, run: &str) {
        let followed = self.containers.get_mut(key);
        if let Some(followed) = followed.filter(|followed| followed.run.as_deref() == Some(run)) {
            followed.open = false;
        }
    }

    /// Lets logs be opened again that ended though their containers run. To be called from time to time: a container that
    /// has just ended is still said to run for a moment.
    pub fn tick(&mut self) {
        self.containers
            .values_mut()
            .for_each(|followed| followed.again = !followed.open);
    }

    /// A sentence about the containers that have to wait for others to end, when they have become more.
    pub fn left_out(&mut self) -> Option<String> {
        let waits = |followed: &&Followed| {
            let running = matches!(followed.state, State::Written { running: true, .. });
            running && !followed.open && followed.run.is_none()
        };
        let waiting: Vec<&Key> = self
            .containers
            .iter()
            .filter(|(_, followed)| waits(followed))
            .map(|(key, _)| key)
            .collect();
        if self.open() < self.limit || waiting.len() <= self.left_out {
            return None;
        }
        self.left_out = waiting.len();
        let named: Vec<String> = waiting
            .iter()
            .take(5)
            .map(|(pod, container)| format!("{pod}/{container}"))
            .collect();
        let more = waiting.len().saturating_sub(named.len());
        let more = if more == 0 {
            String::new()
        } else {
            format!(" and {more} more")
        };
        Some(format!(
            "{} containers are followed at once; left out: {}{more}; name fewer pods, or one --container",
            self.limit,
            named.join(", ")
        ))
    }

    /// How many containers there are, open or not.
    pub fn len(&self) -> usize {
        self.containers.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.containers.is_empty()
    }

    fn open(&self) -> usize {
        self.containers.values().filter(|followed| followed.open).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(pod: &str, state: State) -> Source {
        Source {
            pod: pod.into(),
            container: "c".into(),
            state,
        }
    }

    fn running(pod: &str, run: &str) -> Source {
        source(
            pod,
            State::Written {
                run: run.into(),
                running: true,
            },
        )
    }

    fn ended(pod: &str, run: &str) -> Source {
        source(
            pod,
            State::Written {
                run: run.into(),
                running: false,
            },
        )
    }

    fn key(pod: &str) -> Key {
        (pod.into(), "c".into())
    }

    fn opened(follow: &mut Follow) -> Vec<String> {
        follow.openings().into_iter().map(|opening| opening.key.0).collect()
    }

    fn time(second: i64) -> Option<Timestamp> {
        Some(Timestamp::from_second(second).unwrap())
    }

    #[test]
    fn each_run_is_read_once_whatever_the_watch_says_meanwhile() {
        let mut follow = Follow::new(9);
        follow.update_pod(vec![running("p", "1")]);
        assert_eq!(
            follow.openings(),
            [Opening {
                key: key("p"),
                run: "1".into(),
                first: true,
                after: None
            }]
        );
        assert!(follow.read(&key("p"), time(5)));
        // The log ends before the watch tells of the end.
        follow.close_log(&key("p"), "1");
        assert!(opened(&mut follow).is_empty());
        follow.update_pod(vec![ended("p", "1")]);
        follow.tick();
        assert!(opened(&mut follow).is_empty());
        // The next run.
        follow.update_pod(vec![running("p", "2")]);
        assert_eq!(
            follow.openings(),
            [Opening {
                key: key("p"),
                run: "2".into(),
                first: false,
                after: time(5)
            }]
        );
        assert!(!follow.read(&key("p"), time(5)), "a repeated line");
        assert!(follow.read(&key("p"), time(6)));
        assert!(follow.read(&key("p"), time(4)), "its other stream may be behind");
        // The end of an older run is no news.
        follow.close_log(&key("p"), "1");
        follow.tick();
        assert!(opened(&mut follow).is_empty());
    }

    #[test]
    fn a_broken_connection_is_opened_again_after_a_while() {
        let mut follow = Follow::new(9);
        follow.update_pod(vec![running("p", "1")]);
        opened(&mut follow);
        follow.tick();
        assert!(opened(&mut follow).is_empty(), "it is open");
        follow.close_log(&key("p"), "1");
        assert!(opened(&mut follow).is_empty(), "too early");
        follow.tick();
        assert_eq!(opened(&mut follow), ["p"]);
        // And not when the pod has gone.
        follow.close_log(&key("p"), "1");
        follow.remove_pod("p");
        follow.tick();
        assert!(opened(&mut follow).is_empty());
    }

    #[test]
    fn no_more_than_the_limit_and_the_next_when_one_ends() {
        let mut follow = Follow::new(2);
        follow.update_pod(["a", "b", "c", "d"].map(|pod| running(pod, pod)).to_vec());
        assert_eq!(opened(&mut follow), ["a", "b"]);
        let sentence = follow.left_out().unwrap();
        assert!(
            sentence.contains("2 containers are followed at once; left out: c/c, d/c;"),
            "{sentence}"
        );
        assert_eq!(follow.left_out(), None, "it is said once");
        follow.remove_pod("a");
        assert_eq!(opened(&mut follow), ["c"]);
        follow.retain_pods(&BTreeSet::from(["d".to_owned()]));
        assert_eq!(opened(&mut follow), ["d"]);
    }

    #[test]
    fn what_has_not_started_says_why_each_time_the_reason_changes() {
        let mut follow = Follow::new(2);
        let silent = |reason: &str| vec![source("p", State::Silent(reason.into()))];
        assert_eq!(
            follow.update_pod(silent("A")),
            ["container `c` of pod `p` has not started: A"]
        );
        assert!(follow.update_pod(silent("A")).is_empty());
        assert!(
            follow.update_pod(silent("ContainerCreating")).is_empty(),
            "what every pod says is no news"
        );
        assert_eq!(follow.update_pod(silent("B")).len(), 1);
        assert!(opened(&mut follow).is_empty());
        follow.update_pod(vec![running("p", "1")]);
        assert_eq!(opened(&mut follow), ["p"]);
    }
}
