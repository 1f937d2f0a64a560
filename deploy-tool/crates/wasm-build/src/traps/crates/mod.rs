//! Pure: the traps that the crates of a guest are.

mod rules;

use std::collections::BTreeSet;

use self::rules::{CONDITIONS, RULES, Rule};
use super::compiler;
use super::finding::{Finding, Location, Remedy, Weight};
use super::graph::{CrateSource, GuestCrate, GuestGraph};

/// The crates in whose place others have the same API.
pub const SWAPPED: [&str; 3] = ["tokio", "hyper", "mysql_async"];
/// The features of tokio that have no form for this target.
const TOKIO_NATIVE: [&str; 7] = ["net", "fs", "process", "signal", "io-std", "rt-multi-thread", "full"];

/// The traps among the crates of a guest.
pub fn check_crates(graph: &GuestGraph) -> Vec<Finding> {
    let has = |name: &str| graph.crates.iter().any(|guest_crate| guest_crate.name == name);
    let mut findings = Vec::new();
    for guest_crate in &graph.crates {
        // Cargo.lock does not have targets: a transitive dependency may be for the native build only.
        let is_certain = graph.is_exact || guest_crate.is_own();
        findings.extend(
            rule(guest_crate)
                .filter(|rule| is_certain || rule.trap == "c-code")
                .map(|rule| {
                    if is_certain {
                        finding(rule.trap, rule.weight, guest_crate, rule.what.to_owned(), rule.fix)
                    } else {
                        let what = format!("where it is linked into the module: {}", rule.what);
                        finding(rule.trap, Weight::Wrong, guest_crate, what, rule.fix)
                    }
                }),
        );
        if is_certain {
            findings.extend(check_features(guest_crate, has("tokio_wasi")));
        }
    }
    findings.extend(graph.crates.iter().chain(&graph.of_build).filter_map(|one| {
        let (what, fix) = compiler::refusal(one)?;
        Some(finding("rust-version", Weight::Compile, one, what, &fix))
    }));
    // Dependencies of a crate that cannot be used are no further findings.
    let explained: BTreeSet<Vec<String>> = paths(&findings).cloned().collect();
    findings.retain(|finding| match &finding.location {
        Location::Crate { path } => !(1..path.len()).any(|length| explained.contains(&path[..length])),
        Location::File { .. } => true,
    });
    findings
}

fn paths(findings: &[Finding]) -> impl Iterator<Item = &Vec<String>> {
    findings.iter().filter_map(|finding| match &finding.location {
        Location::Crate { path } if finding.remedy != Remedy::Line => Some(path),
        _ => None,
    })
}

fn rule(guest_crate: &GuestCrate) -> Option<&'static Rule> {
    RULES
        .iter()
        .filter(|_| is_known_by_name(guest_crate))
        .find(|rule| rule.names.contains(&guest_crate.name.as_str()))
}

/// Whether it is the crate of that name, and not what stands in for it, such as a fork for Wasm.
fn is_known_by_name(guest_crate: &GuestCrate) -> bool {
    guest_crate.source == CrateSource::Registry
}

/// Names the crates that would be traps if they came from a registry and come from git repositories: nobody but the
/// compiler knows whether a fork has a form for Wasm.
pub fn forks_note(graph: &GuestGraph) -> Option<String> {
    let forks = graph.crates.iter().filter_map(|guest_crate| {
        let CrateSource::Git(address) = &guest_crate.source else {
            return None;
        };
        let of_registry = GuestCrate {
            source: CrateSource::Registry,
            ..guest_crate.clone()
        };
        let is_trap = rule(&of_registry).is_some() || !check_features(&of_registry, false).is_empty();
        is_trap.then(|| format!("{} of {address}", guest_crate.name))
    });
    let forks: Vec<String> = forks.collect();
    (!forks.is_empty()).then(|| {
        format!(
            "forks are taken as they are, the build shows whether they have a form for Wasm: {}",
            forks.join(", ")
        )
    })
}

fn finding(trap: &'static str, weight: Weight, guest_crate: &GuestCrate, what: String, fix: &str) -> Finding {
    let remedy = match trap {
        "mio" | "rust-version" => Remedy::Line,
        _ if weight == Weight::Wrong => Remedy::Line,
        _ if guest_crate.is_own() && SWAPPED.contains(&guest_crate.name.as_str()) && trap != "web-framework" => {
            Remedy::Swap
        }
        _ => Remedy::Redesign,
    };
    Finding {
        trap,
        weight,
        remedy,
        location: Location::Crate {
            path: guest_crate.path.clone(),
        },
        what: format!("{} {}: {what}", guest_crate.name, guest_crate.version),
        fix: fix.to_owned(),
    }
}

fn check_features(guest_crate: &GuestCrate, has_tokio_wasi: bool) -> Vec<Finding> {
    let known = Some(guest_crate).filter(|guest_crate| is_known_by_name(guest_crate));
    let by_name = known.and_then(|known| check_tokio(known, has_tokio_wasi).or_else(|| check_conditions(known)));
    by_name.into_iter().chain(check_native_code(guest_crate)).collect()
}

fn check_tokio(guest_crate: &GuestCrate, has_tokio_wasi: bool) -> Option<Finding> {
    if guest_crate.name != "tokio" {
        return None;
    }
    let native = guest_crate.features_among(&TOKIO_NATIVE);
    if !native.is_empty() {
        let what = format!("its features {} have no form for this target", native.join(", "));
        let fix = "tokio_wasi for Wasm; tokio stays for the native build";
        return Some(finding("tokio", Weight::Compile, guest_crate, what, fix));
    }
    has_tokio_wasi.then(|| {
        let what = "a second runtime beside tokio_wasi: what waits for it stops with `no reactor running`";
        let fix = "one of both: what brings tokio has to use tokio_wasi as well";
        finding("two-runtimes", Weight::Stop, guest_crate, what.to_owned(), fix)
    })
}

fn check_conditions(guest_crate: &GuestCrate) -> Option<Finding> {
    let mut conditions = CONDITIONS.iter().filter(|condition| condition.name == guest_crate.name);
    let condition = conditions.find(|condition| (condition.is_met)(guest_crate))?;
    let what = condition.what.to_owned();
    Some(finding(
        condition.trap,
        condition.weight,
        guest_crate,
        what,
        condition.fix,
    ))
}

fn check_native_code(guest_crate: &GuestCrate) -> Option<Finding> {
    if rule(guest_crate).is_some() {
        return None;
    }
    let is_system_library = guest_crate.links
        && ["-sys", "_sys"].iter().any(|ending| guest_crate.name.ends_with(ending))
        && !guest_crate.name.starts_with("windows");
    let what = if is_system_library {
        "it links a native library, and the builder has none for Wasm"
    } else {
        guest_crate.native_code.as_deref()?
    };
    let fix = "turn off the feature that brings it, or a crate in Rust alone";
    Some(finding("c-code", Weight::Compile, guest_crate, what.to_owned(), fix))
}

#[cfg(test)]
mod tests;
