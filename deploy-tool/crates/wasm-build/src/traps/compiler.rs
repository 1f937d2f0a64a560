//! Pure: crates and members that take a newer compiler than the builder has. Those that go into the module count, and those that the
//! compiler itself runs: procedural macros, and what build scripts use.

use std::path::PathBuf;

use super::finding::{Finding, Location, Remedy, Weight};
use super::graph::GuestCrate;
use crate::workspace::Package;

/// The compiler of the builder, `rustc_version` in oci/versions: a crate that wants a newer one does not compile there.
pub const BUILDER_RUST: (u32, u32) = (1, 85);
/// Crates that need a newer compiler than their `rust-version`, with the last version that does not.
const UNDERSTATED: [(&str, &str); 1] = [("subprocess", "0.2.9")];

/// The last version of an understated crate that the builder compiles, and the command that takes it.
pub fn pin(name: &str) -> Option<(&'static str, String)> {
    let (_, last) = UNDERSTATED.iter().find(|(understated, _)| *understated == name)?;
    Some((last, format!("cargo update -p {name} --precise {last}")))
}

/// Why the builder does not compile a crate, and what to do about it.
pub fn refusal(guest_crate: &GuestCrate) -> Option<(String, String)> {
    let has = builder_has();
    let is_newer = |(last, _): &(&str, String)| number(&guest_crate.version) > number(last);
    if let Some((_, command)) = pin(&guest_crate.name).filter(is_newer) {
        let reason = format!("it takes a newer Rust than it says, and {has}");
        return Some((reason, format!("`{command}`")));
    }
    let reason = newer(guest_crate.rust_version.as_deref()?)?;
    let fix = "an older one: rust-version = \"1.85\" in Cargo.toml, then \
               `CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS=fallback cargo update`";
    Some((reason, fix.to_owned()))
}

/// Why the builder does not compile what has a `rust-version`.
fn newer(rust_version: &str) -> Option<String> {
    let (major, minor, _) = number(rust_version);
    ((major, minor) > BUILDER_RUST).then(|| format!("it wants Rust {major}.{minor}, and {}", builder_has()))
}

fn builder_has() -> String {
    format!("the builder has {}.{}", BUILDER_RUST.0, BUILDER_RUST.1)
}

/// The trap that the `rust-version` of a member is: its manifest, as it is shown, and its text.
pub fn check_member(member: &Package, path: PathBuf, manifest: &str) -> Option<Finding> {
    let reason = newer(member.rust_version.as_deref()?)?;
    let line = manifest
        .lines()
        .position(|line| line.trim_start().starts_with("rust-version"));
    Some(Finding {
        trap: "rust-version",
        weight: Weight::Compile,
        remedy: Remedy::Line,
        location: Location::File {
            path,
            line: line.unwrap_or_default() + 1,
        },
        what: format!("{}: {reason}", member.name),
        fix: "rust-version = \"1.85\", and nothing of a newer Rust in the sources".to_owned(),
    })
}

/// The three numbers of a version; a missing one is 0.
pub fn number(version: &str) -> (u32, u32, u32) {
    let mut parts = version.split(['.', '-', '+']).map(|part| part.parse().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    (next(), next(), next())
}
