//! Pure: whether a crate runs as Wasm as it is, after changes that are known, or not.

use std::collections::BTreeSet;

use serde::Serialize;

use wasm_build::traps::{Finding, Location, Remedy, Weight};

/// Whether a crate runs as Wasm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// As it is.
    Ready,
    /// After other dependencies or other lines, which are named.
    AfterChanges,
    /// Not without another design.
    Impossible,
}

/// The dependencies in whose place others are.
#[derive(Clone, Debug, Default)]
pub struct Swapped {
    /// The members of the workspace, whose manifests are the user's own.
    pub members: BTreeSet<String>,
    /// The names of the dependencies, in all of these manifests.
    pub names: BTreeSet<String>,
}

impl Swapped {
    /// Whether a finding is about one of them, or what it brings.
    fn has(&self, finding: &Finding) -> bool {
        outer(finding, &self.members).is_some_and(|(name, _)| self.names.contains(name))
    }

    /// Whether a finding is about what one of them brings.
    fn brings(&self, finding: &Finding) -> bool {
        self.has(finding) && outer(finding, &self.members).is_some_and(|(_, brought)| !brought.is_empty())
    }
}

/// The first crate on the way to that of a finding that is no member, and those behind it.
fn outer<'f>(finding: &'f Finding, members: &BTreeSet<String>) -> Option<(&'f String, &'f [String])> {
    let Location::Crate { path } = &finding.location else {
        return None;
    };
    let start = path.iter().position(|name| !members.contains(name))?;
    path[start..].split_first()
}

/// Judges some findings.
pub fn verdict(findings: &[Finding], swapped: &Swapped) -> Verdict {
    let matter = findings.iter().filter(|finding| finding.weight != Weight::Wrong);
    let worst = matter.map(|finding| match finding.remedy {
        Remedy::Swap if !swapped.has(finding) => Remedy::Redesign,
        remedy => remedy,
    });
    match worst.max() {
        None => Verdict::Ready,
        Some(Remedy::Redesign) => Verdict::Impossible,
        Some(Remedy::Line | Remedy::Swap) => Verdict::AfterChanges,
    }
}

/// Removes findings about transitive dependencies of a crate that is swapped anyway.
pub fn without_swapped(findings: Vec<Finding>, swapped: &Swapped) -> Vec<Finding> {
    findings
        .into_iter()
        .filter(|finding| !swapped.brings(finding))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(weight: Weight, remedy: Remedy, path: &[&str]) -> Finding {
        let location = match path {
            [] => Location::File {
                path: "src/main.rs".into(),
                line: 1,
            },
            path => Location::Crate {
                path: path.iter().map(|part| (*part).to_owned()).collect(),
            },
        };
        Finding {
            trap: "x",
            weight,
            remedy,
            location,
            what: String::new(),
            fix: String::new(),
        }
    }

    fn swapped(names: &[&str]) -> Swapped {
        Swapped {
            members: BTreeSet::from(["common".to_owned()]),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    #[test]
    fn the_worst_finding_decides() {
        let wrong = finding(Weight::Wrong, Remedy::Line, &[]);
        let line = finding(Weight::Stop, Remedy::Line, &[]);
        let swap = finding(Weight::Compile, Remedy::Swap, &["tokio"]);
        let threads = finding(Weight::Stop, Remedy::Redesign, &[]);
        assert_eq!(verdict(std::slice::from_ref(&wrong), &swapped(&[])), Verdict::Ready);
        assert_eq!(
            verdict(&[wrong.clone(), line.clone()], &swapped(&[])),
            Verdict::AfterChanges
        );
        assert_eq!(
            verdict(&[line, swap.clone()], &swapped(&["tokio"])),
            Verdict::AfterChanges
        );
        // As an optional dependency, for instance, nothing can take its place.
        assert_eq!(verdict(std::slice::from_ref(&swap), &swapped(&[])), Verdict::Impossible);
        assert_eq!(verdict(&[swap, threads], &swapped(&["tokio"])), Verdict::Impossible);
    }

    #[test]
    fn what_a_swapped_dependency_brings_goes_with_it() {
        let all = vec![
            finding(Weight::Compile, Remedy::Swap, &["tokio"]),
            finding(Weight::Compile, Remedy::Redesign, &["tokio", "socket2"]),
            finding(Weight::Compile, Remedy::Redesign, &["web", "socket2"]),
        ];
        let left = without_swapped(all, &swapped(&["tokio"]));
        assert_eq!(left.len(), 2);
        assert_eq!(verdict(&left[..1], &swapped(&["tokio"])), Verdict::AfterChanges);
    }

    #[test]
    fn what_a_member_depends_on_is_swapped_as_the_packages_own() {
        let own = finding(Weight::Compile, Remedy::Swap, &["common", "tokio"]);
        let brought = finding(Weight::Compile, Remedy::Redesign, &["common", "tokio", "socket2"]);
        let of_other = finding(Weight::Compile, Remedy::Redesign, &["common", "web", "tokio"]);
        let left = without_swapped(vec![own.clone(), brought], &swapped(&["tokio"]));
        assert_eq!(left, std::slice::from_ref(&own));
        assert_eq!(verdict(&left, &swapped(&["tokio"])), Verdict::AfterChanges);
        assert_eq!(verdict(&left, &swapped(&[])), Verdict::Impossible);
        assert_eq!(verdict(&[own, of_other], &swapped(&["tokio"])), Verdict::Impossible);
    }
}
