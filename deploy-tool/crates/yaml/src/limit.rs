//! How much a file may hold: above what real manifests have, below what a few lines of aliases could blow up to.

use serde_saphyr::Error;
use serde_saphyr::budget::{Budget, BudgetBreach};
use serde_saphyr::options::AliasLimits;

const DOCUMENTS: usize = 100_000;
const NODES: usize = 4_000_000;
const EVENTS: usize = 3 * NODES;
const ALIASES: usize = 1_000_000;
/// What aliases may stand for, all together.
const ALIASED: usize = 1_000_000;
const DEPTH: usize = 64;
const BYTES: usize = 256 * 1024 * 1024;

pub fn budget() -> Option<Budget> {
    serde_saphyr::budget! {
        max_documents: DOCUMENTS,
        max_nodes: NODES,
        max_events: EVENTS,
        max_aliases: ALIASES,
        max_anchors: ALIASES,
        max_merge_keys: ALIASES,
        max_recorded_anchor_events: ALIASED,
        max_recorded_anchor_bytes: BYTES,
        max_total_scalar_bytes: BYTES,
        max_depth: DEPTH,
        // What aliases may come to is limited itself.
        enforce_alias_anchor_ratio: false,
    }
}

pub fn aliases() -> AliasLimits {
    serde_saphyr::alias_limits! { max_total_replayed_events: ALIASED }
}

/// The sentence of an error that a limit has made.
pub fn exceeded(error: &Error) -> Option<String> {
    // What is wrong behind an alias is told by both places.
    if let Error::AliasError { error, .. } = error.without_snippet() {
        return exceeded(error);
    }
    let (what, most) = match error.without_snippet() {
        Error::Budget { breach, .. } => match breach {
            BudgetBreach::Documents { .. } => ("documents", DOCUMENTS),
            BudgetBreach::Nodes { .. } => ("fields, items and values", NODES),
            BudgetBreach::Events { .. } => ("fields, items and values", EVENTS),
            BudgetBreach::Aliases { .. } => ("aliases (`*name`)", ALIASES),
            BudgetBreach::Anchors { .. } => ("anchors (`&name`)", ALIASES),
            BudgetBreach::MergeKeys { .. } => ("merges (`<<`)", ALIASES),
            BudgetBreach::RecordedAnchorEvents { .. } => ("values behind anchors (`&name`)", ALIASED),
            BudgetBreach::Depth { .. } => {
                return Some(format!(
                    "maps and lists are nested more than {DEPTH} deep: make it flatter"
                ));
            }
            _ => ("bytes", BYTES),
        },
        Error::AliasReplayLimitExceeded { .. } => ("values that aliases (`*name`) stand for", ALIASED),
        _ => return None,
    };
    Some(format!(
        "more than {most} {what} in one file: split it into several files"
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::DEPTH;
    use crate::documents;

    #[test]
    fn real_files_are_read_however_large() {
        let many: String = (0..1100).map(|number| format!("n: {number}\n---\n")).collect();
        assert_eq!(documents::<Value>(&many).unwrap().len(), 1100);
        let wide: String = (0..130_000).map(|number| format!("k{number}: v\n")).collect();
        assert_eq!(documents::<Value>(&wide).unwrap().len(), 1);
        let shared: String = (0..1000).map(|_| "- *a\n".to_owned()).collect();
        assert_eq!(
            documents::<Value>(&format!("- &a {{b: c}}\n{shared}")).unwrap().len(),
            1
        );
        let deep = format!("{}1{}", "[".repeat(DEPTH - 1), "]".repeat(DEPTH - 1));
        assert_eq!(documents::<Value>(&deep).unwrap().len(), 1);
    }

    #[test]
    fn a_limit_is_a_sentence() {
        let deep = format!("{}1{}", "[".repeat(DEPTH + 1), "]".repeat(DEPTH + 1));
        let mut bomb = "- &l0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..8 {
            let inner = format!("*l{}, ", level - 1).repeat(10);
            bomb.push_str(&format!("- &l{level} [{inner}]\n"));
        }
        let cases = [
            (deep, "nested more than 64 deep"),
            (bomb, "in one file: split it into several files"),
        ];
        for (text, expected) in cases {
            let message = documents::<Value>(&text).unwrap_err().message;
            assert!(message.contains(expected) && !message.contains('{'), "{message}");
        }
    }
}
