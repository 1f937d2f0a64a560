//! Which revision runs, and what became of those after it.

use serde::Serialize;

use releases::release::{History, Name, Revision, State};

/// A release as `status` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseStatus {
    /// Its name.
    pub name: String,
    /// The newest revision that came up, if one did.
    pub deployed: Option<RevisionStatus>,
    /// The newest revision, if it is another one: it is being made, or has failed.
    pub unfinished: Option<RevisionStatus>,
}

/// A revision as `status` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RevisionStatus {
    /// Its number.
    pub revision: u32,
    /// How far it came.
    pub state: State,
    /// When it began.
    pub created: String,
    /// Who made it.
    pub deployer: String,
    /// What for.
    pub reason: String,
    /// Why it failed.
    pub message: String,
}

impl RevisionStatus {
    fn new(revision: &Revision) -> Self {
        Self {
            revision: revision.number,
            state: revision.state,
            created: format!("{:.0}", revision.created),
            deployer: revision.deployer.to_string(),
            reason: revision.reason.clone(),
            message: revision.message.clone(),
        }
    }
}

/// The status of a release by its history; none without revisions.
pub fn release(name: &Name, history: &History) -> Option<ReleaseStatus> {
    let newest = history.newest()?;
    let unfinished = (newest.state != State::Deployed).then(|| RevisionStatus::new(newest));
    Some(ReleaseStatus {
        name: name.to_string(),
        deployed: history.newest_deployed().map(RevisionStatus::new),
        unfinished,
    })
}

impl ReleaseStatus {
    /// In a line or two.
    pub fn sentence(&self) -> String {
        let deployed = match &self.deployed {
            Some(RevisionStatus {
                revision,
                created,
                reason,
                ..
            }) => format!("revision {revision}, `{reason}` of {created}"),
            None => "no revision has come up".to_owned(),
        };
        let mut text = format!("release {}: {deployed}\n", self.name);
        if let Some(unfinished) = &self.unfinished {
            let RevisionStatus { revision, reason, .. } = unfinished;
            text.push_str(&match unfinished.state {
                State::Pending => format!(
                    "revision {revision}, `{reason}`, is pending: {} is at work, or was interrupted",
                    unfinished.deployer
                ),
                State::Undecided => format!("revision {revision}, `{reason}`, is undecided: {}", unfinished.message),
                State::Deployed | State::Failed => {
                    format!("revision {revision}, `{reason}`, has failed: {}", unfinished.message)
                }
            });
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use releases::release::{HolderIdentity, Record};

    fn status(states: &[State]) -> Option<ReleaseStatus> {
        let record = |(number, state): (u32, &State)| Record {
            revision: Revision {
                number,
                state: *state,
                reason: "up".into(),
                message: match state {
                    State::Failed => "it crashes",
                    State::Undecided => "not ready within 5 s",
                    State::Pending | State::Deployed => "",
                }
                .into(),
                created: jiff::Timestamp::UNIX_EPOCH,
                finished: None,
                deployer: HolderIdentity {
                    host: "me@here".into(),
                    cache_id: "/cache".into(),
                    boot_id: "/cache".into(),
                    process: 7,
                },
                objects: Vec::new(),
                inventory: [].into(),
                kept: [].into(),
                completed: [].into(),
            },
            uid: String::new(),
            version: String::new(),
            renewed: jiff::Timestamp::UNIX_EPOCH,
        };
        let name = Name::new(Some("shop"), None, &[]).unwrap();
        release(&name, &History::new((1..).zip(states).map(record).collect()))
    }

    #[test]
    fn what_runs_and_what_came_after_it() {
        use State::{Deployed, Failed, Pending, Undecided};
        for (states, text) in [
            (
                &[Failed, Deployed][..],
                "release shop/shop: revision 2, `up` of 1970-01-01T00:00:00Z\n",
            ),
            (
                &[Deployed, Failed],
                "release shop/shop: revision 1, `up` of 1970-01-01T00:00:00Z\n\
                 revision 2, `up`, has failed: it crashes\n",
            ),
            (
                &[Deployed, Undecided],
                "release shop/shop: revision 1, `up` of 1970-01-01T00:00:00Z\n\
                 revision 2, `up`, is undecided: not ready within 5 s\n",
            ),
            (
                &[Pending],
                "release shop/shop: no revision has come up\n\
                 revision 1, `up`, is pending: me@here, process 7 is at work, or was interrupted\n",
            ),
        ] {
            assert_eq!(status(states).unwrap().sentence(), text);
        }
        assert_eq!(status(&[]), None);
    }
}
