//! docs/roads/compose.md, on a Docker engine of its own: that of this host is other people's.

use std::path::Path;
use std::process::Command;

use e2e::{CommandOutput, Machine, deploy_tool_command, deploy_tool_exactly, eventually, repository};
use serde_json::Value;

use crate::page;

const IMAGE: &str = "localhost/wasm-docker:trixie";
/// Without it, an engine in a container starts none where the host has cgroup v2.
const LEAVE_ROOT_CGROUP: &str = include_str!("../../../../scripts/restricted-host/leave-root-cgroup.sh");
const CONFIGURATION: &str = "/etc/docker/daemon.json";
/// What somebody has set before; with a space of their own.
const BEFORE: &str = "{ \"log-opts\": {\"max-size\": \"10m\"},\"runtimes\":{\"other\":{\"path\":\"/usr/bin/runc\"}}}\n";

/// A host whose engine has MariaDB's image and the one of crun.
struct Host(Machine);

impl Host {
    fn start() -> Self {
        let machine = Machine::start_with(IMAGE, &["--volume=/var/lib/docker", "--volume=/var/lib/containerd"]);
        machine.copy(
            Path::new(deploy_tool_command(&[]).get_program()),
            "/usr/local/bin/deploy-tool",
        );
        machine.run(&format!(
            "mkdir -p /etc/docker /project && cat >{CONFIGURATION} <<'END'\n{BEFORE}END"
        ));
        let host = Self(machine);
        host.0.run(LEAVE_ROOT_CGROUP);
        host.start_engine("");
        host
    }

    fn start_engine(&self, options: &str) {
        self.0.run(&format!(
            "setsid dockerd {options} >>/var/log/dockerd.log 2>&1 </dev/null &"
        ));
        eventually("the engine answers", || {
            (self.0.try_run("docker info").code == 0).then_some(())
        });
    }

    fn stop_engine(&self) {
        self.0
            .run("pid=$(cat /var/run/docker.pid); kill $pid; tail --pid $pid --follow /dev/null");
    }

    /// Gives it images of this host's engine.
    fn load(&self, images: &str) {
        let line = format!(
            "docker save {images} | docker exec --interactive {} docker load",
            self.0.0
        );
        CommandOutput::from(Command::new("sh").args(["-c", &line]).output().unwrap()).success();
    }

    fn configuration(&self) -> String {
        self.0.run(&format!("cat {CONFIGURATION}"))
    }

    fn runtimes(&self) -> Vec<String> {
        let output = self
            .0
            .run("docker info --format '{{range $name, $_ := .Runtimes}}{{println $name}}{{end}}'");
        output
            .lines()
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect()
    }

    fn tool(&self, arguments: &str) -> CommandOutput {
        self.0.try_run(&format!("NO_COLOR=1 deploy-tool {arguments}"))
    }

    /// A run of the tool that fails changes nothing.
    fn refused(&self, arguments: &str, code: i32, sentences: &[&str]) {
        let before = (self.configuration(), self.runtimes(), self.0.run("find /opt"));
        self.tool(arguments).failure(code, sentences);
        assert_eq!(
            (self.configuration(), self.runtimes(), self.0.run("find /opt")),
            before,
            "{arguments}"
        );
    }
}

#[test]
#[ignore = "needs Docker and the images of the tests"]
fn every_command_of_the_page_does_what_it_says() {
    let host = Host::start();
    host.load("localhost/wasm-mariadb:11.8 localhost/wasm-engine:trixie");
    host.0.copy(&repository().join("compose.yaml"), "/project/compose.yaml");
    // The images are built by this host.
    let folder = tempfile::tempdir().unwrap();
    for command in page::commands("compose.md") {
        if let Some(arguments) = command.line.strip_prefix("deploy-tool build ") {
            let file = folder.path().join("image.tar");
            let (rest, target) = arguments.split_once("/tmp/").unwrap();
            let mut words: Vec<&str> = rest.split_whitespace().collect();
            words.push(file.to_str().unwrap());
            deploy_tool_exactly(&[&["build"], words.as_slice()].concat()).success();
            host.0.copy(&file, &format!("/tmp/{target}"));
            continue;
        }
        let line = command
            .line
            .replace("sudo ", "")
            .replace("curl ", "curl --silent --show-error ");
        if line.contains("curl") {
            eventually("the service is ready", || {
                (host
                    .0
                    .try_run("curl --silent --fail --output /dev/null http://localhost:8080/readyz")
                    .code
                    == 0)
                    .then_some(())
            });
        }
        let setting = "export NO_COLOR=1 MARIADB_IMAGE=localhost/wasm-mariadb:11.8; cd /project &&";
        let output = host.0.try_run(&format!("{setting} {line} 2>&1")).success();
        let lines: Vec<String> = output.stdout.lines().map(str::to_owned).collect();
        assert!(page::prints(&command.printed, &lines), "{line}: {}", output.stdout);
        if line.starts_with("docker compose up") {
            while_it_runs(&host);
        }
    }
    assert_eq!(host.configuration(), BEFORE);
    host.0.run("test ! -e /opt/wasm-engine");
}

/// What the page says of running it: order, events, refusals.
fn while_it_runs(host: &Host) {
    let all: Vec<String> = host.runtimes();
    assert!(
        ["crun", "crun-wasm", "other", "runc"]
            .iter()
            .all(|name| all.contains(&(*name).to_owned())),
        "{all:?}"
    );
    let text: Value = serde_json::from_str(&host.configuration()).unwrap();
    assert_eq!(text["log-opts"]["max-size"], "10m");
    let log = host.0.run("cd /project && docker compose logs orders 2>&1");
    assert!(log.contains("(wasm, aot)"), "{log}");
    host.refused("docker remove", 1, &["containers need the runtimes", "orders-orders-1"]);
    let again = host.tool("docker install").success();
    assert!(again.stderr.contains("unchanged"), "{}", again.stderr);
    let status: Value = serde_json::from_str(&host.tool("docker status --output json").success().stdout).unwrap();
    assert_eq!(
        (&status["problems"], status["containers"].as_array().unwrap().len()),
        (&Value::Array(Vec::new()), 2)
    );
    // By the annotation, as engines from 25 on pass it on.
    let run = "docker run --rm --network=none --runtime=crun --env DATABASE_URL=x --annotation module.wasm.image/variant=compat-smart localhost/orders:built 2>&1";
    let output = host.0.try_run(run).stdout;
    assert!(
        output.contains("DATABASE_URL") && !output.contains("format error"),
        "{output}"
    );
    host.0.run(r#"curl --silent --fail http://localhost:8080/create_order -d '{"order_id":9,"product_id":1,"quantity":1,"amount":1,"shipping":1,"tax":1,"shipping_address":"x"}'"#);
    eventually("the event has arrived", || {
        host.0
            .run("curl --silent --fail http://localhost:8080/events")
            .contains("order.created")
            .then_some(())
    });
    host.0
        .run("curl --silent --fail -X DELETE http://localhost:8080/orders/9");
}

#[test]
#[ignore = "needs Docker and the images of the tests"]
fn what_cannot_work_is_told_in_one_sentence_and_leaves_nothing() {
    let host = Host::start();
    // Debian's runs modules as well.
    host.refused(
        "docker install --crun /usr/bin/runc",
        3,
        &["`/usr/", "is not a crun with WasmEdge", "+WASM:wasmedge"],
    );
    host.refused("docker install --crun /none", 1, &["`/none` is not a program"]);
    // A crun that says it has WasmEdge and cannot run anything: the engine has taken it, and has to give it up again.
    host.0.run("printf '#!/bin/sh\\n[ \"$1\" = --version ] && echo +WASM:wasmedge && exit\\necho broken >&2; exit 1\\n' >/usr/local/bin/broken && chmod +x /usr/local/bin/broken");
    host.refused(
        "docker install --crun /usr/local/bin/broken",
        3,
        &["a module does not run", "is what it was before"],
    );
    host.0.run(&format!("printf '[]' >{CONFIGURATION}"));
    host.refused("docker install", 1, &["cannot be changed", "is not an object"]);
    host.0.run(&format!(
        "printf '{{\"runtimes\": {{\"crun\": {{\"path\": \"/x\"}}}}}}' >{CONFIGURATION}"
    ));
    host.refused("docker install", 1, &["another runtime `crun`"]);

    // Where there was no file, there is none again. Somebody's change meanwhile stays.
    host.0.run(&format!("rm {CONFIGURATION}"));
    host.tool("docker install --crun /usr/bin/crun").success();
    host.tool("docker remove").success();
    host.0.run(&format!("test ! -e {CONFIGURATION}"));
    host.tool("docker install").success();
    host.0
        .run(&format!("sed -i 's/^{{/{{\"debug\": true,/' {CONFIGURATION}"));
    host.tool("docker remove").success();
    assert_eq!(
        serde_json::from_str::<Value>(&host.configuration()).unwrap(),
        serde_json::json!({"debug": true})
    );
    assert!(
        host.tool("docker remove")
            .success()
            .stderr
            .contains("nothing was installed")
    );

    // What a run that was killed has left is put right.
    host.tool("docker install").success();
    host.0
        .run("sed -i 's/\"isFinished\": true/\"isFinished\": false/' /opt/wasm-engine/docker/installed.json");
    host.tool("docker status").failure(3, &[]);
    host.tool("docker install").success();
    host.tool("docker status").success();
    host.tool("docker remove").success();

    host.stop_engine();
    host.tool("docker install")
        .failure(3, &["the Docker engine does not answer"]);
    host.0.run(&format!("rm -f {CONFIGURATION}"));
    host.start_engine("--add-runtime other=/usr/bin/runc");
    host.tool("docker install").failure(3, &["--add-runtime"]);
    host.0.run("test ! -e /opt/wasm-engine");
}
