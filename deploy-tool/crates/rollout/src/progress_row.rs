//! What the live table shows of each target.

use crate::status::{Phase, RolloutStatus};

/// One target in the live table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Deployment `app`
    pub title: String,
    /// How far it is.
    pub state: RowState,
    /// How many are ready, of how many; none for what has no parts.
    pub ready: Option<(u32, u32)>,
    /// Why it is not ready yet; may be empty.
    pub reason: String,
}

/// How far a row's target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowState {
    /// Needs an action of the user.
    Failed,
    /// In progress.
    Waiting,
    /// There.
    Done,
}

impl From<&RolloutStatus> for Row {
    fn from(status: &RolloutStatus) -> Self {
        let (state, reason) = match &status.phase {
            Phase::Waiting(waiting) => (RowState::Waiting, waiting.reason.clone()),
            Phase::Done(note) => (RowState::Done, note.clone().unwrap_or_default()),
            Phase::Failed(diagnosis) => {
                // The row has the title already.
                let start = format!("{}: ", status.title);
                let sentence = diagnosis.sentence.strip_prefix(&start);
                (RowState::Failed, sentence.unwrap_or(&diagnosis.sentence).to_owned())
            }
        };
        Self {
            title: status.title.clone(),
            state,
            ready: status.ready.map(|count| (count.ready, count.wanted)),
            reason,
        }
    }
}
