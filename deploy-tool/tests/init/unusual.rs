//! Crates that are not as usual, and folders that are no crate.

use super::*;

#[test]
fn what_is_not_as_usual_works_or_is_told_with_what_to_do() {
    let package = |name: &str, more: &str| {
        let edition = "edition = \"2021\"\nrust-version = \"1.85\"\n";
        format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\n{edition}{more}")
    };
    let empty = "fn main() {}\n";
    let outside = package(
        "app",
        "\n[dependencies]\nother = { path = \"../other\" }\n\n[workspace]\n",
    );
    let renamed = package(
        "app",
        "\n[[bin]]\nname = \"server\"\npath = \"src/main.rs\"\n\n[workspace]\n",
    );
    let (app, other) = (package("app", "\n[workspace]\n"), package("other", ""));
    // Files beside those of every case, what is told, and what to do.
    for (files, verdict, expected) in [
        (
            &[("app/Cargo.toml", outside.as_str()), ("app/src/main.rs", empty)][..],
            "after-changes",
            &["[outside]", "Cargo.toml:8", "/other`", "`members`"][..],
        ),
        (
            &[("app/Cargo.toml", &renamed), ("app/src/main.rs", empty)],
            "after-changes",
            &["[binary]", "server", "name = \"app\" and path = \"src/main.rs\""],
        ),
        (
            &[
                ("app/Cargo.toml", &app),
                ("app/src/bin/a.rs", empty),
                ("app/src/bin/b.rs", empty),
            ],
            "after-changes",
            &["its binaries are a, b", "name = \"app\" and path = \"src/bin/a.rs\""],
        ),
        (
            &[
                ("app/Cargo.toml", &app),
                ("app/src/main.rs", empty),
                ("app/src/bin/b.rs", empty),
            ],
            "ready",
            &["runs as Wasm as it is"],
        ),
    ] {
        let given = Crate::new(&[files, &[("other/Cargo.toml", &other), ("other/src/lib.rs", "")]].concat());
        // From the folder above: the folder to go to is told, and Cargo.lock is made.
        let (code, text) = given.run(".", &["app"]);
        assert_eq!(code, 0, "{text}");
        let folder = given.home.path().join("app").canonicalize().unwrap();
        let next = format!("next:\n  cd {}\n", folder.display());
        for expected in expected.iter().copied().chain([next.as_str(), "  Cargo.lock\n"]) {
            assert!(text.contains(expected), "{expected}: {text}");
        }
        assert_eq!(given.report(&["app"]).1["verdict"], verdict, "{text}");
    }
}

/// Cargo reads all of a workspace, whatever of it is compiled.
#[test]
fn crates_by_path_are_told_where_the_builder_cannot_see_them() {
    let package = |name: &str, more: &str| {
        format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n{more}")
    };
    let root = |more: &str| format!("[workspace]\nresolver = \"2\"\nmembers = [\"app\", \"tool\"]\n{more}");
    let foo = package("foo", "");
    let patch = |path: &str| root(&format!("[patch.crates-io]\nfoo = {{ path = \"{path}\" }}\n"));
    let of_tests = package("app", "[dev-dependencies]\nfoo = { path = \"../../foo\" }\n");
    let of_tool = package("tool", "[dependencies]\nfoo = { path = \"../../foo\" }\n");
    let (plain, app, tool) = (root(""), package("app", ""), package("tool", ""));
    for (root, app, tool, place) in [
        (&patch("patches/foo"), &app, &tool, None),
        (&patch("../foo"), &app, &tool, Some("w/Cargo.toml:5")),
        (&plain, &of_tests, &tool, Some("Cargo.toml:6")),
        (&plain, &app, &of_tool, Some("w/tool/Cargo.toml:6")),
    ] {
        let given = Crate::new(&[
            ("w/Cargo.toml", root),
            ("w/Cargo.lock", LOCK),
            ("w/app/Cargo.toml", app),
            ("w/app/src/main.rs", "fn main() {}\n"),
            ("w/tool/Cargo.toml", tool),
            ("w/tool/src/main.rs", "fn main() {}\n"),
            ("w/patches/foo/Cargo.toml", &foo),
            ("w/patches/foo/src/lib.rs", ""),
            ("foo/Cargo.toml", &foo),
            ("foo/src/lib.rs", ""),
        ]);
        let (code, report) = given.report(&["w/app"]);
        let home = format!("{}/", given.home.path().canonicalize().unwrap().display());
        let found: Vec<_> = findings(&report)
            .into_iter()
            .map(|(trap, place)| (trap, place.replace(&home, "")))
            .collect();
        let expected: Vec<_> = place
            .map(|place| ("outside".to_owned(), place.to_owned()))
            .into_iter()
            .collect();
        assert_eq!((code, &found), (0, &expected), "{report:#}");
        let verdict = if place.is_some() { "after-changes" } else { "ready" };
        assert_eq!(report["verdict"], verdict, "{report:#}");
    }
}

#[test]
fn a_package_for_a_newer_compiler_than_the_builders_is_told_at_its_line() {
    let package = |name: &str, more: &str| {
        format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n{more}")
    };
    let dependency = "\n[dependencies]\ncommon = { path = \"../common\" }\n";
    let shop = |workspace: &str, own: &str, common: &str| {
        let root = format!("[workspace]\nresolver = \"2\"\nmembers = [\"shop\", \"common\"]\n{workspace}");
        let shop = Crate::new(&[
            ("Cargo.toml", &root),
            ("Cargo.lock", LOCK),
            ("shop/Cargo.toml", &package("shop", &[own, dependency].concat())),
            ("shop/src/main.rs", "fn main() {}\n"),
            ("common/Cargo.toml", &package("common", common)),
            ("common/src/lib.rs", ""),
        ]);
        let (_, report) = shop.report(&["--package", "shop"]);
        let place = |(trap, place): (String, String)| {
            let home = format!("{}/", shop.home.path().canonicalize().unwrap().display());
            (trap, place.replace(&home, ""))
        };
        let found: Vec<_> = findings(&report).into_iter().map(place).collect();
        (report["verdict"].as_str().unwrap().to_owned(), found)
    };
    let newer = "rust-version = \"1.88\"\n";
    let of_workspace = format!("\n[workspace.package]\n{newer}");
    let inherited = "rust-version.workspace = true\n";
    for (found, place) in [
        (shop("", newer, ""), "Cargo.toml:5"),
        (shop(&of_workspace, inherited, ""), "Cargo.toml:5"),
        (shop("", "", newer), "common/Cargo.toml:5"),
    ] {
        let expected = vec![("rust-version".to_owned(), place.to_owned())];
        assert_eq!(found, ("after-changes".to_owned(), expected));
    }
    assert_eq!(
        shop("", "rust-version = \"1.85\"\n", ""),
        ("ready".to_owned(), Vec::new())
    );
}

/// What `cargo build --bin NAME` does not compile is not judged.
#[test]
fn only_the_binary_that_becomes_the_module_is_looked_at() {
    let native = "fn main() {\n    std::thread::spawn(|| bind(\"0.0.0.0:7070\", \"/healthz\"));\n    \
        std::process::Command::new(\"ls\");\n}\n";
    let package = |name: &str, more: &str| {
        format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n{more}")
    };
    let shop = Crate::new(&[
        (
            "Cargo.toml",
            "[workspace]\nresolver = \"2\"\nmembers = [\"shop\", \"common\"]\n",
        ),
        ("Cargo.lock", LOCK),
        (
            "shop/Cargo.toml",
            &package("shop", "\n[dependencies]\ncommon = { path = \"../common\" }\n"),
        ),
        ("shop/src/main.rs", "fn main() { bind(\"0.0.0.0:8090\"); }\n"),
        ("shop/src/bin/seed.rs", native),
        ("common/Cargo.toml", &package("common", "")),
        ("common/src/lib.rs", "pub fn f() {}\n"),
        ("common/src/main.rs", native),
    ]);
    let (code, report) = shop.report(&["--package", "shop"]);
    assert_eq!((code, report["verdict"].as_str()), (0, Some("ready")), "{report:#}");
    assert_eq!(
        (findings(&report), &report["facts"]["port"]),
        (Vec::new(), &Value::from(8090)),
        "{report:#}"
    );
    assert_eq!(report["facts"]["alive"], Value::Null, "{report:#}");
    // It is the module where its name is that of the package.
    let (code, report) = shop.report(&["--package", "common"]);
    assert_eq!(
        (code, report["verdict"].as_str()),
        (1, Some("impossible")),
        "{report:#}"
    );
}

#[test]
fn the_port_is_the_servers_and_not_that_of_what_it_asks() {
    let manifest = "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
    let config = "pub fn redis() -> String { std::env::var(\"REDIS\").unwrap_or(\"127.0.0.1:6379\".to_owned()) }\n";
    for (address, port, is_known) in [("0.0.0.0:8090", 8090, true), ("", 6379, false)] {
        let server = format!("pub fn run(redis: String) {{ bind(\"{address}\", redis) }}\n");
        let shop = Crate::new(&[
            ("Cargo.toml", manifest),
            ("Cargo.lock", LOCK),
            (
                "src/main.rs",
                "mod config;\nmod server;\nfn main() { server::run(config::redis()) }\n",
            ),
            ("src/config.rs", config),
            ("src/server.rs", &server),
        ]);
        let (_, report) = shop.report(&[]);
        assert_eq!(report["facts"]["port"], port, "{report:#}");
        assert_eq!(report["facts"]["portIsKnown"], is_known, "{report:#}");
        let deployment = &shop.files()["manifests/shop.yaml"];
        assert!(deployment.contains(&format!("containerPort: {port}\n")), "{deployment}");
    }
}

#[test]
fn what_is_no_crate_or_several_is_told() {
    let nothing = Crate::new(&[]);
    let (code, text) = nothing.run(".", &[]);
    assert!(
        code == 1 && text.contains("is not a crate") && text.contains("deploy-tool new"),
        "{text}"
    );
    let member = |name: &str| format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n");
    let (one, two) = (member("one"), member("two"));
    let several = Crate::new(&[
        (
            "Cargo.toml",
            "[workspace]\nresolver = \"2\"\nmembers = [\"one\", \"two\"]\n",
        ),
        ("Cargo.lock", LOCK),
        ("one/Cargo.toml", &one),
        ("one/src/main.rs", "fn main() {}\n"),
        ("two/Cargo.toml", &two),
        ("two/src/main.rs", "fn main() {}\n"),
    ]);
    let (code, text) = several.run(".", &[]);
    assert!(
        code == 1 && text.contains("one, two") && text.contains("--package one"),
        "{text}"
    );
    let (code, text) = several.run(".", &["--package", "two"]);
    assert!(code == 0 && text.contains("cd "), "{text}");
    assert!(Path::new(&several.home.path().join("two/manifests/two.yaml")).is_file());
    let (code, text) = several.run(".", &["--health", "healthz"]);
    assert!(code == 1 && text.contains("such as /healthz"), "{text}");
}

/// Here because it needs the program and nothing else, as `init`.
#[test]
fn new_says_that_no_repository_was_created_and_why() {
    let home = tempfile::tempdir().unwrap();
    let new = |path: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deploy-tool"));
        command.args(["new", "shop"]).current_dir(home.path()).env("PATH", path);
        let output = command.output().unwrap();
        let _ = fs::remove_dir_all(home.path().join("shop"));
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let programs = home.path().join("programs");
    fs::create_dir(&programs).unwrap();
    let git = "#!/bin/sh\n[ \"$1\" = init ] || exit 128\necho 'fatal: cannot mkdir .git' >&2\nexit 128\n";
    fs::write(programs.join("git"), git).unwrap();
    fs::set_permissions(
        programs.join("git"),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    let (code, said) = new(&programs.display().to_string());
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("`git init` failed: fatal: cannot mkdir .git"), "{said}");
    let (code, said) = new("/nowhere");
    assert!(code == Some(0) && said.contains("git is not installed"), "{said}");
}
