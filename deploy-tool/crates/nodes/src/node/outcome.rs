//! How a node is left: its labels, and whether it takes pods again.

/// What has become of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A version is there, and a probe has run.
    Ready(String),
    /// Another version is there than was to be: the one before.
    Back(String),
    /// No engine is there.
    Gone,
    /// As before the run, or with a damaged installation repaired.
    AsBefore,
    /// An operator must check it: the runtime does not run, or the state is unknown.
    NeedsOperator,
}

/// The last changes of a node at the end of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinalState {
    /// The labels of another engine, or of none.
    pub label: Option<Option<String>>,
    /// Whether to uncordon it; one that was cordoned before the run stays so.
    pub uncordon: bool,
}

/// Decides it by what has become of a node, the engine that it was labelled with before and is now, and whether an earlier run
/// that was cut off had left it cordoned.
pub fn final_state(outcome: &Outcome, before: Option<&str>, now: Option<&str>, was_cordoned: bool) -> FinalState {
    let (wanted, uncordon) = match outcome {
        Outcome::Ready(version) => (Some(version.as_str()), true),
        // One that was not open before is not opened by what has failed.
        Outcome::Back(version) => (before.map(|_| version.as_str()), !was_cordoned),
        Outcome::Gone => (None, true),
        Outcome::AsBefore => (before, !was_cordoned),
        Outcome::NeedsOperator => (now, false),
    };
    // A label that is there already may lack the other one.
    let is_right = now == wanted && !matches!(outcome, Outcome::Ready(_));
    FinalState {
        label: (!is_right).then(|| wanted.map(str::to_owned)),
        uncordon,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_never_left_worse_than_it_was() {
        let set = |version: &str| Some(Some(version.to_owned()));
        let (ready, back) = (Outcome::Ready("2".into()), Outcome::Back("1".into()));
        for (outcome, label, was_cordoned, expected, uncordon) in [
            (&ready, None, false, set("2"), true),
            (&ready, Some("2"), true, set("2"), true),
            (&back, Some("1"), false, None, true),
            (&back, Some("2"), true, set("1"), false),
            (&back, None, false, None, true),
            // Labels go when the engine goes: pods would come, and not run.
            (&Outcome::Gone, Some("1"), false, Some(None), true),
            (&Outcome::Gone, None, true, None, true),
            (&Outcome::AsBefore, Some("1"), false, None, true),
            (&Outcome::AsBefore, Some("1"), true, None, false),
            (&Outcome::NeedsOperator, Some("1"), false, None, false),
        ] {
            let expected = FinalState {
                label: expected,
                uncordon,
            };
            assert_eq!(
                final_state(outcome, label, label, was_cordoned),
                expected,
                "{outcome:?} {label:?} {was_cordoned}"
            );
        }
        // A removal has taken the labels first: they come back with the engine, unless the runtime does not.
        assert_eq!(final_state(&Outcome::AsBefore, Some("1"), None, false).label, set("1"));
        assert_eq!(final_state(&Outcome::Gone, Some("1"), None, false).label, None);
        assert_eq!(final_state(&Outcome::NeedsOperator, Some("1"), None, false).label, None);
    }
}
