//! Scaling, restarting, reading logs and opening ports: small workloads in a namespace of their own.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::harness::{
    Namespace, Running, cluster, context, deploy_tool, deploy_tool_command, eventually, http_client,
    kubectl_with_input, object, pods, time_limit,
};

/// Answers with its pod's name, and says so in its log: as much of a service as this needs. Probes ask nothing.
const TALKER: &str = r#"$| = 1; use IO::Socket::INET; my $n = $ENV{HOSTNAME};
    my $s = IO::Socket::INET->new(LocalPort => 8080, Listen => 64, ReuseAddr => 1) or die; print "started $n\n";
    while (my $c = $s->accept) { defined(<$c>) or next; print "asked $n\n";
        print $c "HTTP/1.1 200 OK\r\nContent-Length: ".length($n)."\r\nConnection: close\r\n\r\n$n"; close $c }"#;

/// A namespace with objects.
fn namespace(purpose: &str, objects: &[Value]) -> Namespace {
    let namespace = Namespace::create(purpose, &[]);
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string();
    kubectl_with_input(&["--namespace", &namespace.name, "create", "--filename", "-"], &list).success();
    namespace
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

fn start(arguments: &[&str]) -> Running {
    Running::start(deploy_tool_command(&[arguments, &["--context", &context()]].concat()))
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
    let namespace = namespace("verbs-scale", &objects);
    let scale = |arguments: &[&str]| deploy_tool(&[&["scale", "--namespace", &namespace.name], arguments].concat());

    scale(&["one=2", "set=3"]).failure(1, &["DT0503", "`auto` keeps it between 1 and 2", "--autoscaler"]);
    assert_eq!(
        object(&namespace.name, "deployment/one")["spec"]["replicas"],
        1,
        "nothing changes unless all can"
    );
    scale(&["one=2", "set=3", "--autoscaler"]).success();
    assert_eq!(
        (
            names(&namespace.name, "app=one").len(),
            names(&namespace.name, "app=set").len()
        ),
        (2, 3)
    );
    let spec = object(&namespace.name, "horizontalpodautoscaler/auto")["spec"].clone();
    assert_eq!((&spec["minReplicas"], &spec["maxReplicas"]), (&json!(3), &json!(3)));
    let output = scale(&["one=2", "set=3", "--autoscaler"]).success();
    assert!(output.stderr.contains("unchanged"), "{}", output.stderr);
    // An autoscaler sleeps at none, and wakes up at its minimum: neither is undone, so neither needs leave.
    for count in [0, 3] {
        scale(&[&format!("set={count}")]).success();
        assert_eq!(names(&namespace.name, "app=set").len(), count);
    }
    scale(&["one=2", "other=1"]).failure(1, &["DT0501", "deployment/one, statefulset/set"]);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn what_fits_on_no_node_says_how_many_run_and_what_is_missing() {
    // Some fit on each node, however large it is.
    let node = object("default", &format!("node/{}-worker", cluster()));
    let cores = node["status"]["allocatable"]["cpu"].as_str().unwrap();
    let thousandths: usize = match cores.strip_suffix('m') {
        Some(thousandths) => thousandths.parse().unwrap(),
        None => cores.parse::<usize>().unwrap() * 1000,
    };
    let third = format!("{}m", thousandths / 3);
    let namespace = namespace("verbs-fit", &[sleeper("Deployment", "big", &third)]);
    let within = format!("--namespace {}`", namespace.name);
    let parts = [
        "Insufficient cpu",
        "of 40 replicas run",
        "go back: `deploy-tool scale deployment/big=1 ",
        &within,
    ];
    deploy_tool(&["scale", "big=40", "--fail-fast", "--namespace", &namespace.name]).failure(2, &parts);
    deploy_tool(&["scale", "big=1", "--namespace", &namespace.name]).success();
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn logs_and_an_open_port_follow_a_restart_without_a_failed_request() {
    let namespace = namespace("verbs-talk", &talker());
    let within = ["--namespace", namespace.name.as_str()];
    deploy_tool(&[&["scale", "talker=2"] as &[&str], &within].concat()).success();
    let before = names(&namespace.name, "app=talker");

    // What a pod has said is in its log a moment later.
    let log = eventually("the pod's log has a line", || {
        let output = deploy_tool(&[&["logs", before[0].as_str()] as &[&str], &within].concat()).success();
        (!output.stdout.is_empty()).then_some(output.stdout)
    });
    assert_eq!(log, format!("started {}\n", before[0]));
    eventually("the logs of both pods have a line", || {
        let both = deploy_tool(&[&["logs", "deployment/talker"] as &[&str], &within].concat()).success();
        let begins = |pod: &String| both.stdout.contains(&format!("{pod} main | started {pod}"));
        before.iter().all(begins).then_some(())
    });

    let logs = start(&[&["logs", "talker", "--follow", "--output", "json"] as &[&str], &within].concat());
    let open = start(&[&["open", "--output", "json"] as &[&str], &within].concat());
    let opened = open.line("the port is open", |line| line.starts_with('{'));
    let opened: Value = serde_json::from_str(&opened).unwrap();
    let port = opened["port"].as_u64().unwrap();
    let ask = || -> String {
        let mut connection = TcpStream::connect(("127.0.0.1", u16::try_from(port).unwrap())).unwrap();
        connection.set_read_timeout(Some(time_limit())).unwrap();
        connection.write_all(b"GET / HTTP/1.1\r\n").unwrap();
        let mut answer = String::new();
        // The pod's end of the connection ends it: what has come until then is the answer.
        let _ = connection.read_to_string(&mut answer);
        answer.rsplit("\r\n").next().unwrap().to_owned()
    };
    assert_eq!(ask(), opened["pod"].as_str().unwrap());

    let mut answers = Vec::new();
    std::thread::scope(|scope| {
        let restart = scope.spawn(|| deploy_tool(&["restart", "talker", "--namespace", &namespace.name]));
        while !restart.is_finished() {
            answers.push(ask());
        }
        restart.join().unwrap().success();
    });
    let after = eventually("only new pods are left", || {
        let names = names(&namespace.name, "app=talker");
        let only_new = names.len() == 2 && names.iter().all(|pod| !before.contains(pod));
        only_new.then_some(names)
    });
    assert!(
        !answers.is_empty() && answers.iter().all(|pod| pod.starts_with("talker-")),
        "{answers:?}"
    );
    let last = ask();
    assert!(after.contains(&last), "{last} is none of {after:?}");

    let mut missing = after;
    while !missing.is_empty() {
        let line = logs.line("the new pods are followed", |line| {
            line.starts_with('{') && line.contains("started")
        });
        let line: Value = serde_json::from_str(&line).unwrap();
        assert!(line["container"] == "main" && line["time"].is_string(), "{line}");
        missing.retain(|pod| line["pod"] != pod.as_str());
    }
    assert_eq!((logs.interrupt().code, open.interrupt().code), (130, 130));
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn the_demonstration_through_a_port_of_its_own() {
    let open = start(&["open"]);
    let address = open.line("the port is open", |line| line.starts_with("http://"));
    let mut answer = http_client().get(format!("{address}/healthz")).call().unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    let health: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    assert_eq!(health["mode"], "aot");
    assert_eq!(open.interrupt().code, 130);
    deploy_tool(&["open", "nothing"]).failure(1, &["DT0507", "app"]);
}
