//! `deploy-tool init` on crates as people have them: without network, Docker and a cluster.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

#[path = "../schema/check.rs"]
mod check;
mod crates;
mod unusual;

use crates::{Crate, LOCK, demo, findings, impossible, plain_server};

#[test]
fn the_shape_of_published_demos_is_ready_and_gets_what_it_lacks_once() {
    let demo = demo();
    let before = demo.files();
    let (code, report) = demo.report(&[]);
    assert_eq!((code, report["verdict"].as_str()), (0, Some("ready")), "{report:#}");
    assert_eq!(
        findings(&report),
        [
            ("build-target".to_owned(), ".cargo/config.toml:2".to_owned()),
            ("panics".to_owned(), "src/main.rs:11".to_owned()),
            ("two-packets".to_owned(), "src/main.rs:11".to_owned()),
        ]
    );
    let after = demo.files();
    assert!(
        before.iter().all(|(path, text)| after.get(path) == Some(text)),
        "{after:?}"
    );
    let manifest = &after["manifests/order-demo.yaml"];
    for expected in [
        "deploy-tool://order_demo\n",
        "containerPort: 8081",
        "{path: /health, port: http}",
        "- name: DATABASE_URL\n",
        "- port: 3306",
    ] {
        assert!(manifest.contains(expected), "{expected}: {manifest}");
    }
    assert!(after.contains_key(".github/workflows/ci.yml"), "{after:?}");
    assert_eq!(report["added"].as_array().unwrap().len(), after.len() - before.len());

    let (code, text) = demo.run("src", &[]);
    assert!(
        code == 0 && text.contains("nothing to add: everything is there"),
        "{text}"
    );
    assert_eq!(demo.files(), after);
}

/// Published demos have no lock file and name no compiler: the newest crates are not what the builder compiles.
#[test]
fn a_demo_without_a_lock_file_is_told_how_to_make_one_that_the_builder_compiles() {
    let demo = demo();
    fs::remove_file(demo.home.path().join("Cargo.lock")).unwrap();
    let steps = |report: &Value| -> Vec<String> {
        let steps = report["next"].as_array().unwrap().iter();
        steps.map(|step| step.as_str().unwrap().to_owned()).collect()
    };
    let resolver = "CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS=fallback cargo generate-lockfile";
    let driver = "cargo update -p subprocess --precise 0.2.9";
    let (_, report) = demo.report(&[]);
    let before = steps(&report);
    assert!(before[0].contains("rust-version = \"1.85\""), "{before:?}");
    assert_eq!(before[1..3], [resolver, driver], "{before:?}");

    let manifest = demo.home.path().join("Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    let said = text.replace("edition = \"2021\"\n", "edition = \"2021\"\nrust-version = \"1.85\"\n");
    fs::write(&manifest, said).unwrap();
    let (_, report) = demo.report(&[]);
    assert_eq!(steps(&report)[..2], [resolver, driver], "{report:#}");
}

/// The same with forks in the place of tokio, hyper and socket2, as newer demos have it: nothing has to be swapped.
#[test]
fn forks_by_patch_are_taken_as_they_are() {
    let demo = Crate::new(&[
        (
            "Cargo.toml",
            "[package]\nname = \"order_demo\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[patch.crates-io]\n\
             tokio = { git = \"https://example.org/wasi_tokio.git\", branch = \"v1.36.x\" }\n\
             hyper = { git = \"https://example.org/wasi_hyper.git\", branch = \"v0.14.x\" }\n\n[dependencies]\n\
             mysql_async = { version = \"0.34\", default-features = false, git = \"https://example.org/mysql_async.git\", rev = \"08b7b70\" }\n\
             hyper = { version = \"0.14\", features = [\"full\"] }\n\
             tokio = { version = \"1\", features = [\"io-util\", \"fs\", \"net\", \"time\", \"rt\", \"macros\"] }\n",
        ),
        (
            ".cargo/config.toml",
            "[build]\ntarget = \"wasm32-wasip1\"\nrustflags = [\"--cfg\", \"wasmedge\"]\n",
        ),
        (
            "src/main.rs",
            "#[tokio::main(flavor = \"current_thread\")]\nasync fn main() {}\n",
        ),
    ]);
    let (code, report) = demo.report(&[]);
    assert_eq!((code, report["verdict"].as_str()), (0, Some("ready")), "{report:#}");
    assert_eq!(
        findings(&report),
        [("build-target".to_owned(), ".cargo/config.toml:2".to_owned())]
    );
    let notes = report["notes"].to_string();
    for fork in ["wasi_tokio", "wasi_hyper", "mysql_async"] {
        assert!(
            notes.contains(&format!(" of https://example.org/{fork}.git")),
            "{fork}: {notes}"
        );
    }
}

#[test]
fn a_plain_server_is_told_which_dependencies_to_swap_and_gets_them_by_write() {
    let shop = plain_server();
    let before = shop.files();
    let (code, report) = shop.report(&[]);
    assert_eq!(
        (code, report["verdict"].as_str()),
        (0, Some("after-changes")),
        "{report:#}"
    );
    let found = findings(&report);
    for expected in [
        ("hyper", "Cargo.toml:8"),
        ("tokio", "Cargo.toml:10"),
        ("native-only", "src/main.rs:7"),
        ("threads", "src/main.rs:3"),
        ("loopback", "src/main.rs:5"),
    ] {
        assert!(
            found.contains(&(expected.0.to_owned(), expected.1.to_owned())),
            "{expected:?}: {found:?}"
        );
    }
    assert_eq!(found.len(), 5, "{found:?}");
    let after = shop.files();
    assert_eq!(after["Cargo.toml"], before["Cargo.toml"]);
    assert!(
        after["manifests/shop.yaml"].contains("containerPort: 3000"),
        "{after:?}"
    );

    // What is shown is a patch.
    let patch = report["difference"].as_str().unwrap();
    assert_eq!(report["patchFolder"], report["folder"]);
    fs::write(shop.home.path().join("x.patch"), patch).unwrap();
    let applied = Command::new("git")
        .args(["apply", "x.patch"])
        .current_dir(shop.home.path())
        .status();
    assert!(applied.unwrap().success(), "{patch}");
    let patched = shop.files()["Cargo.toml"].clone();
    fs::write(shop.home.path().join("Cargo.toml"), &before["Cargo.toml"]).unwrap();
    let (code, text) = shop.run(".", &["--write"]);
    assert!(code == 0 && text.contains("Cargo.toml was changed"), "{text}");
    assert_eq!(shop.files()["Cargo.toml"], patched);
    assert!(
        patched.contains("# The server.\nhyper = ") && patched.contains("tokio_wasi = "),
        "{patched}"
    );

    let (_, report) = shop.report(&["--write"]);
    assert_eq!(report["difference"], Value::Null, "{report:#}");
    assert!(
        findings(&report)
            .iter()
            .all(|(trap, _)| trap != "tokio" && trap != "hyper"),
        "{report:#}"
    );
}

/// A member's manifest is the user's own: where the module needs it, it is changed as the package's.
#[test]
fn a_member_with_native_dependencies_gets_others_as_the_package_itself() {
    let package = |name: &str, more: &str| {
        let start =
            format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[dependencies]\n");
        start + more
    };
    let tokio = "tokio = { version = \"1\", features = [\"full\"] }\n";
    let of_common = "common = { path = \"../common\" }\n";
    for (own, places, changed) in [
        ("", &["common/Cargo.toml:7"][..], &["common/Cargo.toml"][..]),
        (tokio, &["Cargo.toml:8"], &["app/Cargo.toml", "common/Cargo.toml"]),
    ] {
        let app = Crate::new(&[
            (
                "Cargo.toml",
                "[workspace]\nresolver = \"2\"\nmembers = [\"app\", \"common\", \"other\", \"script\"]\n",
            ),
            ("Cargo.lock", LOCK),
            ("app/Cargo.toml", &package("app", &[of_common, own].concat())),
            ("app/src/main.rs", "fn main() {}\n"),
            (
                "common/Cargo.toml",
                &package(
                    "common",
                    &[tokio, "[build-dependencies]\nscript = { path = \"../script\" }\n"].concat(),
                ),
            ),
            ("common/src/lib.rs", ""),
            ("other/Cargo.toml", &package("other", tokio)),
            ("other/src/lib.rs", ""),
            ("script/Cargo.toml", &package("script", tokio)),
            ("script/src/lib.rs", ""),
        ]);
        let home = app.home.path().canonicalize().unwrap();
        let before = app.files();
        let (code, report) = app.report(&["app"]);
        assert_eq!(
            (code, report["verdict"].as_str()),
            (0, Some("after-changes")),
            "{report:#}"
        );
        let found = findings(&report).into_iter();
        let start = format!("{}/", home.display());
        let found: Vec<String> = found.map(|(_, place)| place.replace(&start, "")).collect();
        assert_eq!(found, places, "{report:#}");
        assert_eq!(report["patchFolder"], home.display().to_string(), "{report:#}");

        let patch = report["difference"].as_str().unwrap();
        fs::write(app.home.path().join("x.patch"), patch).unwrap();
        let applied = Command::new("git")
            .args(["apply", "x.patch"])
            .current_dir(app.home.path())
            .status();
        assert!(applied.unwrap().success(), "{patch}");
        let patched = app.files();
        let manifests = before.keys().filter(|path| path.ends_with("Cargo.toml"));
        let differing: Vec<&String> = manifests.filter(|path| before[*path] != patched[*path]).collect();
        assert_eq!(differing, changed);
        for path in changed {
            fs::write(app.home.path().join(path), &before[*path]).unwrap();
        }
        let (code, report) = app.report(&["app", "--write"]);
        assert_eq!((code, &report["written"]), (0, &Value::Bool(true)), "{report:#}");
        assert_eq!(app.files(), patched);

        let (_, report) = app.report(&["app"]);
        assert_eq!(report["verdict"], "ready", "{report:#}");
        assert_eq!(
            (&report["difference"], &report["patchFolder"]),
            (&Value::Null, &Value::Null)
        );
    }
}

#[test]
fn a_crate_that_cannot_run_gets_its_reasons_by_line_and_nothing_else() {
    let worker = impossible();
    let before = worker.files();
    let (code, report) = worker.report(&["--write"]);
    assert_eq!(
        (code, report["verdict"].as_str()),
        (1, Some("impossible")),
        "{report:#}"
    );
    assert_eq!(
        findings(&report),
        [
            ("tokio".to_owned(), "Cargo.toml:7".to_owned()),
            ("c-code".to_owned(), "Cargo.toml:8".to_owned()),
            ("threads".to_owned(), "src/main.rs:4".to_owned()),
            ("processes".to_owned(), "src/main.rs:5".to_owned()),
        ]
    );
    assert_eq!(worker.files(), before);
    let (code, text) = worker.run(".", &[]);
    assert_eq!(code, 1, "{text}");
    for expected in [
        "cannot run as Wasm",
        "src/main.rs:4 [threads]",
        "openssl 0.10.70",
        "nothing is added",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[test]
fn a_build_script_with_c_code_is_told_before_the_compiler_misses_it() {
    let manifest = "[package]\nname = \"native\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
    for (script, verdict, expected) in [
        (
            "fn main() {\n    cc::Build::new().file(\"x.c\").compile(\"x\");\n}\n",
            "impossible",
            &["build.rs:2"][..],
        ),
        (
            "fn main() {\n    println!(\"cargo:rustc-link-lib=z\");\n}\n",
            "impossible",
            &["build.rs:2"],
        ),
        (
            "fn main() {\n    if std::env::var(\"CARGO_CFG_TARGET_OS\").as_deref() == Ok(\"wasi\") {\n        return;\n    }\n    \
             pkg_config::probe_library(\"z\").unwrap();\n}\n",
            "ready",
            &["build.rs:5"],
        ),
        (
            "fn main() {\n    println!(\"cargo:rerun-if-changed=build.rs\");\n}\n",
            "ready",
            &[],
        ),
    ] {
        let native = Crate::new(&[
            ("Cargo.toml", manifest),
            ("Cargo.lock", LOCK),
            ("build.rs", script),
            ("src/main.rs", "fn main() {}\n"),
        ]);
        let (_, report) = native.report(&[]);
        assert_eq!(report["verdict"], verdict, "{report:#}");
        let found = findings(&report);
        let places: Vec<&str> = found.iter().map(|(_, place)| place.as_str()).collect();
        assert_eq!(places, expected, "{found:?}");
        assert!(found.iter().all(|(trap, _)| trap == "c-code"), "{found:?}");
    }
}

#[test]
fn a_project_of_new_has_no_finding_and_lacks_nothing() {
    let home = Crate::new(&[]);
    let new = Command::new(env!("CARGO_BIN_EXE_deploy-tool"))
        .args(["new", "shop", "--vcs", "none"])
        .current_dir(home.home.path())
        .output()
        .unwrap();
    assert!(new.status.success());
    let before = home.files();
    let (code, report) = home.report(&["shop"]);
    assert_eq!((code, report["verdict"].as_str()), (0, Some("ready")), "{report:#}");
    assert_eq!(
        (findings(&report), &report["added"]),
        (Vec::new(), &Value::Array(Vec::new()))
    );
    assert_eq!(home.files(), before);
}
