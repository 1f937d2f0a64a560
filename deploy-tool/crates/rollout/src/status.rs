//! How far an object is, and of which class the evidence is where it is not there yet.

use jiff::Timestamp;

use crate::diagnosis::Diagnosis;

/// How far one object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolloutStatus {
    /// Deployment `app`
    pub title: String,
    /// How many parts of it are ready; none for what has no parts.
    pub ready: Option<ReadyCount>,
    /// How far it is.
    pub phase: Phase,
}

/// How many of an object's parts are ready: pods, or completions of a Job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadyCount {
    /// So many are.
    pub ready: u32,
    /// Out of so many.
    pub wanted: u32,
}

/// How far an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Ready, with an optional note.
    Done(Option<String>),
    /// Not ready yet.
    Waiting(Box<Waiting>),
    /// Nothing but a change of the object itself can help.
    Failed(Box<Diagnosis>),
}

/// Why an object is not there yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// What kind of waiting it is.
    pub class: WaitClass,
    /// Why, as a clause: `pod app-1 is being created`.
    pub reason: String,
    /// The reason with its number and what to do, where something is wrong.
    pub diagnosis: Option<Diagnosis>,
    /// Wrong for so long, or so often, that [`Policy::fail_fast`](crate::Policy::fail_fast) takes it for a failure.
    pub is_clear: bool,
    /// It is a container that ends again and again.
    pub is_crash_loop: bool,
    /// The start of the last failed attempt; none where it is unknown.
    pub last_attempt: Option<Timestamp>,
    /// The time of the next attempt, where the object has it.
    pub next_attempt: Option<Timestamp>,
}

/// What kind of waiting it is. The order is the one in which reasons are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WaitClass {
    /// The counts are right; that it stays up is not proven yet.
    Settling,
    /// Something is under way that has a limit of its own: a pull, a start, a Job's pod.
    InProgress,
    /// It has ended, and the result was not observed.
    Unknown,
    /// It needs a change outside of it: of another object, a node, or by a user.
    Blocked,
}

impl RolloutStatus {
    /// The status in a sentence: Deployment `app`: 1 of 2 ready; pod `app-1` is being created.
    pub fn sentence(&self) -> String {
        let count = self
            .ready
            .map(|count| format!("{} of {} ready", count.ready, count.wanted));
        let rest = match &self.phase {
            Phase::Done(note) => note.clone(),
            Phase::Waiting(waiting) => Some(waiting.reason.clone()),
            // A diagnosis names its object itself.
            Phase::Failed(diagnosis) => return diagnosis.sentence.clone(),
        };
        let parts: Vec<String> = count.into_iter().chain(rest).collect();
        if parts.is_empty() {
            format!("{} is there", self.title)
        } else {
            format!("{}: {}", self.title, parts.join("; "))
        }
    }
}

impl ReadyCount {
    /// From the counts of the API, which are signed.
    pub(crate) fn new(ready: i32, wanted: i32) -> Self {
        let count = |number: i32| u32::try_from(number).unwrap_or(0);
        Self {
            ready: count(ready.min(wanted)),
            wanted: count(wanted),
        }
    }
}

impl Phase {
    /// It is there.
    pub(crate) const DONE: Self = Self::Done(None);

    pub(crate) fn done_with_note(note: impl Into<String>) -> Self {
        Self::Done(Some(note.into()))
    }

    pub(crate) fn in_progress(reason: impl Into<String>) -> Self {
        Waiting::new(WaitClass::InProgress, reason).into()
    }

    pub(crate) fn settling(reason: impl Into<String>) -> Self {
        Waiting::new(WaitClass::Settling, reason).into()
    }

    /// The phase of something that consists of parts. `any_is_clear`: one part with a clear sign stands for all of
    /// them; else all that are not done have to show it.
    pub(crate) fn of_parts(parts: impl IntoIterator<Item = Self>, any_is_clear: bool) -> Self {
        let mut waiting: Vec<Waiting> = Vec::new();
        for part in parts {
            match part {
                Self::Failed(_) => return part,
                Self::Waiting(part) => waiting.push(*part),
                Self::Done(_) => {}
            }
        }
        let is_clear = |part: &Waiting| part.is_clear;
        let clear = if any_is_clear {
            waiting.iter().any(is_clear)
        } else {
            waiting.iter().all(is_clear)
        };
        let blocked = || waiting.iter().filter(|part| part.class == WaitClass::Blocked);
        let is_crash_loop = blocked().all(|part| part.is_crash_loop);
        let last_attempt = blocked().map(|part| part.last_attempt).min().flatten();
        let next_attempt = blocked().filter_map(|part| part.next_attempt).min();
        // While one part is in progress, so is the whole.
        let moves = |part: &&Waiting| matches!(part.class, WaitClass::InProgress | WaitClass::Settling);
        let class = waiting.iter().filter(moves).map(|part| part.class).max();
        let worst = waiting.iter().max_by(|left, right| {
            let rank = |part: &Waiting| (part.class, part.is_clear);
            // Of equals the first, which others may wait for.
            rank(left).cmp(&rank(right)).then(std::cmp::Ordering::Greater)
        });
        let Some(worst) = worst else {
            return Self::DONE;
        };
        Waiting {
            class: class.unwrap_or(worst.class),
            is_clear: clear,
            is_crash_loop: is_crash_loop && worst.class == WaitClass::Blocked,
            last_attempt,
            next_attempt,
            ..worst.clone()
        }
        .into()
    }
}

impl Diagnosis {
    /// Nothing but a change of the object can help.
    pub(crate) fn failed(self) -> Phase {
        Phase::Failed(Box::new(self))
    }

    /// Makes it blocked: the diagnosis is shown at once, and ends the wait only after its time limit.
    pub(crate) fn blocked(self) -> Waiting {
        Waiting {
            diagnosis: Some(self.clone()),
            ..Waiting::new(WaitClass::Blocked, self.sentence)
        }
    }
}

impl Waiting {
    pub(crate) fn new(class: WaitClass, reason: impl Into<String>) -> Self {
        Self {
            class,
            reason: reason.into(),
            diagnosis: None,
            is_clear: false,
            is_crash_loop: false,
            last_attempt: None,
            next_attempt: None,
        }
    }

    pub(crate) fn with_reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = reason.into();
        self
    }

    pub(crate) fn clear(mut self, is_clear: bool) -> Self {
        self.is_clear = is_clear;
        self
    }

    pub(crate) fn crash_loop(mut self) -> Self {
        self.is_crash_loop = true;
        self
    }

    pub(crate) fn attempted(mut self, last: Option<Timestamp>, next: Option<Timestamp>) -> Self {
        (self.last_attempt, self.next_attempt) = (last, next);
        self
    }
}

impl From<Waiting> for Phase {
    fn from(waiting: Waiting) -> Self {
        Self::Waiting(Box::new(waiting))
    }
}
