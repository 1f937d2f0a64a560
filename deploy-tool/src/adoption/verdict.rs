//! Pure: whether a crate runs as Wasm as it is, after changes that are known, or not.

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

/// Judges some findings. `swapped`: the package's own dependencies in whose place others are.
pub fn verdict(findings: &[Finding], swapped: &[&str]) -> Verdict {
    let matter = findings.iter().filter(|finding| finding.weight != Weight::Wrong);
    let worst = matter.map(|finding| match finding.remedy {
        Remedy::Swap if !is_of(finding, swapped) => Remedy::Redesign,
        remedy => remedy,
    });
    match worst.max() {
        None => Verdict::Ready,
        Some(Remedy::Redesign) => Verdict::Impossible,
        Some(Remedy::Line | Remedy::Swap) => Verdict::AfterChanges,
    }
}

/// Removes findings about transitive dependencies of a crate that is swapped anyway.
pub fn without_swapped(findings: Vec<Finding>, swapped: &[&str]) -> Vec<Finding> {
    let brought = |finding: &Finding| matches!(&finding.location, Location::Crate { path } if path.len() > 1);
    findings
        .into_iter()
        .filter(|finding| !(brought(finding) && is_of(finding, swapped)))
        .collect()
}

fn is_of(finding: &Finding, swapped: &[&str]) -> bool {
    matches!(&finding.location, Location::Crate { path } if path.first().is_some_and(|first| swapped.contains(&first.as_str())))
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

    #[test]
    fn the_worst_finding_decides() {
        let wrong = finding(Weight::Wrong, Remedy::Line, &[]);
        let line = finding(Weight::Stop, Remedy::Line, &[]);
        let swap = finding(Weight::Compile, Remedy::Swap, &["tokio"]);
        let threads = finding(Weight::Stop, Remedy::Redesign, &[]);
        assert_eq!(verdict(std::slice::from_ref(&wrong), &[]), Verdict::Ready);
        assert_eq!(verdict(&[wrong.clone(), line.clone()], &[]), Verdict::AfterChanges);
        assert_eq!(verdict(&[line, swap.clone()], &["tokio"]), Verdict::AfterChanges);
        // As an optional dependency, for instance, nothing can take its place.
        assert_eq!(verdict(std::slice::from_ref(&swap), &[]), Verdict::Impossible);
        assert_eq!(verdict(&[swap, threads], &["tokio"]), Verdict::Impossible);
    }

    #[test]
    fn what_a_swapped_dependency_brings_goes_with_it() {
        let all = vec![
            finding(Weight::Compile, Remedy::Swap, &["tokio"]),
            finding(Weight::Compile, Remedy::Redesign, &["tokio", "socket2"]),
            finding(Weight::Compile, Remedy::Redesign, &["web", "socket2"]),
        ];
        let left = without_swapped(all, &["tokio"]);
        assert_eq!(left.len(), 2);
        assert_eq!(verdict(&left[..1], &["tokio"]), Verdict::AfterChanges);
    }
}
