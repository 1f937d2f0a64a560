//! The progress of uploads.

use crate::Digest;
use diagnostics::size::bytes;

/// The progress of a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobRow {
    /// Which one: layer 0123456789ab.
    pub title: String,
    /// Whether the registry has it.
    pub done: bool,
    /// How far it is, in a few words.
    pub text: String,
}

/// Receives the progress of a push.
pub trait Progress {
    /// The current activity.
    fn activity(&self, text: &str);
    /// How far each blob is: all of them, each time.
    fn blobs(&self, rows: Vec<BlobRow>);
}

/// For whom it is enough to know the end.
impl Progress for () {
    fn activity(&self, _: &str) {}
    fn blobs(&self, _: Vec<BlobRow>) {}
}

/// The number of steps of a bar: without a terminal, each step is a line.
const STEPS: u64 = 10;

/// How far a blob is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Not begun.
    Queued,
    /// So many bytes are there.
    Moving(u64),
    /// The registry had it.
    Present,
    /// The registry had it in another repository.
    Mounted,
    /// It has been uploaded.
    Uploaded,
}

/// The row of a blob. `what` is its role: layer, configuration.
pub fn blob_row(what: &str, digest: &Digest, size: u64, stage: Stage) -> BlobRow {
    let short = digest.hex().get(..12).unwrap_or(digest.hex());
    let reason = match stage {
        Stage::Queued => format!("waiting ({})", bytes(size)),
        Stage::Moving(sent) => bar(sent, size),
        Stage::Present => "there already".to_owned(),
        Stage::Mounted => "taken from another repository".to_owned(),
        Stage::Uploaded => format!("uploaded ({})", bytes(size)),
    };
    BlobRow {
        title: format!("{what} {short}"),
        done: !matches!(stage, Stage::Queued | Stage::Moving(_)),
        text: reason,
    }
}

fn bar(sent: u64, size: u64) -> String {
    let steps = (sent * STEPS).checked_div(size).unwrap_or(STEPS).min(STEPS);
    let of = |count: u64, sign: &str| sign.repeat(usize::try_from(count).unwrap_or_default());
    let (done, left) = (of(steps, "█"), of(STEPS - steps, "░"));
    format!("{done}{left} {} % of {}", steps * 100 / STEPS, bytes(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_how_far_a_blob_is() {
        let digest = format!("sha256:{}", "0123456789abcdef".repeat(4)).parse().unwrap();
        let row_text = |stage| blob_row("layer", &digest, 5_000_000, stage).text;
        assert_eq!(row_text(Stage::Queued), "waiting (5.0 MB)");
        assert_eq!(row_text(Stage::Moving(0)), "░░░░░░░░░░ 0 % of 5.0 MB");
        assert_eq!(row_text(Stage::Moving(3_100_000)), "██████░░░░ 60 % of 5.0 MB");
        assert_eq!(row_text(Stage::Moving(9_000_000)), "██████████ 100 % of 5.0 MB");
        assert_eq!(row_text(Stage::Uploaded), "uploaded (5.0 MB)");
        assert_eq!(
            blob_row("layer", &digest, 0, Stage::Moving(0)).title,
            "layer 0123456789ab"
        );
    }
}
