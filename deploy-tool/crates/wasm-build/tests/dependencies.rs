//! Crates of git repositories and of a registry of one's own, as the builder gets them: without network, and without the
//! settings of the host's Cargo. Cargo and git are the real ones; the registry is a folder.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::Path;
use std::process::Command;

use oci_artifacts::digest;
use wasm_build::vendor;
use wasm_build::workspace::Workspace;

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn run(folder: &Path, home: &Path, program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder);
    command
        .env("CARGO_HOME", home)
        .env("CARGO_TARGET_DIR", home.join("target"));
    for (variable, value) in [
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_AUTHOR_NAME", "a"),
        ("GIT_AUTHOR_EMAIL", "a@localhost"),
        ("GIT_COMMITTER_NAME", "a"),
        ("GIT_COMMITTER_EMAIL", "a@localhost"),
    ] {
        command.env(variable, value);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

fn commit(folder: &Path, home: &Path) {
    for arguments in [
        &["init", "--quiet"][..],
        &["add", "."],
        &["commit", "--quiet", "--message", "a"],
    ] {
        run(folder, home, "git", arguments);
    }
}

fn library(name: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\ndescription = \"a\"\nlicense = \"MIT\"\n\n[workspace]\n"
    )
}

/// A registry with one crate. Returns its index.
fn registry(root: &Path, home: &Path) -> String {
    let greeting = root.join("greeting");
    write(
        &greeting,
        &[
            ("Cargo.toml", &library("greeting")),
            ("src/lib.rs", "pub fn hello() -> &'static str { \"hello\" }\n"),
        ],
    );
    run(
        &greeting,
        home,
        "cargo",
        &["package", "--no-verify", "--allow-dirty", "--quiet"],
    );
    let archive = home.join("target/package/greeting-0.1.0.crate");
    let checksum = digest::hex(&fs::read(&archive).unwrap());
    let index = root.join("index");
    write(
        &index,
        &[
            (
                "config.json",
                &format!(
                    "{{\"dl\": \"file://{}/{{crate}}-{{version}}.crate\"}}",
                    archive.parent().unwrap().display()
                ),
            ),
            (
                "gr/ee/greeting",
                &format!(
                    "{{\"name\":\"greeting\",\"vers\":\"0.1.0\",\"deps\":[],\"cksum\":\"{checksum}\",\"features\":{{}},\"yanked\":false}}\n"
                ),
            ),
        ],
    );
    commit(&index, home);
    format!("file://{}", index.display())
}

#[test]
fn crates_of_git_and_of_other_registries_are_found_without_the_hosts_settings() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path().canonicalize().unwrap();
    let home = root.join("cargo-home");
    fs::create_dir(&home).unwrap();
    let index = registry(&root, &home);
    let money = root.join("money");
    write(
        &money,
        &[
            ("Cargo.toml", &library("money")),
            ("src/lib.rs", "pub fn cents() -> u32 { 1 }\n"),
        ],
    );
    commit(&money, &home);
    run(&money, &home, "git", &["branch", "a/b"]);

    let shop = root.join("shop");
    let manifest = format!(
        "{}\n[workspace.dependencies]\ngreeting = {{ version = \"0.1\", registry = \"own\" }}\n\n[dependencies]\n\
         greeting.workspace = true\nmoney = {{ git = \"file://{}\", branch = \"a/b\" }}\n",
        library("shop"),
        money.display()
    );
    write(
        &shop,
        &[
            ("Cargo.toml", &manifest),
            (
                "src/main.rs",
                "fn main() { println!(\"{} {}\", greeting::hello(), money::cents()); }\n",
            ),
            (
                ".cargo/config.toml",
                &format!("[registries.own]\nindex = \"{index}\"\n"),
            ),
        ],
    );
    run(&shop, &home, "cargo", &["generate-lockfile"]);
    run(
        &shop,
        &home,
        "cargo",
        &["vendor", "--locked", "--versioned-dirs", "../vendor"],
    );
    let metadata = run(&shop, &home, "cargo", &["metadata", "--no-deps", "--format-version=1"]);
    let workspace: Workspace = serde_json::from_str(&metadata).unwrap();
    let lock = fs::read_to_string(shop.join("Cargo.lock")).unwrap();
    let arguments = vendor::arguments(&workspace, &lock, &root.join("vendor")).unwrap();

    // As in the builder: neither the host's settings, nor the repository, nor the registry.
    for gone in [".cargo/config.toml", "../money", "../index", "../greeting"] {
        let path = shop.join(gone);
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap()
        } else {
            fs::remove_file(path).unwrap()
        }
    }
    let empty = root.join("empty-home");
    fs::create_dir(&empty).unwrap();
    let mut run_it = vec!["run", "--quiet", "--locked", "--offline"];
    run_it.extend(arguments.iter().map(String::as_str));
    assert_eq!(run(&shop, &empty, "cargo", &run_it), "hello 1\n");
}
