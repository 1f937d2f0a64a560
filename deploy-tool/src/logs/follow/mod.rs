//! Which logs are open while they are followed: restarts, new pods and broken connections open them again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::source::is_transient;
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
    may_reopen: bool,
    /// The time of the last line.
    last: Option<Timestamp>,
    /// After the log was opened again, lines up to this time are repeated and skipped.
    repeated: Option<Timestamp>,
}

impl Followed {
    fn new(state: State) -> Self {
        Self {
            state,
            open: false,
            run: None,
            may_reopen: false,
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

    /// Updates the containers of a pod. Returns sentences about those that newly have no log.
    pub fn update_pod(&mut self, sources: Vec<Source>) -> Vec<String> {
        let mut sentences = Vec::new();
        for Source { pod, container, state } in sources {
            let before = self
                .containers
                .get(&(pod.clone(), container.clone()))
                .map(|known| &known.state);
            if let State::Silent(reason) = &state
                && before != Some(&state)
                && !is_transient(reason)
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

    /// Removes a deleted pod. The end of its log may still arrive.
    pub fn remove_pod(&mut self, pod: &str) {
        self.containers.retain(|(name, _), _| name != pod);
    }

    /// Only these pods are left: a list has started over.
    pub fn retain_pods(&mut self, pods: &BTreeSet<String>) {
        self.containers.retain(|(pod, _), _| pods.contains(pod));
    }

    /// The logs to open now; from now on they count as open.
    pub fn take_openings(&mut self) -> Vec<Opening> {
        let mut room = self.limit.saturating_sub(self.open());
        let mut openings = Vec::new();
        for (key, followed) in &mut self.containers {
            let State::Written { run, running } = &followed.state else {
                continue;
            };
            let unread = followed.run.as_ref() != Some(run) || (*running && followed.may_reopen);
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
            followed.may_reopen = false;
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
            .for_each(|followed| followed.may_reopen = !followed.open);
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

    fn open(&self) -> usize {
        self.containers.values().filter(|followed| followed.open).count()
    }
}

#[cfg(test)]
mod tests;
