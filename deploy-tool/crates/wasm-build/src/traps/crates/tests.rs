use std::path::Path;

use super::*;
use crate::traps::compiler::{BUILDER_RUST, number};
use crate::workspace::Package;

fn graph(crates: &[(&str, &str, &str)], is_exact: bool) -> GuestGraph {
    let guest_crate = |(path, version, features): &(&str, &str, &str)| GuestCrate {
        name: path.split(' ').next_back().unwrap().to_owned(),
        version: (*version).to_owned(),
        features: features.split_whitespace().map(str::to_owned).collect(),
        path: path.split(' ').map(str::to_owned).collect(),
        ..GuestCrate::default()
    };
    GuestGraph {
        crates: crates.iter().map(guest_crate).collect(),
        is_exact,
        ..GuestGraph::default()
    }
}

fn traps(crates: &[(&str, &str, &str)]) -> Vec<(&'static str, Weight)> {
    let findings = check_crates(&graph(crates, true));
    findings.iter().map(|finding| (finding.trap, finding.weight)).collect()
}

#[test]
fn each_trap_is_found_and_what_is_fine_is_not() {
    use Weight::{Compile, Stop, Wrong};
    for (name, version, features, expected) in [
        ("ring", "0.17.0", "", Some(("c-code", Compile))),
        ("libz-sys", "1.1.0", "", Some(("c-code", Compile))),
        ("tokio", "1.40.0", "net rt", Some(("tokio", Compile))),
        ("tokio", "1.40.0", "rt sync", None),
        ("tokio_wasi", "1.25.2", "full", Some(("threads", Wrong))),
        ("tokio_wasi", "1.25.2", "rt net", None),
        ("hyper", "0.14.30", "", Some(("hyper", Compile))),
        ("hyper", "1.6.0", "", Some(("web-framework", Compile))),
        ("hyper_wasi", "0.15.2", "", None),
        ("mio_wasi", "0.8.8", "", Some(("mio", Wrong))),
        ("mio_wasi", "0.8.9", "", None),
        ("rayon", "1.10.0", "", Some(("threads", Stop))),
        ("wasm-bindgen", "0.2.0", "", Some(("browser", Stop))),
        ("sqlx", "0.8.0", "", Some(("database", Compile))),
        ("serde", "1.0.0", "", None),
    ] {
        assert_eq!(traps(&[(name, version, features)]), Vec::from_iter(expected), "{name}");
    }
    let mut stand_in = graph(&[("wasmedge_rustls_api", "0.1.1", "")], true);
    assert_eq!(check_crates(&stand_in).len(), 1);
    stand_in.crates[0].source = CrateSource::Folder;
    assert_eq!(check_crates(&stand_in), []);
    let two = [("tokio_wasi", "1.25.2", "rt"), ("x tokio", "1.40.0", "sync")];
    assert_eq!(traps(&two), [("two-runtimes", Stop)]);
}

/// A member's manifest can be changed, that of another crate cannot.
#[test]
fn what_a_member_depends_on_can_be_swapped() {
    let mut found = graph(
        &[("common tokio", "1.40.0", "net"), ("common hyper", "1.6.0", "")],
        true,
    );
    let remedies = |graph: &GuestGraph| -> Vec<(&'static str, Remedy)> {
        let findings = check_crates(graph).into_iter();
        findings.map(|finding| (finding.trap, finding.remedy)).collect()
    };
    assert_eq!(remedies(&found), [("tokio", Remedy::Redesign)]);
    for guest_crate in &mut found.crates {
        guest_crate.by_members = 1;
    }
    let expected = [("tokio", Remedy::Swap), ("web-framework", Remedy::Redesign)];
    assert_eq!(remedies(&found), expected);
    found.is_exact = false;
    assert_eq!(remedies(&found), expected);
}

#[test]
fn a_crate_whose_build_script_compiles_c_code_is_one_trap() {
    let mut native = graph(
        &[
            ("x", "1.0.0", ""),
            ("y libz-sys", "1.1.0", ""),
            ("z other_sys", "1.0.0", ""),
        ],
        true,
    );
    for guest_crate in &mut native.crates {
        guest_crate.native_code = Some("the build script compiles C code".to_owned());
        guest_crate.links = true;
    }
    let found: Vec<(&str, String)> = check_crates(&native)
        .into_iter()
        .map(|finding| (finding.trap, finding.what))
        .collect();
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found.iter().all(|(trap, _)| *trap == "c-code"), "{found:?}");
    assert_eq!(found[0].1, "x 1.0.0: the build script compiles C code");
}

#[test]
fn what_a_trap_brings_is_no_second_one() {
    assert_eq!(
        traps(&[
            ("reqwest", "0.12.0", ""),
            ("reqwest ring", "0.17.0", ""),
            ("x ring", "0.17.0", "")
        ])
        .len(),
        2
    );
    // Without a resolution, a crate further down may be for another target.
    let unsure = graph(
        &[("x socket2", "0.5.0", ""), ("x ring", "0.17.0", ""), ("y", "1.0.0", "")],
        false,
    );
    let found = check_crates(&unsure);
    let found: Vec<_> = found.iter().map(|finding| (finding.trap, finding.weight)).collect();
    assert_eq!(found, [("c-code", Weight::Wrong)]);
}

#[test]
fn a_crate_for_a_newer_compiler_is_told_with_what_the_builder_has() {
    let mut newer = graph(&[("x", "1.0.0", "")], true);
    newer.crates[0].rust_version = Some("1.86.0".to_owned());
    assert_eq!(check_crates(&newer)[0].trap, "rust-version");
    newer.crates[0].rust_version = Some("1.85".to_owned());
    assert_eq!(check_crates(&newer), []);
    // A procedural macro or a build script is compiled as well; one crate does not say what it takes.
    newer.of_build = graph(
        &[("x", "2.0.0", ""), ("x subprocess", "0.2.15", ""), ("y", "1.0.0", "")],
        true,
    )
    .crates;
    newer.of_build[0].rust_version = Some("1.88".to_owned());
    let found: Vec<(&str, String)> = check_crates(&newer)
        .into_iter()
        .map(|finding| (finding.trap, finding.fix))
        .collect();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|(trap, _)| *trap == "rust-version"), "{found:?}");
    assert_eq!(found[1].1, "`cargo update -p subprocess --precise 0.2.9`");
    newer.of_build[1].version = "0.2.9".to_owned();
    assert_eq!(check_crates(&newer).len(), 1);
    let pins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../oci/versions");
    let pins = std::fs::read_to_string(pins).unwrap();
    let pin = pins
        .lines()
        .find_map(|line| line.strip_prefix("rustc_version="))
        .unwrap();
    assert_eq!((number(pin).0, number(pin).1), BUILDER_RUST);
}

#[test]
fn a_member_for_a_newer_compiler_is_told_at_its_manifest() {
    let member = |rust_version: Option<&str>| -> Package {
        serde_json::from_value(
            serde_json::json!({"name": "shop", "manifest_path": "/w/shop/Cargo.toml", "targets": [],
            "dependencies": [], "rust_version": rust_version}),
        )
        .unwrap()
    };
    let manifest = "[package]\nname = \"shop\"\nrust-version.workspace = true\n";
    let found = |rust_version| compiler::check_member(&member(rust_version), "Cargo.toml".into(), manifest);
    for fine in [None, Some("1.60"), Some("1.85"), Some("1.85.1")] {
        assert_eq!(found(fine), None, "{fine:?}");
    }
    let finding = found(Some("1.88")).unwrap();
    assert_eq!(
        finding.to_string(),
        "Cargo.toml:3 [rust-version]: shop: it wants Rust 1.88, and the builder has 1.85"
    );
    assert_eq!((finding.weight, finding.remedy), (Weight::Compile, Remedy::Line));
}

/// As the demos of WasmEdge's authors are: tokio, hyper and socket2 of forks, by `[patch]`.
#[test]
fn a_fork_is_not_judged_by_its_name() {
    let mut forks = graph(
        &[
            ("hyper", "0.14.30", "full"),
            ("mysql_async", "0.34.1", ""),
            ("serde", "1.0.0", ""),
            ("tokio socket2", "0.5.5", ""),
            ("tokio", "1.36.0", "net fs"),
        ],
        true,
    );
    assert_eq!(check_crates(&forks).len(), 3);
    for guest_crate in &mut forks.crates {
        guest_crate.source = CrateSource::Git(format!("https://example.org/{}.git", guest_crate.name));
    }
    assert_eq!(check_crates(&forks), []);
    assert_eq!(
        forks_note(&forks).unwrap(),
        "forks are taken as they are, the build shows whether they have a form for Wasm: hyper of https://example.org/hyper.git, \
         mysql_async of https://example.org/mysql_async.git, socket2 of https://example.org/socket2.git, \
         tokio of https://example.org/tokio.git"
    );
    assert_eq!(forks_note(&graph(&[("hyper", "0.14.30", "")], true)), None);
}
