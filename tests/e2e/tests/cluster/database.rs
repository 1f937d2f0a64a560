//! The database goes away and comes back: the stories of the native build, told to the Wasm pods.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use service_tests::database_outage::{self, Afterwards, Stage};
use service_tests::http::{Request, Response};

use crate::harness::{NodePort, answered, eventually, kubectl, order, pods, reachable, scaled, url};

/// The Service and the database's pod.
struct Pods {
    /// Host and port of the Service.
    address: String,
}

/// A Service of the same pods that keeps those which are not ready, until its value ends.
///
/// All pods stop being ready when their database is away. The Service proper then refuses connections; here one sees
/// what the pods themselves answer.
struct Direct(Pods, #[expect(dead_code, reason = "open while it lives")] NodePort);

impl Pods {
    fn behind_the_service() -> Self {
        Self {
            address: url("").trim_start_matches("http://").to_owned(),
        }
    }
}

fn in_namespace(arguments: &[&str]) -> crate::harness::CommandOutput {
    kubectl(&[&["--namespace", "orders"], arguments].concat())
}

impl Direct {
    fn open() -> Self {
        let port = NodePort::open("app", true);
        let address = port.address.clone();
        Self(Pods { address }, port)
    }
}

fn database() -> Value {
    pods("orders", "app=mariadb").first().cloned().unwrap_or_default()
}

fn await_database_other_than(uid: &Value) {
    eventually("a new database pod is ready", || {
        let database = database();
        let ready = database["status"]["conditions"]
            .as_array()?
            .iter()
            .any(|condition| condition["type"] == "Ready" && condition["status"] == "True");
        (database["metadata"]["uid"] != *uid && ready).then_some(())
    });
}

/// Sends a signal to a process of a pod, from its node: inside its container it is process 1, which nothing stops.
fn signal(name: &str, process: &str, pod: &Value) {
    let node = pod["spec"]["nodeName"].as_str().unwrap();
    let uid = pod["metadata"]["uid"].as_str().unwrap();
    let of_the_pod = format!("pod({uid}|{})", uid.replace('-', "_"));
    let script = r#"for process in $(pgrep -x "$1"); do
        grep -qE "$2" "/proc/$process/cgroup" && kill -s "$0" "$process" && sent=yes
    done; [ "$sent" ]"#;
    let output = Command::new("docker")
        .args(["exec", node, "sh", "-c", script, name, process, &of_the_pod])
        .output()
        .unwrap();
    assert!(output.status.success(), "{process} cannot be sent {name}: {output:?}");
}

impl Stage for Pods {
    fn send(&self, request: &Request) -> std::io::Result<Response> {
        request.send(&self.address)
    }

    fn administer(&self, sql: &str) -> Result<String, String> {
        let client = r#"exec mariadb --user=root --password="$MARIADB_ROOT_PASSWORD" --execute "$0""#;
        let output = in_namespace(&["exec", "mariadb-0", "--", "sh", "-c", client, sql]);
        if output.code == 0 {
            Ok(output.stdout)
        } else {
            Err(output.stderr)
        }
    }

    fn pause(&self, paused: bool) {
        signal(if paused { "STOP" } else { "CONT" }, "mariadbd", &database());
    }

    fn kill(&self) {
        signal("KILL", "mariadbd", &database());
        // A container that dies again and again is restarted later and later. A new pod is not.
        let uid = database()["metadata"]["uid"].clone();
        in_namespace(&["delete", "pod", "mariadb-0", "--grace-period=1", "--wait=false"]).success();
        await_database_other_than(&uid);
    }

    fn log(&self) -> String {
        in_namespace(&["logs", "deployment/app", "--since=20s"])
            .success()
            .stdout
    }
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn root_of_the_database_comes_from_its_own_pod_alone() {
    let hosts = "SELECT host FROM mysql.user WHERE user = 'root'";
    let answer = Pods::behind_the_service().administer(hosts).unwrap();
    assert_eq!(
        answer.split_whitespace().skip(1).collect::<Vec<_>>(),
        ["localhost"],
        "{answer}"
    );
}

/// Tells a story, after which the pods are the same as before, and never ended.
fn tell(stage: &Pods, story: impl FnOnce(&Pods)) {
    let containers = || {
        let pods = pods("orders", "app=app");
        let restarts = |pod: &Value| pod["status"]["containerStatuses"][0]["restartCount"].clone();
        pods.iter()
            .map(|pod| (pod["metadata"]["uid"].clone(), restarts(pod)))
            .collect::<Vec<_>>()
    };
    let before = containers();
    story(stage);
    assert_eq!(
        containers(),
        before,
        "the service recovered by itself, without a restart"
    );
    reachable();
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn the_database_hangs() {
    tell(&Direct::open().0, database_outage::hung);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn the_database_has_no_connection_left() {
    tell(&Direct::open().0, database_outage::out_of_connections);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn the_database_takes_no_changes() {
    tell(&Direct::open().0, database_outage::read_only);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn the_databases_password_is_another() {
    tell(&Direct::open().0, database_outage::password_changed);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn the_database_is_slow() {
    tell(&Direct::open().0, database_outage::slow);
}

/// While the guest waits for a name it does nothing else: that must not take longer than its probes have patience.
#[test]
#[ignore = "needs a cluster, see main.rs"]
fn names_cannot_be_resolved() {
    let name_servers = pods("kube-system", "k8s-app=kube-dns");
    let pause = |name| {
        for pod in &name_servers {
            signal(name, "coredns", pod);
        }
    };
    let get = |path| Request::new("GET", path);
    tell(&Direct::open().0, |stage| {
        let _go_on = Afterwards(|| {
            pause("CONT");
            stage.pause(false);
        });
        pause("STOP");
        // The pool wants new connections, and with each looks for the database again.
        stage.pause(true);
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    assert!([503, 504].contains(&stage.send(&get("/orders")).unwrap().status));
                }
            });
            let _stop = Afterwards(|| done.store(true, Ordering::Relaxed));
            // Longer than a guest waits for a name, and shorter than the database's own probes let it be.
            let end = Instant::now() + Duration::from_secs(16);
            while Instant::now() < end {
                let start = Instant::now();
                assert_eq!(stage.send(&get("/healthz")).unwrap().status, 200);
                assert!(
                    start.elapsed() < scaled(Duration::from_secs(5)),
                    "{:?}",
                    start.elapsed()
                );
                thread::sleep(Duration::from_millis(400));
            }
        });
    });
}

/// Through the Service proper, as clients come: while no pod is ready, connections are refused.
#[test]
#[ignore = "needs a cluster, see main.rs"]
fn no_write_is_lost_or_doubled_while_the_database_is_killed() {
    tell(&Pods::behind_the_service(), database_outage::killed_under_load);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn the_service_outlives_its_database_and_every_order_is_still_there() {
    let ids = 9_001..=9_050;
    for order_id in ids.clone() {
        answered("GET", &format!("/delete_order?id={order_id}"), None);
    }
    let orders: Vec<_> = ids.clone().map(order).collect();
    assert_eq!(answered("POST", "/create_orders", Some(&json!(orders))).0, 200);
    tell(&Pods::behind_the_service(), |_| {
        let uid = database()["metadata"]["uid"].clone();
        in_namespace(&["delete", "pod", "mariadb-0", "--wait=false"]).success();
        await_database_other_than(&uid);
    });
    let (_, listed) = answered("GET", "/orders?after=9000&limit=50", None);
    let found: Vec<i64> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|order| order["order_id"].as_i64().unwrap())
        .collect();
    assert_eq!(found, ids.clone().map(i64::from).collect::<Vec<_>>());
    for order_id in ids {
        assert_eq!(answered("GET", &format!("/delete_order?id={order_id}"), None).0, 200);
    }
}
