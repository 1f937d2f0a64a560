//! The numbered failures: stable for scripts and searches, explained in docs/errors.md, which is made from here.
//!
//! A number is never given twice, and never to something else. One file a range: 01xx the user's input, 02xx applying,
//! 03xx what was applied does not come up, 04xx releases, 05xx scaling, logs and connections, 06xx images, 07xx
//! registries, 08xx what `doctor` finds, 09xx nodes.

pub mod apply;
pub mod doctor;
pub mod image;
pub mod input;
pub mod node;
pub mod registry;
pub mod release;
pub mod rollout;
pub mod scale;

pub use crate::error_code::Code;

/// All of them, by number.
pub fn all() -> Vec<&'static Code> {
    [
        input::CODES,
        apply::CODES,
        rollout::CODES,
        release::CODES,
        scale::CODES,
        image::CODES,
        registry::CODES,
        doctor::CODES,
        node::CODES,
    ]
    .concat()
}

/// The one with a number as a person types it: DT0201, dt201 or 201.
pub fn find(number: &str) -> Option<&'static Code> {
    let digits = number.trim_start_matches(['D', 'T', 'd', 't']);
    let number: u16 = digits.parse().ok()?;
    all().into_iter().find(|code| code.number == number)
}

/// The text of docs/errors.md.
pub fn document() -> String {
    let mut text = String::from(
        "# Errors\n\nThe numbered failures of `deploy-tool`. This page is made from `deploy-tool/crates/diagnostics/src/code/`: \
         `UPDATE_DOCS=1 cargo test -p diagnostics` rewrites it.\n",
    );
    for code in all() {
        text.push_str(&format!("\n## {}", code.text()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn numbers_ascend_and_everything_is_explained() {
        let codes = all();
        assert!(codes.windows(2).all(|two| two[0].number < two[1].number), "{codes:?}");
        for code in codes {
            for text in [code.title, code.explanation, code.fix] {
                assert!(!text.trim().is_empty(), "{code}");
            }
        }
    }

    #[test]
    fn a_number_is_found_however_it_is_typed() {
        for typed in ["DT0201", "dt0201", "0201", "201"] {
            assert_eq!(find(typed), Some(&apply::FIELD_CONFLICT), "{typed}");
        }
        for typed in ["", "DT", "DT0000", "70000", "x"] {
            assert_eq!(find(typed), None, "{typed}");
        }
    }

    #[test]
    fn the_page_is_the_one_in_docs() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/errors.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, document()).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            written == document(),
            "docs/errors.md is out of date: UPDATE_DOCS=1 cargo test -p diagnostics"
        );
    }
}
