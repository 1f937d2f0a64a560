//! No cluster, no kubeconfig, no Docker engine.

use crate::run::{Run, output_of};

/// Nobody answers at this port: it is the one that nobody may use.
const NOBODY: &str = "http://127.0.0.1:1";

#[test]
fn a_cluster_that_is_not_there() {
    let run = Run::new();
    run.kubeconfig("kind-other", "https://127.0.0.1:1");
    let parts = [
        "https://127.0.0.1:1/",
        "kind-other",
        "Connection refused",
        "deploy-tool cluster up --name other",
    ];
    run.run(&["status", "--context", "kind-other"]).fails(2, &parts);
}

#[test]
fn a_cluster_that_says_nothing_is_given_up_soon() {
    // Connections are taken by the kernel and never answered.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let run = Run::new();
    run.kubeconfig("kind-other", &format!("http://{}", silent.local_addr().unwrap()));
    let start = std::time::Instant::now();
    run.run(&["status", "--context", "kind-other"])
        .fails(2, &["no answer within 8 s"]);
    assert!(start.elapsed() < std::time::Duration::from_secs(60));
}

#[test]
fn a_kubeconfig_that_is_none() {
    let run = Run::new();
    run.file(".kube/config", "just words");
    run.run(&["status"])
        .fails(1, &[".kube/config` cannot be read", "correct the file"]);
}

#[test]
fn no_docker_engine() {
    for arguments in [&["build"] as &[&str], &["cluster", "up"], &["cluster", "down"]] {
        Run::new()
            .run(arguments)
            .fails(3, &["the Docker engine does not answer", "systemctl start docker"]);
    }
}

#[test]
fn no_docker_program() {
    let run = Run::new();
    output_of(run.command(&["build"]).env("PATH", run.home.path())).fails(3, &["`docker` is not installed", "PATH"]);
}

#[test]
fn files_of_a_kubeconfig_that_are_not_there_do_not_count() {
    let run = Run::new();
    run.kubeconfig("kind-x", NOBODY);
    let good = run.path(".kube/config").display().to_string();
    let missing = run.path("missing").display().to_string();
    let status = |list: &str| {
        let arguments = ["status", "--context", "kind-x", "-n", "shop"];
        output_of(run.command(&arguments).env("KUBECONFIG", list))
    };
    for list in [
        good.clone(),
        format!("{missing}:{good}"),
        format!("{good}:{missing}"),
        format!("{good}::{missing}:"),
        String::new(),
    ] {
        status(&list).fails(2, &["does not answer"]);
    }
    let other = run.path("other").display().to_string();
    status(&format!("{missing}:{other}")).fails(1, &["it has none", &missing, &other]);
}

#[test]
fn a_proxy_is_named_and_this_host_is_reached_without() {
    let run = Run::new();
    let status = |server: &str, variables: &[(&str, &str)]| {
        run.kubeconfig("x", server);
        let mut command = run.command(&["status", "--context", "x", "-n", "shop"]);
        output_of(command.envs(variables.iter().copied()))
    };
    let proxy = ("HTTPS_PROXY", "http://user:secret@127.0.0.1:1");
    let through = status("https://192.0.2.7:6443", &[proxy]);
    assert!(!through.stderr.contains("secret"), "{}", through.stderr);
    through.fails(
        2,
        &[
            "through the proxy http://127.0.0.1:1, which HTTPS_PROXY names",
            "NO_PROXY",
        ],
    );
    for list in [
        "127.0.0.1,localhost,.svc,10.0.0.0/8",
        "127.0.0.1",
        "localhost, 127.0.0.0/8",
        "127.0.0.1,",
        "",
    ] {
        let said = status("https://127.0.0.1:1", &[proxy, ("NO_PROXY", list)]);
        assert!(!said.stderr.contains("proxy"), "NO_PROXY={list}: {}", said.stderr);
        said.fails(2, &["https://127.0.0.1:1/", "does not answer"]);
    }
    status("https://192.0.2.7:6443", &[("HTTPS_PROXY", "http://a:secret@")]).fails(1, &["HTTPS_PROXY names"]);
}

#[test]
fn outside_of_a_pod_there_is_no_cluster_around() {
    Run::new()
        .run(&["status", "--context", "in-cluster", "-n", "shop"])
        .fails(1, &["this does not run in a pod"]);
}
