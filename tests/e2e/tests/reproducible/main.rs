//! Another folder, an empty cache, another time: the same bytes, from the module to the image's digest.
//!
//! It compiles the service anew, so it is no part of `make test`: `make reproducible`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;

use e2e::{built, copy_sources, deploy_tool_command};
use serde_json::Value;

#[test]
#[ignore = "compiles the service: make reproducible"]
fn the_same_source_gives_the_same_digest_on_another_machine() {
    let here = built(deploy_tool_command(&["build", "--output", "json"]));

    let elsewhere = tempfile::tempdir().unwrap();
    let checkout = elsewhere.path().join("another folder");
    copy_sources(&checkout);
    let mut command = deploy_tool_command(&["build", "--output", "json"]);
    command.current_dir(checkout);
    command.env("DEPLOY_TOOL_CACHE", elsewhere.path().join("cache"));
    let there = built(command);

    assert_eq!(here["moduleDigest"], there["moduleDigest"], "the module differs");
    assert_eq!(
        here["digest"], there["digest"],
        "the module is the same, and the image differs"
    );
    assert_ne!(here["layout"], there["layout"], "nothing was built a second time");
    let index = |built: &Value| fs::read(Path::new(built["layout"].as_str().unwrap()).join("index.json")).unwrap();
    assert!(index(&here) == index(&there), "what is attached to the image differs");
}
