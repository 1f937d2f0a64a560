//! SIGINT and SIGTERM end a run that waits for its standard input, and the second one ends any run.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Generous: the machine may be busy. A run that does not react takes for ever.
const LIMIT: Duration = Duration::from_secs(60);

fn tool(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deploy-tool"));
    command
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", home)
        .env("DEPLOY_TOOL_CACHE", home.join("cache"))
        .env("DOCKER_HOST", "unix:///nowhere/docker.sock")
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

fn send(child: &Child, signal: &str) {
    let kill = Command::new("kill").args([signal, &child.id().to_string()]).status();
    assert!(kill.unwrap().success());
}

fn end(child: &mut Child) -> i32 {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code().unwrap();
        }
        if start.elapsed() > LIMIT {
            child.kill().unwrap();
            panic!("it is still there after {LIMIT:?}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until the process reads its standard input: the system says what its threads wait for.
fn await_reading(child: &Child) {
    let threads = format!("/proc/{}/task", child.id());
    let start = Instant::now();
    let reads = || {
        std::fs::read_dir(&threads).is_ok_and(|threads| {
            // System call 0 with file descriptor 0: <https://man7.org/linux/man-pages/man5/proc_pid_syscall.5.html>
            let mut calls =
                threads.filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("syscall")).ok());
            calls.any(|call| call.starts_with("0 0x0 "))
        })
    };
    while !reads() {
        assert!(start.elapsed() < LIMIT, "it does not read its standard input");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn whoever_waits_for_the_standard_input_can_be_stopped() {
    let registry = TcpListener::bind("127.0.0.1:0").unwrap();
    let repository = format!("127.0.0.1:{}/x:1", registry.local_addr().unwrap().port());
    let login = ["push", "app", "--to", &repository, "--user", "a", "--password-stdin"];
    for arguments in [
        &["apply", "-f", "-", "--namespace", "x"][..],
        &["plan", "-f", "-"],
        &login,
    ] {
        for signal in ["-INT", "-TERM"] {
            let home = tempfile::tempdir().unwrap();
            let mut child = tool(home.path(), arguments).spawn().unwrap();
            await_reading(&child);
            send(&child, signal);
            assert_eq!(end(&mut child), 130, "{arguments:?} {signal}");
        }
    }
}

/// The API server takes the connection and never answers: the first signal ends the run, and a second one need not wait for
/// any cleanup.
#[test]
fn a_signal_ends_a_run_that_waits_for_a_server() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".kube")).unwrap();
    let text = format!(
        "clusters: [{{name: c, cluster: {{server: 'http://{}'}}}}]\ncontexts: [{{name: x, context: {{cluster: c}}}}]\n",
        server.local_addr().unwrap()
    );
    std::fs::write(home.path().join(".kube/config"), text).unwrap();
    let mut child = tool(home.path(), &["status", "--context", "x", "-n", "x"])
        .spawn()
        .unwrap();
    let (_connection, _) = server.accept().unwrap();
    send(&child, "-INT");
    send(&child, "-INT");
    assert_eq!(end(&mut child), 130);
    let output: Vec<String> = BufReader::new(child.stderr.take().unwrap())
        .lines()
        .map_while(Result::ok)
        .collect();
    assert!(
        output.is_empty() || output.join("\n").contains("stopped by SIGINT"),
        "{output:?}"
    );
}
