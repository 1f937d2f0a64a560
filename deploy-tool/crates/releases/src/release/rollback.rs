//! The way back: which revision a rollback leads to, and which images a release has already.

use std::collections::BTreeMap;

use super::{History, Name, Revision, State};
use crate::manifest::{Object, running_references};
use diagnostics::code;
use diagnostics::{Error, Result};

/// The revision that `rollback` brings back.
///
/// # Errors
/// When it is not in the history, or never came up.
pub fn rollback_target<'h>(release: &Name, history: &'h History, wanted: Option<u32>) -> Result<&'h Revision> {
    let Some(number) = wanted else {
        let mut earlier = history.revisions().rev().skip(1);
        let target = earlier.find(|revision| revision.is_restorable());
        return target.ok_or_else(|| {
            Error::input(format!("there is no revision of release {release} to go back to"))
                .code(&code::release::NO_SUCH_REVISION)
                .cause("none came up before the newest")
                .hint("see what there is: `deploy-tool history`")
        });
    };
    let revision = history
        .revision(number)
        .ok_or_else(|| no_such_revision(release, history, number))?;
    if revision.is_restorable() {
        return Ok(revision);
    }
    let cause = match revision.state {
        State::Deployed => format!("it has no objects (`{}`)", revision.reason),
        state => format!("it is {state}: it has never come up"),
    };
    let failure = Error::input(format!("cannot roll release {release} back to revision {number}"))
        .code(&code::release::NO_SUCH_REVISION)
        .cause(cause);
    Err(match list_restorable(history) {
        numbers if numbers.is_empty() => failure.hint("deploy the manifests: `deploy-tool up` or `deploy-tool apply`"),
        numbers => failure.hint(format!("choose one that has come up: {numbers}")),
    })
}

/// The error for a missing revision, with the existing ones.
pub fn no_such_revision(release: &Name, history: &History, number: u32) -> Error {
    let numbers: Vec<String> = history
        .revisions()
        .map(|revision| revision.number.to_string())
        .collect();
    let there_are = if numbers.is_empty() {
        "it has none".to_owned()
    } else {
        format!("it has {}", numbers.join(", "))
    };
    Error::input(format!("release {release} has no revision {number}"))
        .code(&code::release::NO_SUCH_REVISION)
        .cause(there_are)
        .hint("see what there is: `deploy-tool history`")
}

fn list_restorable(history: &History) -> String {
    let restorable = history.revisions().filter(|revision| revision.is_restorable());
    let numbers: Vec<String> = restorable.map(|revision| revision.number.to_string()).collect();
    numbers.join(", ")
}

/// The images that the newest deployed revision with objects has where manifests have placeholders, by the
/// placeholder's name: in the container of the same name of the same object.
pub fn images_of_placeholders(history: &History, objects: &[Object]) -> BTreeMap<String, String> {
    let known = history
        .rollback_candidate()
        .map(Revision::manifests)
        .unwrap_or_default();
    let same = |object: &Object, known: &&Object| {
        let (known_kind, kind) = (known.group_version_kind(), object.group_version_kind());
        (known_kind.group, known_kind.kind, known.name()) == (kind.group, kind.kind, object.name())
    };
    let found = objects.iter().filter_map(|object| {
        let known = known.iter().find(|known| same(object, known))?;
        Some(running_references(object, &known.value))
    });
    found.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::Record;
    use crate::release::tests::{release, revision};

    fn deployment(image: &str) -> Vec<Object> {
        let text = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: app}}\nspec: {{template: {{spec: {{containers: [\
             {{name: c, image: '{image}'}}]}}}}}}\n"
        );
        crate::manifest::parse("m/app.yaml", &text).unwrap()
    }

    fn history() -> History {
        history_with(deployment)
    }

    fn history_with(objects: impl Fn(&str) -> Vec<Object>) -> History {
        let states = [State::Deployed, State::Deployed, State::Failed];
        let record = |(number, state): (u32, State)| Record {
            revision: Revision {
                state,
                objects: objects(&format!("x:{number}"))
                    .into_iter()
                    .map(|object| object.value)
                    .collect(),
                ..revision(number)
            },
            uid: String::new(),
            version: String::new(),
            renewed: jiff::Timestamp::UNIX_EPOCH,
        };
        History::new((1..).zip(states).map(record).collect())
    }

    #[test]
    fn only_what_came_up_is_a_way_back() {
        let (release, history) = (release(), history());
        let number = |wanted| rollback_target(&release, &history, wanted).map(|revision| revision.number);
        assert_eq!(number(None), Ok(2));
        assert_eq!(number(Some(1)), Ok(1));
        for (wanted, says) in [(3, "choose one that has come up: 1, 2"), (9, "it has 1, 2, 3")] {
            let failure = number(Some(wanted)).unwrap_err();
            assert!(failure.to_string().contains(says), "{failure}");
            assert_eq!(failure.number(), Some(&code::release::NO_SUCH_REVISION));
        }
        assert!(rollback_target(&release, &History::default(), None).is_err());
        // The second was a `down`.
        let history = history_with(|image| if image == "x:2" { Vec::new() } else { deployment(image) });
        assert_eq!(rollback_target(&release, &history, None).unwrap().number, 1);
        let failure = rollback_target(&release, &history, Some(2)).unwrap_err().to_string();
        assert!(
            failure.contains("no objects") && failure.contains("come up: 1"),
            "{failure}"
        );
        let history = history_with(|_| Vec::new());
        let failure = rollback_target(&release, &history, Some(1)).unwrap_err().to_string();
        assert!(failure.contains("`deploy-tool up`"), "{failure}");
    }

    #[test]
    fn images_stay_where_nothing_is_built() {
        let images = images_of_placeholders(&history(), &deployment("deploy-tool://orders"));
        assert_eq!(images, [("orders".to_owned(), "x:2".to_owned())].into());
        assert!(images_of_placeholders(&history(), &deployment("y:1")).is_empty());
        assert!(images_of_placeholders(&History::default(), &deployment("deploy-tool://orders")).is_empty());
    }
}
