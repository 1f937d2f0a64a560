//! Pure: what the live view shows of one object that is waited for.

/// One object that is waited for, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its kind and name: Deployment `app`.
    pub title: String,
    /// How far it is.
    pub state: RowState,
    /// How many of its parts are ready, and how many are wanted, where it has parts that are counted.
    pub ready: Option<(u32, u32)>,
    /// What it waits for, or why it has failed; may be empty.
    pub reason: String,
}

/// How far an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowState {
    /// Will not come up by itself.
    Failed,
    /// On its way.
    Waiting,
    /// There.
    Done,
}
