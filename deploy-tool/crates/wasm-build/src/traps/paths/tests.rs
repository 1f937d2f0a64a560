use super::*;

fn file(path: &str, text: &str) -> Result<SourceFile, proc_macro2::LexError> {
    Ok(SourceFile {
        path: path.into(),
        uses: crate::traps::source::uses(text, &std::collections::BTreeSet::new())?,
    })
}

fn found(text: &str) -> Vec<(&'static str, String)> {
    let findings = check_sources(&[file("src/main.rs", text).unwrap()]);
    findings
        .iter()
        .map(|finding| (finding.trap, finding.location.to_string()))
        .collect()
}

#[test]
fn each_trap_has_its_line() {
    for (text, trap, line) in [
        ("use std::thread;\nfn f() { thread::spawn(g); }", "threads", 2),
        ("#[tokio::main]\nasync fn main() {}", "threads", 1),
        ("fn f() {\n  tokio::runtime::Runtime::new();\n}", "threads", 2),
        ("use tokio::task::spawn_blocking;\n", "blocking", 1),
        ("fn f() { tokio::fs::read(p); }", "blocking", 1),
        ("use tokio::{net::UnixListener};", "native-only", 1),
        ("fn f() {\n tokio::signal::ctrl_c(); }", "native-only", 2),
        ("use std::net::{SocketAddr, TcpStream};", "std-net", 1),
        ("use std::process::Command;", "processes", 1),
        ("fn f() { std::panic::catch_unwind(g); }", "panics", 1),
        ("fn f() { g(\"127.0.0.1:3000\") }", "loopback", 1),
        ("fn f() { ([127, 0, 0, 1], 3000) }", "loopback", 1),
    ] {
        assert_eq!(found(text), [(trap, format!("src/main.rs:{line}"))], "{text}");
    }
}

#[test]
fn a_server_of_hyper_is_told_what_makes_it_slow_unless_it_knows() {
    let server = "use hyper::Server;\nfn f() { Server::try_bind(&a)?.serve(s); }";
    assert_eq!(found(server), [("two-packets", "src/main.rs:2".to_owned())]);
    assert_eq!(found(&server.replace(".serve", ".http1_writev(false).serve")), []);
}

#[test]
fn what_is_fine_is_not_told() {
    for text in [
        "#[tokio::main(flavor = \"current_thread\")]\nasync fn main() {}",
        "use std::net::SocketAddr; use std::thread::sleep;",
        "fn f() { std::process::exit(1); g(\"mysql://root@127.0.0.1:3306/shop\"); }",
        "#[cfg(not(target_os = \"wasi\"))]\nfn f() { std::thread::spawn(g); }",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn ports_routes_and_variables_are_those_that_are_written() {
    let text = "fn f() { ([0, 0, 0, 0], 8081); g(\"0.0.0.0:9090\", \"/healthz\", \"DATABASE_URL\", \"OK\"); }";
    let files = [file("src/main.rs", text).unwrap()];
    assert_eq!(numbers(&files), [8081, 9090]);
    assert_eq!(routes(&files), ["/healthz"]);
    assert_eq!(variables(&files), ["DATABASE_URL"]);
    let own = [file("src/main.rs", "fn f(a: u16) { ([0, 0, 0, 0], a) }").unwrap()];
    assert_eq!(numbers(&own), [0; 0]);
}

fn numbers(files: &[SourceFile]) -> Vec<u16> {
    ports(files).iter().map(|port| port.number).collect()
}

#[test]
fn an_address_of_any_interface_is_the_servers_before_one_that_is_asked() {
    let config = "fn f() { ([127, 0, 0, 1], 5432); env(\"REDIS\").unwrap_or(\"127.0.0.1:6379\"); }";
    let server = "fn g() { bind(\"[::]:8081\"); bind(\"0.0.0.0:8080\"); bind(\"0.0.0.0:6379\"); }";
    let files = [
        file("src/config.rs", config).unwrap(),
        file("src/server.rs", server).unwrap(),
    ];
    assert_eq!(numbers(&files), [8081, 8080, 6379, 5432]);
    assert!(ports(&files)[0].is_of_server);
    let only_asked = ports(&files[..1]);
    assert!(only_asked.iter().all(|port| !port.is_of_server), "{only_asked:?}");
}
