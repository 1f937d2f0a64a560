//! Pure: names of workloads in arguments: `app`, `deployment/app`, `sts/mariadb`.

mod info;
pub mod list;
pub mod restart;

pub use info::{RolloutBlock, WorkloadInfo, choose};

use std::fmt;
use std::str::FromStr;

/// Limit of the names in one sentence.
const MOST_LISTED: usize = 20;

/// The kinds that run pods, and pods themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A Deployment.
    Deployment,
    /// A StatefulSet.
    StatefulSet,
    /// A DaemonSet.
    DaemonSet,
    /// A Job.
    Job,
    /// A CronJob, by the Jobs that it has made.
    CronJob,
    /// A Service, by the pods that it leads to.
    Service,
    /// A pod.
    Pod,
}

/// What an argument names: a kind and a name, or a name alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The kind, if the argument has it.
    pub kind: Option<Kind>,
    /// The name.
    pub name: String,
}

/// A workload that is there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Workload {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
}

impl Kind {
    /// Each with the names that people know from kubectl, the one that is printed first.
    const NAMES: [(Self, &'static [&'static str]); 7] = [
        (
            Self::Deployment,
            &["deployment", "deployments", "deploy", "deployment.apps"],
        ),
        (
            Self::StatefulSet,
            &["statefulset", "statefulsets", "sts", "statefulset.apps"],
        ),
        (Self::DaemonSet, &["daemonset", "daemonsets", "ds", "daemonset.apps"]),
        (Self::Job, &["job", "jobs", "job.batch"]),
        (Self::CronJob, &["cronjob", "cronjobs", "cj", "cronjob.batch"]),
        (Self::Service, &["service", "services", "svc"]),
        (Self::Pod, &["pod", "pods", "po"]),
    ];

    /// The kind of a name that people know from kubectl, in lower or upper case.
    pub fn from_name(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let mut all = Self::NAMES.iter();
        all.find(|(_, names)| names.contains(&text.as_str()))
            .map(|(kind, _)| *kind)
    }
}

/// As in the API: `Deployment`.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::Job => "Job",
            Self::CronJob => "CronJob",
            Self::Service => "Service",
            Self::Pod => "Pod",
        })
    }
}

impl Reference {
    /// Whether it means this workload.
    pub fn matches(&self, workload: &Workload) -> bool {
        self.kind.is_none_or(|kind| kind == workload.kind) && self.name == workload.name
    }
}

impl Workload {
    /// As an argument: `deployment/app`.
    pub fn argument(&self) -> String {
        format!("{}/{}", self.kind.to_string().to_ascii_lowercase(), self.name)
    }
}

/// For sentences: Deployment `app`.
impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.kind, self.name)
    }
}

/// As it was written.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Some(kind) => write!(f, "{kind} `{}`", self.name),
            None => write!(f, "`{}`", self.name),
        }
    }
}

impl FromStr for Reference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, name) = match text.split_once('/') {
            None => (None, text),
            Some((kind, name)) => {
                let known = || Kind::NAMES.map(|(_, names)| names[0]).join(", ");
                let kind = Kind::from_name(kind).ok_or_else(|| format!("`{kind}` is none of {}", known()))?;
                (Some(kind), name)
            }
        };
        // https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names
        let inside =
            |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || "-.".contains(character);
        if name.is_empty() || name.len() > 253 || !name.chars().all(inside) {
            return Err(format!("`{name}` is not a name of an object: write NAME or KIND/NAME"));
        }
        Ok(Self {
            kind,
            name: name.to_owned(),
        })
    }
}

/// The names of existing workloads, for an error about a missing one.
pub fn list_names(all: &[Workload]) -> String {
    let names: Vec<String> = all.iter().take(MOST_LISTED).map(Workload::argument).collect();
    match all.len().checked_sub(MOST_LISTED) {
        _ if all.is_empty() => "it has none at all".to_owned(),
        None | Some(0) => format!("it has: {}", names.join(", ")),
        Some(more) => format!("it has: {} and {more} more", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_by_the_names_people_know() {
        let cases = [
            ("app", None, "app"),
            ("deploy/app", Some(Kind::Deployment), "app"),
            ("StatefulSet/db", Some(Kind::StatefulSet), "db"),
            ("ds/agent", Some(Kind::DaemonSet), "agent"),
            ("job/load", Some(Kind::Job), "load"),
            ("cronjob/dump", Some(Kind::CronJob), "dump"),
            ("svc/app", Some(Kind::Service), "app"),
            ("po/app-1", Some(Kind::Pod), "app-1"),
        ];
        for (text, kind, name) in cases {
            assert_eq!(
                text.parse(),
                Ok(Reference {
                    kind,
                    name: name.to_owned()
                })
            );
        }
        for wrong in ["", "/", "deployment/", "/app", "node/a", "a/b/c", "App", "a b"] {
            assert!(wrong.parse::<Reference>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn lists_end_somewhere() {
        let all = |count: usize| -> Vec<_> {
            (0..count)
                .map(|number| Workload {
                    kind: Kind::Job,
                    name: format!("j{number}"),
                })
                .collect()
        };
        assert_eq!(list_names(&[]), "it has none at all");
        assert_eq!(list_names(&all(2)), "it has: job/j0, job/j1");
        assert!(list_names(&all(20)).ends_with("job/j19") && list_names(&all(21)).ends_with("job/j19 and 1 more"));
    }

    #[test]
    fn a_name_alone_means_every_kind() {
        let set = Workload {
            kind: Kind::StatefulSet,
            name: "db".into(),
        };
        let means = |text: &str| text.parse::<Reference>().unwrap().matches(&set);
        assert!(means("db") && means("sts/db") && !means("deploy/db") && !means("other"));
        assert_eq!(
            (set.argument().as_str(), set.to_string().as_str()),
            ("statefulset/db", "StatefulSet `db`")
        );
    }
}
