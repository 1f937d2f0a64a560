//! docs/roads/tls.md: the module that has TLS, under `wasmedge`, and the one that has none, against a MariaDB that takes
//! nothing else.

use std::path::PathBuf;
use std::process::Command;

use e2e::CommandOutput;
use service_tests::certificates::Certificates;
use service_tests::database::Database;

use crate::page;
use crate::wasmedge::Run;

/// The module without TLS, as `scripts/run` has kept it.
fn plain_module() -> PathBuf {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let cache = folder("DEPLOY_TOOL_CACHE")
        .or_else(|| Some(folder("XDG_CACHE_HOME")?.join("deploy-tool")))
        .unwrap_or_else(|| folder("HOME").unwrap().join(".cache/deploy-tool"));
    let entries = std::fs::read_dir(cache.join("run/modules")).unwrap();
    let paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    let found = paths.iter().find(|path| {
        let name = name(path);
        name.starts_with("orders-") && !name.starts_with("orders-tls-") && name.ends_with(".so")
    });
    found.unwrap_or_else(|| panic!("none in {paths:?}")).clone()
}

#[test]
#[ignore = "needs Docker and the images of `scripts/images run`"]
fn the_module_encrypts_and_refuses_what_proves_nothing() {
    let certificates = Certificates::make();
    certificates.show("good");
    let database = Database::start_encrypted("tls", &certificates).expect("MariaDB");
    database.administer("SET GLOBAL require_secure_transport = ON").unwrap();
    let (url, authority) = (database.url("orders"), certificates.path("ca.crt"));

    let commands = page::commands("tls.md");
    let (start, curls) = commands.split_first().unwrap();
    let words: Vec<(&str, &str)> = start.line.split(' ').filter_map(|word| word.split_once('=')).collect();
    assert_eq!(
        words.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        ["DATABASE_URL", "DATABASE_TLS", "DATABASE_CA"]
    );
    let run = |mode: &str| {
        Run::with(&[
            ("DATABASE_URL", &url),
            ("DATABASE_TLS", mode),
            ("DATABASE_CA", &authority),
        ])
    };
    let required = run(words[1].1);
    let lines: Vec<String> = start.printed.iter().filter(|line| *line != "…").cloned().collect();
    let running = required.start(&lines);
    for command in curls {
        let printed = required.curl(&command.line);
        assert!(
            page::prints(&command.printed, &printed),
            "{}: {printed:#?}",
            command.line
        );
    }
    // More than one record of TLS has room for, both ways.
    let order = |id: u32| {
        format!(
            r#"{{"order_id":{id},"product_id":1,"quantity":1,"amount":1,"shipping":1,"tax":1,"shipping_address":"a street"}}"#
        )
    };
    let orders: Vec<String> = (1..=1_000).map(order).collect();
    std::fs::write(certificates.path("orders"), format!("[{}]", orders.join(","))).unwrap();
    let created = required.curl(&format!(
        "curl http://localhost:8080/create_orders --data @{}",
        certificates.path("orders")
    ));
    assert_eq!(created.concat(), r#"{"status":true}"#);
    let listed = required.curl("curl http://localhost:8080/orders").concat();
    assert_eq!(listed.matches("order_id").count(), 1_000);
    running.interrupt();

    // The build without TLS says so of such a server, and never starts where it would have to have it.
    Run::new().ends_with(
        &[("DATABASE_URL", &url)],
        1,
        &["503", "the database takes encrypted connections alone"],
    );
    for (variable, query) in [("DATABASE_TLS=required", ""), ("DATABASE_TLS=", "?ssl-mode=preferred")] {
        let output = Command::new("docker")
            .args([
                "run",
                "--rm",
                "--pull=never",
                "--network=none",
                "--security-opt=label=disable",
            ])
            .arg(format!("--volume={}:/orders.so:ro", plain_module().display()))
            .args(["localhost/wasm-builder:trixie", "wasmedge", "--env", variable, "--env"])
            .args([&format!("DATABASE_URL={url}{query}"), "/orders.so"])
            .output();
        let output = CommandOutput::from(output.unwrap());
        assert_ne!(output.code, 0);
        assert!(
            output.stderr.contains("TLS is left out of this build"),
            "{}",
            output.stderr
        );
    }
    for (shown, reason) in [
        ("expired", "its certificate has expired"),
        ("other", "its certificate is for another server"),
        ("self", "its certificate signs itself"),
        ("unknown", "no authority of DATABASE_CA has signed its certificate"),
    ] {
        certificates.show(shown);
        database.reload_certificate();
        run("preferred").ends_with(&[], 1, &["503", "certificate is refused", reason]);
    }

    for (set, sentence) in [
        (
            [("DATABASE_TLS", "yes"), ("DATABASE_CA", &authority)],
            "DATABASE_TLS is \"yes\"",
        ),
        (
            [("DATABASE_TLS", "required"), ("DATABASE_CA", "/no/such")],
            "DATABASE_CA names no file that can be read",
        ),
        (
            [("DATABASE_TLS", "required"), ("DATABASE_URL", "")],
            "DATABASE_URL names no database",
        ),
    ] {
        Run::with(&[("DATABASE_URL", &url)]).ends_with(&set, 1, &[sentence]);
    }
}
