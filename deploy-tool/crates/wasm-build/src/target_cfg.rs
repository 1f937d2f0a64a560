//! Pure: which `cfg` conditions hold in a guest.

use std::collections::BTreeSet;
use std::str::FromStr;

use cargo_platform::{Cfg, CfgExpr, Platform};

use crate::TARGET;

/// What `rustc --print cfg --target wasm32-wasip1` prints, but for atomics and processor features.
const GUEST: &[&str] = &[
    "panic=\"abort\"",
    "target_abi=\"\"",
    "target_arch=\"wasm32\"",
    "target_endian=\"little\"",
    "target_env=\"p1\"",
    "target_family=\"wasm\"",
    "target_os=\"wasi\"",
    "target_pointer_width=\"32\"",
    "target_vendor=\"unknown\"",
];

fn guest() -> Vec<Cfg> {
    GUEST.iter().filter_map(|text| Cfg::from_str(text).ok()).collect()
}

/// Whether the condition of a table of Cargo.toml, such as `cfg(target_os = "wasi")`, holds in a guest.
pub fn has_platform(platform: &str) -> bool {
    // What Cargo itself could not read, it has refused.
    Platform::from_str(platform).is_ok_and(|platform| platform.matches(TARGET, &guest()))
}

/// Whether the condition of an attribute, without `cfg` and its parentheses, holds in a guest with some features. What
/// cannot be read holds.
pub fn holds(condition: &str, features: &BTreeSet<String>) -> bool {
    let features = features
        .iter()
        .filter_map(|feature| Cfg::from_str(&format!("feature={feature:?}")).ok());
    let all: Vec<Cfg> = guest().into_iter().chain(features).collect();
    CfgExpr::from_str(condition).map_or(true, |condition| condition.matches(&all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_is_wasi_and_nothing_native() {
        assert_eq!(guest().len(), GUEST.len());
        for (platform, expected) in [
            ("cfg(target_os = \"wasi\")", true),
            ("cfg(not(target_os = \"wasi\"))", false),
            ("cfg(target_family = \"wasm\")", true),
            ("cfg(any(unix, windows))", false),
            ("wasm32-wasip1", true),
            ("x86_64-unknown-linux-gnu", false),
        ] {
            assert_eq!(has_platform(platform), expected, "{platform}");
        }
        let features = BTreeSet::from(["tls".to_owned()]);
        for (condition, expected) in [
            ("test", false),
            ("not (test)", true),
            ("feature = \"tls\"", true),
            ("all (feature = \"tls\" , not (target_os = \"wasi\"))", false),
            ("feature = \"other\"", false),
        ] {
            assert_eq!(holds(condition, &features), expected, "{condition}");
        }
    }
}
