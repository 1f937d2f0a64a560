//! `deploy-tool cluster up` where it cannot go on, which is said before anything is made; and on a cluster that runs already.
//! Docker and kind are scripts here, and so is the API server.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

/// An engine without containers, which makes nothing.
const EMPTY_DOCKER: &str = "#!/bin/sh\n[ \"$1\" = ps ] && exit 0\necho \"docker $*\" >&2\nexit 1\n";

/// An engine with a cluster of one node, whose port for the service is 8080 on this host.
const DOCKER: &str = r#"#!/bin/sh
case "$1 $2" in
"ps --all") echo '{"Names":"x-control-plane","State":"running","Labels":"io.x-k8s.kind.role=control-plane"}' ;;
"image inspect") echo '{"Id":"sha256:1","Config":null}' ;;
"inspect --format") echo sha256:1 ;;
"port x-control-plane") [ "$3" = 30080/tcp ] && echo 127.0.0.1:8080 ;;
*) echo "docker $*" >&2; exit 1 ;;
esac
"#;

/// The node of that cluster.
const NODES: &str = r#"{"kind": "NodeList", "apiVersion": "v1", "metadata": {}, "items": [
    {"metadata": {"name": "x-control-plane"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}]}"#;

fn program(home: &Path, name: &str, text: &str) {
    let path = home.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn cluster_up(home: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_deploy-tool"))
        .args(["cluster", "up", "--name", "x"])
        .args(arguments)
        .current_dir(home)
        .env("PATH", home)
        .env("KUBECONFIG", home.join("kubeconfig"))
        .env("DEPLOY_TOOL_CACHE", home.join("cache"))
        .output()
        .unwrap()
}

/// An API server whose nodes are ready. Returns a kubeconfig that leads to it, in one line.
fn api_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().for_each(|stream| answer(stream.unwrap())));
    format!(
        "{{clusters: [{{name: c, cluster: {{server: \"http://{address}\"}}}}], \
         contexts: [{{name: kind-x, context: {{cluster: c}}}}]}}"
    )
}

fn answer(mut stream: TcpStream) {
    let mut lines = BufReader::new(stream.try_clone().unwrap())
        .lines()
        .map_while(Result::ok);
    let request = lines.next().unwrap_or_default();
    lines.take_while(|line| !line.is_empty()).for_each(drop);
    let body = if request.contains("/nodes") { NODES } else { "{}" };
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n");
    // A client that has gone away has seen enough.
    let _ = write!(stream, "{head}Connection: close\r\n\r\n{body}");
}

#[test]
fn a_port_in_use_is_told_before_images_are_made() {
    let home = tempfile::tempdir().unwrap();
    program(home.path(), "docker", EMPTY_DOCKER);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = cluster_up(home.path(), &["--http-port", &port]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("port {port} of this host is in use")), "{said}");
    assert!(said.contains("--http-port") && !said.contains("image"), "{said}");
}

#[test]
fn a_running_cluster_gets_into_a_kubeconfig_that_lacks_it() {
    let home = tempfile::tempdir().unwrap();
    program(home.path(), "docker", DOCKER);
    let kind = "#!/bin/sh\n[ \"$*\" = 'export kubeconfig --name x' ] || exit 1\n";
    program(
        home.path(),
        "kind",
        &format!("{kind}echo '{}' > \"$KUBECONFIG\"\n", api_server()),
    );
    let output = cluster_up(home.path(), &["--node-image", "node"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("its context `kind-x` is in this kubeconfig now"),
        "{said}"
    );
    // kind has done its part, and the context is not there all the same.
    fs::remove_file(home.path().join("kubeconfig")).unwrap();
    program(home.path(), "kind", kind);
    let start = Instant::now();
    let output = cluster_up(home.path(), &["--node-image", "node"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("the kubeconfig has no context `kind-x`"), "{said}");
    assert!(
        start.elapsed() < Duration::from_secs(120),
        "it has waited for the nodes"
    );
}

#[test]
fn another_port_than_that_of_a_running_cluster_is_warned_about() {
    let home = tempfile::tempdir().unwrap();
    program(home.path(), "docker", DOCKER);
    program(home.path(), "kind", "#!/bin/sh\nexit 1\n");
    fs::write(home.path().join("kubeconfig"), api_server()).unwrap();
    let mapping = |node: u16| format!("nodes: [{{extraPortMappings: [{{containerPort: {node}, hostPort: 9090}}]}}]");
    fs::write(home.path().join("other.yaml"), mapping(30080)).unwrap();
    fs::write(home.path().join("absent.yaml"), mapping(30081)).unwrap();
    for (arguments, expected) in [
        (&[][..], None),
        (&["--http-port", "8080"], None),
        (&["--http-port", "9090"], Some("has port 8080 in place of 9090")),
        (&["--config", "other.yaml"], Some("has port 8080 in place of 9090")),
        (&["--config", "other.yaml", "--http-port", "8080"], None),
        (
            &["--config", "absent.yaml"],
            Some("has no port of this host in place of 9090"),
        ),
    ] {
        let output = cluster_up(home.path(), &[&["--node-image", "node"], arguments].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        let change = "`deploy-tool cluster down --name x`, then `deploy-tool cluster up --name x --http-port 9090`";
        let is_warned = said.split_whitespace().collect::<Vec<_>>().join(" ").contains(change);
        assert_eq!(is_warned, expected.is_some(), "{said}");
        assert!(said.contains(expected.unwrap_or_default()), "{said}");
    }
}
