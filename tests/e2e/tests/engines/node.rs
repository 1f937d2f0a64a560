//! A node's system with both engines, and guests on it.

use std::process::{Child, Command, Stdio};

use e2e::{Machine, eventually, node_image};
use serde_json::{Value, json};

/// Debian's crun.
pub const STOCK: &str = "/usr/bin/crun";

/// A node's system with both engines, and no Kubernetes.
pub struct Node(pub Machine);

impl Node {
    /// Starts one.
    pub fn start() -> Self {
        Self(Machine::start(&node_image("wasm-node-both")))
    }

    /// Starts one with systemd.
    pub fn booted() -> Self {
        Self(Machine::booted(&node_image("wasm-node-both")))
    }

    /// The crun with our patches.
    pub fn tuned(&self) -> String {
        self.0.run("ls /opt/wasm-engine/*/bin/crun").trim().to_owned()
    }

    /// A container that is not yet running: its name is that of its bundle's folder.
    pub fn bundle(&self, name: &str, text: &str, environment: &[&str]) {
        let folder = tempfile::tempdir().unwrap();
        let write = |file: &str, bytes: &[u8]| std::fs::write(folder.path().join(file), bytes).unwrap();
        let made = self.0.run(&format!(
            "mkdir -p /{name}/rootfs && cd /{name} && rm -f config.json && crun spec && cat config.json"
        ));
        let mut specification: Value = serde_json::from_str(&made).unwrap();
        specification["process"]["terminal"] = json!(false);
        specification["root"]["readonly"] = json!(false);
        specification["process"]["args"] = json!(["/app.wasm"]);
        specification["process"]["env"] = json!(environment);
        specification["annotations"] = json!({"module.wasm.image/variant": "compat-smart"});
        write("config.json", specification.to_string().as_bytes());
        write("app.wasm", &wat::parse_str(text).unwrap());
        self.0
            .copy(&folder.path().join("config.json"), &format!("/{name}/config.json"));
        self.0
            .copy(&folder.path().join("app.wasm"), &format!("/{name}/rootfs/app.wasm"));
    }

    /// Runs a guest to its end: exit code, and what was printed.
    pub fn run(&self, crun: &str, text: &str) -> (i32, String) {
        self.bundle("guest", text, &[]);
        let output = self.0.try_run(&format!("{crun} run --bundle /guest guest 2>&1"));
        (output.code, output.stdout)
    }

    /// Starts a guest that makes the folder `begun` and stays, and waits until it has made it.
    pub fn started(&self, crun: &str, text: &str, environment: &[&str]) -> Running<'_> {
        self.bundle("guest", text, environment);
        let running = Command::new("docker")
            .args(["exec", &self.0.0, crun, "run", "--bundle", "/guest", "guest"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut running = Running {
            node: self,
            crun: crun.to_owned(),
            process: running,
            pid: 0,
        };
        running.pid = eventually("the guest runs", || {
            let state: Value = serde_json::from_str(&running.output("state guest")).ok()?;
            let pid = state["pid"].as_u64()?;
            // The guest's own code has made the folder: the module is loaded, and the handlers of signals are in place.
            (self.0.try_run("test -d /guest/rootfs/begun").code == 0).then_some(pid)
        });
        running
    }
}

/// A guest that runs, and its crun.
pub struct Running<'a> {
    pub node: &'a Node,
    pub crun: String,
    pub process: Child,
    pub pid: u64,
}

impl Running<'_> {
    pub fn output(&self, command: &str) -> String {
        self.node.0.try_run(&format!("{} {command}", self.crun)).stdout
    }

    pub fn signal(&self, name: &str) {
        self.node.0.run(&format!("{} kill guest {name}", self.crun));
    }

    /// A file that the kernel has of its process.
    pub fn of_process(&self, file: &str) -> String {
        self.node.0.run(&format!("cat /proc/{}/{file}", self.pid))
    }

    /// What its process has open.
    pub fn descriptors(&self) -> String {
        self.node.0.run(&format!("ls -l /proc/{}/fd", self.pid))
    }

    pub fn runs(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }

    /// The exit code after a signal.
    pub fn ended_by(mut self, name: &str) -> i32 {
        self.signal(name);
        let code = eventually("the guest ends", || self.process.try_wait().unwrap());
        code.code().unwrap()
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.output("delete --force guest");
        self.node.0.try_run("rm -rf /guest");
        let _ = self.process.wait();
    }
}

/// Makes the folder `begun`, and goes round in a circle: only a signal ends it.
pub const STAYS: &str = r#"(module
    (import "wasi_snapshot_preview1" "path_create_directory" (func $create (param i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "begun")
    (func (export "_start")
        (drop (call $create (i32.const 3) (i32.const 0) (i32.const 5)))
        (loop $forever (br $forever))))"#;

pub fn exits(code: u32) -> String {
    format!(
        r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1)
            (func (export "_start") (call $exit (i32.const {code}))))"#
    )
}
