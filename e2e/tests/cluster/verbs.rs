//! Scaling, restarting, reading logs and opening ports: small workloads in a namespace of their own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{context, deploy_tool, deploy_tool_command, eventually, kubectl, object, pods};

/// Answers with its pod's name, and says so in its log: as much of a service as this needs. Probes ask nothing.
const TALKER: &str = r#"$| = 1; use IO::Socket::INET; my $n = $ENV{HOSTNAME};
    my $s = IO::Socket::INET->new(LocalPort => 8080, Listen => 64, ReuseAddr => 1) or die; print "started $n\n";
    while (my $c = $s->accept) { defined(<$c>) or next; print "asked $n\n";
        print $c "HTTP/1.1 200 OK\r\nContent-Length: ".length($n)."\r\nConnection: close\r\n\r\n$n"; close $c }"#;

/// A namespace that goes with the value.
struct Namespace(&'static str);

impl Namespace {
    fn new(name: &'static str, objects: &[Value]) -> Self {
        kubectl(&["delete", "namespace", name, "--ignore-not-found"]).success();
        kubectl(&["create", "namespace", name]).success();
        let namespace = Self(name);
        let node = context().replacen("kind-", "", 1) + "-control-plane";
        for object in objects {
            let mut apply = Command::new("docker")
                .args([
                    "exec",
                    "-i",
                    &node,
                    "kubectl",
                    "--kubeconfig=/etc/kubernetes/admin.conf",
                ])
                .args(["--namespace", name, "apply", "--filename", "-"])
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            apply
                .stdin
                .take()
                .unwrap()
                .write_all(object.to_string().as_bytes())
                .unwrap();
            assert!(apply.wait().unwrap().success(), "{object}");
        }
        namespace
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        kubectl(&["delete", "namespace", self.0, "--wait=false"]);
    }
}

fn workload(kind: &str, name: &str, cpu: &str, command: &[&str]) -> Value {
    let container = json!({
        "name": "main", "image": "docker.io/library/mariadb:11.8", "command": command,
        "resources": {"requests": {"cpu": cpu, "memory": "8Mi"}},
    });
    let mut spec = json!({
        "replicas": 1,
        "selector": {"matchLabels": {"app": name}},
        "template": {
            "metadata": {"labels": {"app": name}},
            "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]},
        },
    });
    if kind == "StatefulSet" {
        spec["serviceName"] = json!(name);
    }
    json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": spec})
}

fn sleeper(kind: &str, name: &str, cpu: &str) -> Value {
    workload(kind, name, cpu, &["sleep", "infinity"])
}

/// A service whose pods become ready when they listen, and serve on for a moment when they are to end.
fn talker() -> [Value; 2] {
    let mut talker = workload("Deployment", "talker", "10m", &["perl", "-e", TALKER]);
    let pod = &mut talker["spec"]["template"]["spec"];
    pod["terminationGracePeriodSeconds"] = json!(5);
    pod["containers"][0]["ports"] = json!([{"name": "http", "containerPort": 8080}]);
    pod["containers"][0]["readinessProbe"] = json!({"tcpSocket": {"port": 8080}, "periodSeconds": 1});
    pod["containers"][0]["lifecycle"] = json!({"preStop": {"sleep": {"seconds": 3}}});
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "talker"},
        "spec": {"selector": {"app": "talker"}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]}});
    [talker, service]
}

/// A run of the tool that goes on until the value ends.
struct Running {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let context = context();
        let mut command = deploy_tool_command(&[arguments, &["--context", &context]].concat());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let (send, lines) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            stdout
                .lines()
                .map_while(Result::ok)
                .try_for_each(|line| send.send(line))
        });
        Self { child, lines }
    }

    /// The first line that is as asked for; the others before it are dropped.
    #[track_caller]
    fn line(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        eventually(what, Duration::from_secs(60), || {
            self.lines.try_iter().find(|line| wanted(line))
        })
    }

    /// Ctrl-C, and the exit code.
    fn interrupt(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already, unless the test failed.
        let _ = self.child.kill();
    }
}

fn names(namespace: &str, label: &str) -> Vec<String> {
    let running = pods(namespace, label)
        .into_iter()
        .filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
    running
        .map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn two_workloads_at_once_and_an_autoscaler_only_when_told() {
    let autoscaler = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "auto"},
        "spec": {"minReplicas": 1, "maxReplicas": 2, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "set"}}});
    let objects = [
        sleeper("Deployment", "one", "10m"),
        sleeper("StatefulSet", "set", "10m"),
        autoscaler,
    ];
    let namespace = Namespace::new("verbs-scale", &objects);
    let scale = |arguments: &[&str]| deploy_tool(&[&["scale", "--namespace", namespace.0], arguments].concat());

    scale(&["one=2", "set=3"]).failure(1, &["DT0503", "`auto` keeps it between 1 and 2", "--autoscaler"]);
    assert_eq!(
        object(namespace.0, "deployment/one")["spec"]["replicas"],
        1,
        "nothing changes unless all can"
    );
    scale(&["one=2", "set=3", "--autoscaler"]).success();
    assert_eq!(
        (names(namespace.0, "app=one").len(), names(namespace.0, "app=set").len()),
        (2, 3)
    );
    let spec = object(namespace.0, "horizontalpodautoscaler/auto")["spec"].clone();
    assert_eq!((&spec["minReplicas"], &spec["maxReplicas"]), (&json!(3), &json!(3)));
    let said = scale(&["one=2", "set=3", "--autoscaler"]).success();
    assert!(said.stderr.contains("unchanged"), "{}", said.stderr);
    // An autoscaler sleeps at none, and wakes up at its minimum: neither is undone, so neither needs leave.
    for count in [0, 3] {
        scale(&[&format!("set={count}")]).success();
        assert_eq!(names(namespace.0, "app=set").len(), count);
    }
    scale(&["one=2", "other=1"]).failure(1, &["DT0501", "deployment/one, statefulset/set"]);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn what_fits_on_no_node_says_how_many_run_and_what_is_missing() {
    let namespace = Namespace::new("verbs-fit", &[sleeper("Deployment", "big", "600m")]);
    let parts = [
        "Insufficient cpu",
        "of 40 replicas run",
        "go back: `deploy-tool scale deployment/big=1 ",
        "--namespace verbs-fit`",
    ];
    deploy_tool(&["scale", "big=40", "--fail-fast", "--namespace", namespace.0]).failure(2, &parts);
    deploy_tool(&["scale", "big=1", "--namespace", namespace.0]).success();
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn logs_and_an_open_port_follow_a_restart_without_a_failed_request() {
    let namespace = Namespace::new("verbs-talk", &talker());
    let within = ["--namespace", namespace.0];
    deploy_tool(&[&["scale", "talker=2"] as &[&str], &within].concat()).success();
    let before = names(namespace.0, "app=talker");

    let one = deploy_tool(&[&["logs", before[0].as_str()] as &[&str], &within].concat()).success();
    assert_eq!(one.stdout, format!("started {}\n", before[0]));
    let both = deploy_tool(&[&["logs", "deployment/talker"] as &[&str], &within].concat()).success();
    assert!(
        before
            .iter()
            .all(|pod| both.stdout.contains(&format!("{pod} main | started {pod}"))),
        "{}",
        both.stdout
    );

    let logs = Running::start(&[&["logs", "talker", "--follow", "--output", "json"] as &[&str], &within].concat());
    let open = Running::start(&[&["open", "--output", "json"] as &[&str], &within].concat());
    let opened: Value = serde_json::from_str(&open.line("the port is open", |_| true)).unwrap();
    let port = opened["port"].as_u64().unwrap();
    let ask = || -> String {
        let mut connection = TcpStream::connect(("127.0.0.1", u16::try_from(port).unwrap())).unwrap();
        connection.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        connection.write_all(b"GET / HTTP/1.1\r\n").unwrap();
        let mut answer = String::new();
        // The pod's end of the connection ends it: what has come until then is the answer.
        let _ = connection.read_to_string(&mut answer);
        answer.rsplit("\r\n").next().unwrap().to_owned()
    };
    assert_eq!(ask(), opened["pod"].as_str().unwrap());

    let restart = std::thread::spawn(move || deploy_tool(&["restart", "talker", "--namespace", "verbs-talk"]));
    let mut answers = Vec::new();
    while !restart.is_finished() {
        answers.push(ask());
    }
    restart.join().unwrap().success();
    let after = eventually("only new pods are left", Duration::from_secs(60), || {
        Some(names(namespace.0, "app=talker")).filter(|names| names.len() == 2 && !before.contains(&names[0]))
    });
    assert!(
        !answers.is_empty() && answers.iter().all(|pod| pod.starts_with("talker-")),
        "{answers:?}"
    );
    let last = ask();
    assert!(after.contains(&last), "{last} is none of {after:?}");

    let mut missing = after;
    while !missing.is_empty() {
        let line = logs.line("the new pods are followed", |line| line.contains("started"));
        let line: Value = serde_json::from_str(&line).unwrap();
        assert!(line["container"] == "main" && line["time"].is_string(), "{line}");
        missing.retain(|pod| line["pod"] != pod.as_str());
    }
    assert_eq!((logs.interrupt(), open.interrupt()), (Some(130), Some(130)));
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn the_demonstration_through_a_port_of_its_own() {
    let open = Running::start(&["open"]);
    let address = open.line("the port is open", |line| line.starts_with("http://"));
    let mut answer = ureq::get(format!("{address}/healthz")).call().unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    let health: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    assert_eq!(health["mode"], "aot");
    assert_eq!(open.interrupt(), Some(130));
    deploy_tool(&["open", "nothing"]).failure(1, &["DT0507", "app"]);
}
