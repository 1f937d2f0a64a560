//! How whoever pushes is told how far it is.

/// A blob on its way, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobRow {
    /// Which one: layer 0123456789ab.
    pub title: String,
    /// Whether the registry has it.
    pub done: bool,
    /// How far it is, in a few words.
    pub text: String,
}

/// Is told how far a push is.
pub trait Progress {
    /// What is done right now.
    fn activity(&self, text: &str);
    /// How far each blob is: all of them, each time.
    fn blobs(&self, rows: Vec<BlobRow>);
}

/// For whom it is enough to know the end.
impl Progress for () {
    fn activity(&self, _: &str) {}
    fn blobs(&self, _: Vec<BlobRow>) {}
}
