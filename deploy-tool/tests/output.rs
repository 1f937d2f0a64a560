//! Everything printed goes through one place, which makes it harmless: [`terminal::Styled`]. Nobody else knows the streams.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // Examples and tests are no part of the tool.
        if ["examples", "tests", "tests.rs"]
            .iter()
            .any(|name| path.ends_with(name))
        {
            continue;
        }
        if path.is_dir() {
            sources(&path, found);
        // Build scripts talk to Cargo that way.
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("build.rs") {
            found.push(path);
        }
    }
}

#[test]
fn only_the_terminal_crate_prints() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&here.join("src"), &mut files);
    sources(&here.join("crates"), &mut files);
    assert!(files.len() > 100, "{}", files.len());
    let ways = [
        "println!(",
        "print!(",
        "io::stdout()",
        "io::stderr()",
        "anstream::stdout()",
        "anstream::stderr()",
    ];
    for file in files {
        let is_terminal = file.starts_with(here.join("crates/terminal"));
        let text = std::fs::read_to_string(&file).unwrap();
        // What comes after is for tests alone.
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for way in ways {
            assert!(
                is_terminal || !text.contains(way),
                "{} prints by `{way}`: let `terminal::Printer` do it",
                file.display()
            );
        }
    }
}
