//! What the live table shows of one thing that is waited for.

/// A row of the live table.
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

/// How far a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowState {
    /// Needs an action of the user.
    Failed,
    /// In progress.
    Waiting,
    /// There.
    Done,
}
