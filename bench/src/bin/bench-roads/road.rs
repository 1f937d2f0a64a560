//! The roads: how each starts the service, and ends it.

use std::path::Path;
use std::process::Command;

use anyhow::Result;
use bench::process::output;

use crate::host::Host;

/// The service's port in each host.
pub const PORT: u16 = 8080;
/// No database is there: `/healthz` is answered without.
const ENVIRONMENT: &str =
    "--env LISTEN_ADDRESS=0.0.0.0:8080 --env LOG=off --env DATABASE_URL=mysql://a:b@127.0.0.1:1/c";

/// Without it, an engine in a container starts none where the host has cgroup v2.
const LEAVE_ROOT_CGROUP: &str = include_str!("../../../../scripts/restricted-host/leave-root-cgroup.sh");

/// What the roads start from.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The tool.
    pub deploy_tool: &'a Path,
    /// The service's image.
    pub archive: &'a Path,
    /// Its module.
    pub module: &'a Path,
    /// compose.yaml.
    pub compose: &'a Path,
    /// Image of a node with both engines.
    pub node: &'a str,
    /// A folder of this run.
    pub folder: &'a Path,
}

/// A host on which everything is ready for the service's start.
#[derive(Debug)]
pub struct Road {
    /// For tables.
    pub name: &'static str,
    /// Where it runs.
    pub host: Host,
    /// Starts the service.
    pub start: String,
    /// Prints the id of its process.
    pub process: String,
    /// Ends it.
    pub stop: String,
}

type Prepare = fn(&Inputs<'_>) -> Result<Road>;

/// All, each with what prepares it; the others are compared with the first.
pub const ALL: [(&str, Prepare); 5] = [
    ("wasmedge", wasmedge),
    ("crun, this engine", |inputs| {
        crun("crun, this engine", "/opt/wasm-engine/*/bin/crun", inputs)
    }),
    ("crun, Debian's", |inputs| {
        crun("crun, Debian's", "/usr/bin/crun", inputs)
    }),
    ("podman", podman),
    ("Docker Compose", compose),
];

fn wasmedge(inputs: &Inputs<'_>) -> Result<Road> {
    let host = Host::start("localhost/wasm-builder:trixie", &[])?;
    host.copy(inputs.module, "/orders.so")?;
    Ok(Road {
        name: "wasmedge",
        host,
        start: format!("echo $$ >/tmp/pid; exec wasmedge {ENVIRONMENT} /orders.so"),
        process: "cat /tmp/pid".to_owned(),
        stop: "kill -KILL $(cat /tmp/pid)".to_owned(),
    })
}

fn crun(name: &'static str, program: &str, inputs: &Inputs<'_>) -> Result<Road> {
    let bundle = inputs.folder.join("bundle");
    if !bundle.is_dir() {
        let mut command = Command::new(inputs.deploy_tool);
        command.arg("bundle").arg(inputs.archive).arg(&bundle);
        output(command.args(ENVIRONMENT.split(' ')))?;
    }
    let host = Host::start(inputs.node, &[])?;
    host.copy(&bundle, "/bundle")?;
    let crun = host.run(&format!("ls {program}"))?.trim().to_owned();
    Ok(Road {
        name,
        host,
        start: format!("exec {crun} run --detach --pid-file /tmp/pid --bundle /bundle orders >/dev/null"),
        process: "cat /tmp/pid".to_owned(),
        stop: format!("{crun} delete --force orders"),
    })
}

fn podman(inputs: &Inputs<'_>) -> Result<Road> {
    let host = Host::start("localhost/wasm-podman:trixie", &["--volume=/var/lib/containers"])?;
    host.copy(inputs.archive, "/orders.tar")?;
    host.run("podman load --input /orders.tar; podman network create orders")?;
    let image = host.run("podman images --quiet --no-trunc localhost/orders | head -n 1")?;
    Ok(Road {
        name: "podman",
        host,
        start: format!(
            "exec podman run --detach --name orders --network orders --publish {PORT}:8080 \
             --annotation module.wasm.image/variant=compat-smart {ENVIRONMENT} {} >/dev/null",
            image.trim()
        ),
        process: "podman inspect --format '{{.State.Pid}}' orders".to_owned(),
        stop: "podman rm --force --time 0 orders".to_owned(),
    })
}

fn compose(inputs: &Inputs<'_>) -> Result<Road> {
    let host = Host::start(
        "localhost/wasm-docker:trixie",
        &["--volume=/var/lib/docker", "--volume=/var/lib/containerd"],
    )?;
    host.run(LEAVE_ROOT_CGROUP)?;
    host.run("setsid dockerd >/var/log/dockerd.log 2>&1 </dev/null &")?;
    host.await_success("docker info")?;
    host.load_images(&["localhost/wasm-engine:trixie"], "docker load")?;
    host.copy(inputs.deploy_tool, "/usr/local/bin/deploy-tool")?;
    host.run("deploy-tool docker install")?;
    host.copy(inputs.archive, "/orders.tar")?;
    host.run("docker load --input /orders.tar")?;
    host.copy(inputs.compose, "/compose.yaml")?;
    // The page's port is one of loopback, which nobody outside of the host reaches.
    host.run(&format!(
        "printf 'services: {{orders: {{ports: !override [\"{PORT}:8080\"]}}}}\\n' >/published.yaml; \
         printf 'DATABASE_PASSWORD=a\\nEVENTS_SECRET=0123456789abcdef\\n' >/.env"
    ))?;
    let compose = "cd / && docker compose --file compose.yaml --file published.yaml";
    Ok(Road {
        name: "Docker Compose",
        host,
        start: format!("{compose} up --detach --no-deps orders 2>/dev/null"),
        process: "docker inspect --format '{{.State.Pid}}' orders-orders-1".to_owned(),
        stop: format!("{compose} rm --stop --force orders"),
    })
}
